"""14-what-changed: one night's run is compared with the night before."""

from __future__ import annotations

from pathlib import Path

import pytest
from reports import report, sheet, texts

from cs_magic import connect
from cs_magic.demo.server import serving

NAME = "14-what-changed"


def test_two_nights_on_a_cloud_of_one_s_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(machines=120, job_seconds=0) as demo:
        monkeypatch.setenv("CLOUDSTACK_ENDPOINT", demo.endpoint)
        monkeypatch.setenv("CLOUDSTACK_KEY", demo.api_key)
        monkeypatch.setenv("CLOUDSTACK_SECRET", demo.secret_key)
        monkeypatch.setenv("CS_MAGIC_CATALOGUE", "fresh")
        first = report(NAME, tmp_path, profile="env", as_of="2026-09-13")
        keys = {"api_key": demo.api_key, "secret_key": demo.secret_key}
        with connect(endpoint=demo.endpoint, **keys) as cloud:
            running = cloud.listVirtualMachines(state="Running")
            stopped, renamed, gone = running["id"][:3]
            cloud.stopVirtualMachine(id=stopped)
            cloud.updateVirtualMachine(id=renamed, displayname="=1+1")
            cloud.destroyVirtualMachine(id=gone, expunge=True)
        report(NAME, tmp_path, profile="env", as_of="2026-09-14")
    assert "This is the first run" in texts(first)
    path = tmp_path / "build" / "what-changed-2026-09-14.xlsx"
    assert list(sheet(path, "gone")["name"]) == list(running["name"][2:3])
    rows = sheet(path, "different").set_index(["id", "field"])
    assert tuple(rows.loc[(stopped, "state"), ["old", "new"]]) == ("Running", "Stopped")
    # Text that looks like a formula is text.
    assert rows.loc[(renamed, "displayname"), "new"] == "=1+1"
    assert renamed in set(sheet(path, "without an event")["id"])
    assert len(sheet(path, "new")) == 0


def test_the_demo_s_day_has_a_new_a_lost_and_three_changed_machines(tmp_path: Path) -> None:
    report(NAME, tmp_path)
    path = tmp_path / "build" / "what-changed-2026-09-14.xlsx"
    counts = sheet(path, "summary").set_index("change")["machines"]
    assert dict(counts) == {"changed": 3, "added": 1, "removed": 1}
    assert set(sheet(path, "events")["username"]) == {"admin"}
