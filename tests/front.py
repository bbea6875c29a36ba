"""A front end without a screen: runs cells in a real kernel, fills in and presses its widgets.

What JupyterLab does with a form, over the same messages: a change of a box is an update of
its model, Enter and a click are custom messages.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager
from replay import VARIABLES

TIMEOUT = 60
DISPLAYED = {"display_data", "execute_result", "stream", "error"}
# What a kernel is given of the machine; everything else is its own.
FOLDERS = """
    HOME XDG_CONFIG_HOME XDG_CACHE_HOME IPYTHONDIR JUPYTER_CONFIG_DIR JUPYTER_DATA_DIR
    JUPYTER_RUNTIME_DIR
""".split()


@dataclass
class Cell:
    """What is seen of a cell: its reply, and its outputs as nbformat knows them."""

    status: str = ""
    idle: bool = False
    outputs: list[dict[str, Any]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Everything that is shown as text, one output after the other."""
        return "\n".join(filter(None, map(_text, self.outputs)))

    @property
    def errors(self) -> list[str]:
        """The error outputs, each in one line."""
        return [one["evalue"] for one in self.outputs if one["output_type"] == "error"]


class Front:
    """A kernel, what it shows, and the state of its widgets."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager = manager
        self.client = client
        self.models: dict[str, dict[str, Any]] = {}
        self.cells: dict[str, Cell] = {}
        self.raw: list[dict[str, Any]] = []
        self.answers: list[str] = []  # to what the kernel asks through stdin
        self.asked: list[dict[str, Any]] = []

    def run(self, source: str, name: str = "", allow_stdin: bool = True) -> Cell:
        """Run a cell to its end; the same `name` is the same cell of the notebook."""
        return self.end(self.start(source, name, allow_stdin))

    def start(self, source: str, name: str = "", allow_stdin: bool = True) -> Cell:
        """Send a cell to the kernel, and don't wait for it."""
        content = {
            "code": source,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": allow_stdin,
            "stop_on_error": True,
        }
        metadata = {"cellId": name} if name else {}
        message = self.client.session.msg("execute_request", content, metadata=metadata)
        cell = self.cells[message["header"]["msg_id"]] = Cell()
        self.client.shell_channel.send(message)
        return cell

    def end(self, cell: Cell) -> Cell:
        """Wait until a cell has its reply and showed everything."""
        self.until(lambda: cell.status != "" and (cell.idle or cell.status == "aborted"))
        return cell

    def fine(self, source: str, name: str = "") -> Cell:
        """Run a cell that must not fail."""
        cell = self.run(source, name)
        assert cell.status == "ok", cell.outputs
        return cell

    def value(self, expression: str) -> str:
        """The repr of an expression."""
        return self.fine(expression).text

    # -- widgets -----------------------------------------------------------------

    def box(self, description: str) -> str:
        """The living widget of that description; the newest where there are several."""
        found = [key for key, one in self.models.items() if one.get("description") == description]
        assert found, f"there is no {description}: {self.descriptions}"
        return found[-1]

    @property
    def descriptions(self) -> list[str]:
        """What the living widgets are called."""
        return [one["description"] for one in self.models.values() if one.get("description")]

    @property
    def says(self) -> str:
        """What the HTML of all living widgets says."""
        named = (one for one in self.models.values() if one.get("_view_name") == "HTMLView")
        return "\n".join(str(one["value"]) for one in named)

    def type(self, description: str, text: str) -> None:
        """Type into a box and leave it."""
        self.send(self.box(description), {"method": "update", "state": {"value": text}})

    def enter(self, description: str) -> None:
        """Press Enter in a box."""
        self.send(self.box(description), {"method": "custom", "content": {"event": "submit"}})

    def click(self, description: str) -> None:
        """Press a button."""
        self.send(self.box(description), {"method": "custom", "content": {"event": "click"}})

    def send(self, comm: str, data: dict[str, Any]) -> None:
        """A message to a widget's model."""
        content = {"comm_id": comm, "data": {"buffer_paths": [], **data}}
        self.client.shell_channel.send(self.client.session.msg("comm_msg", content))

    def until(self, seen: Callable[[], bool], seconds: float = TIMEOUT) -> None:
        """Take messages until something is seen."""
        end = time.monotonic() + seconds
        while not seen():
            assert time.monotonic() < end, (
                f"not seen: {self.says} {[vars(c) for c in self.cells.values()][-2:]}"
            )
            self._take(0.05)

    # -- messages ------------------------------------------------------------------

    def _take(self, seconds: float) -> None:
        if self.client.iopub_channel.msg_ready() or not self.client.stdin_channel.msg_ready():
            self._shown(seconds)
        if self.client.stdin_channel.msg_ready():
            question = self.client.get_stdin_msg(timeout=1)["content"]
            self.asked.append(question)
            self.client.input(self.answers.pop(0))
        while self.client.shell_channel.msg_ready():
            reply = self.client.get_shell_msg(timeout=1)
            cell = self.cells.get(reply["parent_header"].get("msg_id", ""))
            if cell is not None and reply["msg_type"] == "execute_reply":
                cell.status = reply["content"]["status"]

    def _shown(self, seconds: float) -> None:
        from queue import Empty

        try:
            message = self.client.get_iopub_msg(timeout=seconds)
        except Empty:
            return
        self.raw.append(message)
        kind, content = message["msg_type"], message["content"]
        if kind == "comm_open":
            self.models[content["comm_id"]] = dict(content["data"].get("state", {}))
        elif kind == "comm_msg" and content["data"].get("method") == "update":
            self.models[content["comm_id"]].update(content["data"]["state"])
        elif kind == "comm_close":
            self.models.pop(content["comm_id"], None)
        elif kind == "update_display_data":
            self._update(content)
        cell = self.cells.get(message["parent_header"].get("msg_id", ""))
        if cell is not None and kind in DISPLAYED | {"status"}:
            if kind == "status":
                cell.idle = content["execution_state"] == "idle"
            else:
                cell.outputs.append({"output_type": kind, **content})

    def _update(self, content: dict[str, Any]) -> None:
        wanted = content["transient"]["display_id"]
        for cell in self.cells.values():
            for shown in cell.outputs:
                if shown.get("transient", {}).get("display_id") == wanted:
                    shown["data"] = content["data"]


@contextmanager
def front(home: Path, config: str = "", extra: dict[str, str] | None = None) -> Iterator[Front]:
    """A kernel in folders of its own, with this configuration of ours, and a front end to it."""
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    own = {name: str(home / name.lower()) for name in FOLDERS}
    path = home / "xdg_config_home" / "cs_magic" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(0o600)
    path.write_text(config, encoding="utf-8")
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env={**kept, **own, **(extra or {})}, cwd=str(home))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=TIMEOUT)
        yield Front(manager, client)
    finally:
        client.stop_channels()
        if manager.is_alive():
            manager.shutdown_kernel()


def other_ipykernel(version: str, folder: Path) -> dict[str, str]:
    """The environment of a kernel that is another ipykernel than the installed one."""
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    wanted = ["--target", str(folder), f"ipykernel=={version}"]
    subprocess.run([*install, *wanted], check=True, timeout=300)
    before = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(folder), before)))}


def _text(output: dict[str, Any]) -> str:
    if output["output_type"] == "stream":
        return str(output["text"]).rstrip("\n")
    if output["output_type"] == "error":
        return f"{output['ename']}: {output['evalue']}"
    return str(output["data"].get("text/plain", ""))
