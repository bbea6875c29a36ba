"""`python -m cs_magic.verify` finds what is wrong with a server, and tells nothing of whose it is.

The demo is right; behind a proxy that changes its answers it isn't.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from api.servers import Came, Reply, serving
from replay import VARIABLES

from cs_magic.demo.server import Demo
from cs_magic.demo.server import serving as demo_cloud
from cs_magic.verify.__main__ import main

Edit = Callable[[str, dict[str, str], dict[str, Any]], None]  # command, form, what is inside


class RefusedError(Exception):
    """What an edit raises to have the call refused."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with demo_cloud(machines=120, job_seconds=0.05) as running:
        yield running


@pytest.fixture(autouse=True)
def profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, demo: Demo) -> None:
    """The demo's user webshop as the environment's profile, and nobody's files."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, folder in {"HOME": "", "XDG_CONFIG_HOME": "config", "XDG_CACHE_HOME": "c"}.items():
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CS_MAGIC_CATALOGUE", "fresh")
    somebody = demo.accounts["webshop"]
    monkeypatch.setenv("CLOUDSTACK_ENDPOINT", demo.endpoint)
    monkeypatch.setenv("CLOUDSTACK_KEY", somebody.api_key)
    monkeypatch.setenv("CLOUDSTACK_SECRET", somebody.secret_key)


@contextmanager
def edited(demo: Demo, edit: Edit) -> Iterator[str]:
    """The endpoint of a server that is the demo, but for what `edit` does to good answers."""

    def answer(came: Came) -> Reply:
        form = urllib.parse.urlencode(came.form).encode()
        try:
            with urllib.request.urlopen(demo.endpoint, form, timeout=20) as reply:
                document = json.loads(reply.read())
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, error.read())
        (inner,) = document.values()
        try:
            edit(came.form["command"], dict(came.form), inner)
        except RefusedError as refused:
            error = {"errorcode": refused.code, "cserrorcode": 9999, "errortext": refused.text}
            return Reply(refused.code, json.dumps({"x": error}).encode())
        return Reply(200, json.dumps(document).encode())

    with serving(answer) as server:
        yield server.endpoint


def ran(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """The exit status and the report."""
    code = main(words)
    return code, capsys.readouterr().out


def with_edit(
    demo: Demo,
    edit: Edit,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *words: str,
) -> list[str]:
    """The problems that are reported of an edited demo."""
    with edited(demo, edit) as endpoint:
        monkeypatch.setenv("CLOUDSTACK_ENDPOINT", endpoint)
        code, report = ran(capsys, *words)
    problems = re.findall(r"^- \*\*problem\*\* (.*)$", report, re.M)
    assert code == (1 if problems else 0)
    return problems


def no_edit(command: str, form: dict[str, str], inner: dict[str, Any]) -> None:
    """Change nothing."""


def test_nothing_is_wrong_with_the_demo(capsys: pytest.CaptureFixture[str]) -> None:
    code, report = ran(capsys, "--write")
    assert code == 0, report
    assert "**No problem was found.**" in report
    for part in ("Clock", "Signing", "Lists", "Time zones", "Writing"):
        assert re.search(rf"^\| {part} \| (?:ok|note) \| .+ \|$", report, re.M)
    assert re.search(r"^\| listVirtualMachines \| \d+ \| \d+ \| ok \|$", report, re.M)


def test_the_proxy_of_these_tests_makes_no_problem(demo, monkeypatch, capsys) -> None:
    assert with_edit(demo, no_edit, monkeypatch, capsys) == []


def test_nothing_is_changed_without_write(demo: Demo, capsys: pytest.CaptureFixture[str]) -> None:
    before = len(demo.jobs)
    ran(capsys)
    assert len(demo.jobs) == before
    ran(capsys, "--write")
    assert [change.command for change in demo.jobs[before:]] == ["createTags", "deleteTags"]


def test_a_report_names_nothing_of_whose_cloud_it_is(demo: Demo, capsys) -> None:
    _, report = ran(capsys, "--write")
    somebody = demo.accounts["webshop"]
    port = demo.endpoint.partition("127.0.0.1")[2].partition("/")[0]
    for word in (somebody.api_key, somebody.secret_key, somebody.password, "webshop", port):
        assert word not in report
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", report)
    names = {machine.name for machine in demo.world.fleet.machines}
    assert not [name for name in names if name in report]


def test_a_character_that_the_server_signs_otherwise_is_reported(demo, monkeypatch, capsys) -> None:
    def refuse(command: str, form: dict[str, str], inner: dict[str, Any]) -> None:
        if "~" in form.get("keyword", ""):
            raise RefusedError(
                401, "user jdoe@acme.example at gw1.acme.example (10.1.2.3) is unknown"
            )

    one, other = with_edit(demo, refuse, monkeypatch, capsys)
    assert one == (
        "`~`: is refused as if it were signed wrongly: "
        "Unauthorized 401: user … at a-host (an-address) is unknown"
    )
    assert other.startswith("'Zürich ~ Genève': is refused")


def test_a_server_that_checks_no_signature_is_reported(monkeypatch, capsys) -> None:
    with serving() as server:
        monkeypatch.setenv("CLOUDSTACK_ENDPOINT", server.endpoint)
        monkeypatch.setenv("CS_MAGIC_CATALOGUE", "bundled")
        code, report = ran(capsys)
    assert code == 1
    assert "**problem** a wrong signature: is taken: this server checks none" in report
    assert "the server takes a call whose time is over" in report


def test_a_count_that_lies_is_reported(demo, monkeypatch, capsys) -> None:
    def lie(command: str, form: dict[str, str], inner: dict[str, Any]) -> None:
        if command == "listVolumes" and "count" in inner:
            inner["count"] += 7

    (problem,) = with_edit(demo, lie, monkeypatch, capsys)
    assert re.match(r"listVolumes: the server counts \d+ rows, \d+ came", problem)


def test_a_count_that_is_another_on_each_page_is_reported(demo, monkeypatch, capsys) -> None:
    def lie(command: str, form: dict[str, str], inner: dict[str, Any]) -> None:
        if command == "listNetworks" and "count" in inner:
            inner["count"] += int(form.get("page", 1)) - 1

    problems = with_edit(demo, lie, monkeypatch, capsys)
    assert [one for one in problems if re.match(r"listNetworks: the count is another", one)]


def test_rows_that_pages_lose_are_reported(demo, monkeypatch, capsys) -> None:
    def lose(command: str, form: dict[str, str], inner: dict[str, Any]) -> None:
        if command == "listNetworks" and form.get("page") == "2" and "network" in inner:
            del inner["network"][0]

    (problem,) = with_edit(demo, lose, monkeypatch, capsys)
    assert re.match(r"listNetworks: in pages of \d+, 1 of \d+ rows were missing", problem)


def test_a_row_that_comes_twice_is_reported(demo, monkeypatch, capsys) -> None:
    def repeat(command: str, form: dict[str, str], inner: dict[str, Any]) -> None:
        rows = inner.get("virtualmachine") if command == "listVirtualMachines" else None
        if rows and form["pagesize"] == "500" and len(rows) > 19:
            rows[1] = rows[0]

    found = "\n".join(with_edit(demo, repeat, monkeypatch, capsys))
    assert re.search(r"listVirtualMachines: 1 of \d+ rows came more than once", found)


def test_usage_records_are_looked_at_in_the_last_month_that_has_any(capsys, monkeypatch) -> None:
    with demo_cloud(machines=5, job_seconds=0) as demo:
        monkeypatch.setenv("CLOUDSTACK_ENDPOINT", demo.endpoint)
        monkeypatch.setenv("CLOUDSTACK_KEY", demo.api_key)
        monkeypatch.setenv("CLOUDSTACK_SECRET", demo.secret_key)
        _, report = ran(capsys)
    found = re.search(r"^\| listUsageRecords \| ([\d,]+) \| ([\d,]+) \| ok \|$", report, re.M)
    assert found
    assert found[1] != "0"


def test_a_mistyped_field_is_reported_without_its_value(demo, monkeypatch, capsys) -> None:
    def mistype(command: str, form: dict[str, str], inner: dict[str, Any]) -> None:
        for row in inner.get("virtualmachine", ()) if command == "listVirtualMachines" else ():
            row["cpunumber"] = "Tell-tale 12"

    (problem,) = with_edit(demo, mistype, monkeypatch, capsys)
    wanted = "listVirtualMachines.cpunumber: is documented as integer and came as text like "
    assert problem == f"{wanted}'Aaaa-aaaa 99'"


def test_dates_without_a_zone_and_from_the_future_are_reported(demo, monkeypatch, capsys) -> None:
    ahead = (datetime.now(UTC) + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S+0000")

    def shift(command: str, form: dict[str, str], inner: dict[str, Any]) -> None:
        for row in inner.get("volume", ()) if command == "listVolumes" else ():
            row["created"] = ahead
        for row in inner.get("network", ()) if command == "listNetworks" else ():
            row["created"] = "2026-05-01T10:00:00"

    without, future = with_edit(demo, shift, monkeypatch, capsys)
    assert without.startswith("listNetworks.created: a date without a time zone")
    assert re.match(r"listVolumes.created: was created 1(?:19|20) min \d+ s from now", future)


def test_a_list_that_is_none_is_reported_and_the_run_goes_on(demo, monkeypatch, capsys) -> None:
    def spoil(command: str, form: dict[str, str], inner: dict[str, Any]) -> None:
        if command == "listNetworks":
            inner["count"] = {"a": "b"}
            inner["network"] = 5

    (problem,) = with_edit(demo, spoil, monkeypatch, capsys)
    assert problem.startswith("listNetworks: TransportError: ")
    assert "its rows can't be told" in problem


def test_a_tag_whose_value_arrives_otherwise_is_reported_and_removed(
    demo, monkeypatch, capsys
) -> None:
    def garble(command: str, form: dict[str, str], inner: dict[str, Any]) -> None:
        for row in inner.get("tag", ()) if "key" in form else ():
            row["value"] = row["value"].replace("+", " ")

    (problem,) = with_edit(demo, garble, monkeypatch, capsys, "--write")
    assert problem.startswith("listTags: ")
    assert demo.jobs[-1].command == "deleteTags"


def test_a_list_that_somebody_changed_meanwhile_is_read_again(demo, monkeypatch, capsys) -> None:
    changes = iter([3, 2, 1])

    def change(command: str, form: dict[str, str], inner: dict[str, Any]) -> None:
        if command == "listNetworks" and "count" in inner:
            inner["count"] += next(changes, 0)

    assert with_edit(demo, change, monkeypatch, capsys) == []


def test_a_server_with_small_pages_is_read_all_the_same(demo, monkeypatch, capsys) -> None:
    most = 40
    text = f"Page size can't exceed max allowed page size value: {most}"
    seen: list[int] = []

    def refuse(command: str, form: dict[str, str], inner: dict[str, Any]) -> None:
        seen.append(int(form.get("pagesize", 0)))
        if seen[-1] > most:
            raise RefusedError(431, text)

    assert with_edit(demo, refuse, monkeypatch, capsys) == []
    assert max(seen) > most  # it was asked for more, and took what it got


def test_a_wrong_secret_is_one_problem_and_not_the_clock_s(monkeypatch, capsys) -> None:
    monkeypatch.setenv("CLOUDSTACK_SECRET", "tell-tale-secret")
    code, report = ran(capsys)
    assert code == 1
    assert "**1 problem was found.**" in report
    assert "Unauthorized 401" in report
    assert "a wrong secret key, a clock that is off" in report
    assert "the server refuses each call of these keys, whatever its time" in report
    assert "tell-tale" not in report


def test_an_endpoint_that_is_not_there_is_one_problem(monkeypatch, capsys) -> None:
    monkeypatch.setenv("CLOUDSTACK_ENDPOINT", "http://127.0.0.1:1/client/api")
    code, report = ran(capsys)
    assert code == 1
    assert "**1 problem was found.**" in report


def test_write_with_a_read_only_profile_is_refused_at_the_start(
    demo: Demo, monkeypatch, tmp_path, capsys
) -> None:
    somebody = demo.accounts["webshop"]
    (tmp_path / ".cloudstack.ini").write_text(
        f"[shy]\nendpoint = {demo.endpoint}\nkey = {somebody.api_key}\n"
        f"secret = {somebody.secret_key}\nread_only = true\n"
    )
    assert main(["shy", "--write"]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "Refused: --write: the profile shy is read-only\n")


def test_user_credentials_are_verified_and_signed_out(demo: Demo, monkeypatch, capsys) -> None:
    somebody = demo.accounts["webshop"]
    monkeypatch.delenv("CLOUDSTACK_KEY")
    monkeypatch.delenv("CLOUDSTACK_SECRET")
    monkeypatch.setenv("CLOUDSTACK_USERNAME", somebody.username)
    monkeypatch.setenv("CLOUDSTACK_PASSWORD", somebody.password)
    monkeypatch.setenv("CLOUDSTACK_DOMAIN", somebody.domain)
    code, report = ran(capsys)
    assert code == 0, report
    assert "signed in by | user credentials" in report
    assert somebody.password not in report


def test_without_a_profile_it_says_what_to_set_and_ends_with_2(monkeypatch, capsys) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert main([]) == 2
    assert "CLOUDSTACK_ENDPOINT" in capsys.readouterr().err


def test_as_a_program_it_verifies_the_demo_and_writes_a_file(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    words = [sys.executable, "-m", "cs_magic.verify", "demo", "-o", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"No problem was found: {path}\n"
    assert path.read_text().startswith("# ")
