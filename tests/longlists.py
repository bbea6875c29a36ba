"""A server with long lists in small pages, which may break off, change, or repeat themselves."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from api.servers import KEYS, Came, Reply, Server, listed, serving

SIZE = 10
Rows = list[dict[str, Any]]


def records(number: int) -> Rows:
    """Usage records: they have no id, and amounts that a float can't sum."""
    return [
        {
            "account": f"a{n % 7}",
            "description": f"record {n}",
            "usagetype": 1,
            "rawusage": f"{n}.{n % 1000:03}001",
            "startdate": "2026-10-01T00:00:00+0000",
            "tags": [{"key": "env", "value": "prod"}],
        }
        for n in range(number)
    ]


def machines(number: int, first: int = 0) -> Rows:
    """Machines, whose password is a secret."""
    return [
        {"id": f"i{n:05}", "name": f"vm-{n}", "memory": n, "password": "pl4nted"}
        for n in range(first, first + number)
    ]


@dataclass
class Long:
    """What there is: usage records, machines, and those of projects.

    `breaks_at` is the page of which nothing comes; `stops_at` the one at which somebody
    presses the stop button; `meanwhile` has what happens, once, while a page is asked for. The
    server counts `besides` more rows than there are.
    """

    usage: Rows = field(default_factory=list)
    machines: Rows = field(default_factory=list)
    projects: Rows = field(default_factory=list)
    breaks_at: int = 0
    stops_at: int = 0
    besides: int = 0
    meanwhile: dict[int, Callable[[], object]] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)

    def answer(self, came: Came) -> Reply:
        """The answer to a request."""
        form = came.form
        if form["command"] == "listConfigurations":
            setting = {"name": "default.page.size", "value": str(SIZE)}
            return Reply(body=listed("configuration", [setting], 1))
        key, rows = "usagerecord", self.usage
        if form["command"] == "listVirtualMachines":
            key = "virtualmachine"
            rows = self.projects if form.get("projectid") else self.machines
        page, size = int(form["page"]), int(form["pagesize"])
        self.asked.append(page)
        if page == self.breaks_at:
            return Reply(530, b'{"x":{"errorcode":530,"errortext":"no such page"}}')
        if page == self.stops_at:
            os.kill(os.getpid(), signal.SIGINT)
        self.meanwhile.pop(page, lambda: None)()
        count = len(rows) + self.besides
        return Reply(body=listed(key, rows[(page - 1) * size : page * size], count))


@contextmanager
def stopped_in(function: Callable[..., object]) -> Iterator[None]:
    """Press the stop button once this function of ours begins on the main thread."""
    pressed = []

    def watch(frame: FrameType, event: str, arg: object) -> None:
        if event == "call" and frame.f_code is function.__code__ and not pressed:
            pressed.append(frame)
            os.kill(os.getpid(), signal.SIGINT)

    sys.setprofile(watch)
    try:
        yield
    finally:
        sys.setprofile(None)
    assert pressed


@contextmanager
def serve(cloud: Long, monkeypatch: Any) -> Iterator[Server]:
    """Serve it as the environment's profile."""
    with serving(cloud.answer) as server:
        monkeypatch.setenv("CLOUDSTACK_ENDPOINT", server.endpoint)
        monkeypatch.setenv("CLOUDSTACK_KEY", KEYS.api_key)
        monkeypatch.setenv("CLOUDSTACK_SECRET", KEYS.secret_key)
        yield server
