"""14-what-changed: one night's run is compared with the night before."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from reports import FOLDER, report, sheet, texts

from cs_magic import connect
from cs_magic.demo.server import serving

NAME = "14-what-changed"


def aged(where: Path) -> Path:
    """The only run that is saved, as one of a day that is past."""
    (run,) = (where / "build" / "runs").iterdir()
    return run.rename(run.with_name("env-machines-2026-01-05.parquet"))


def book(where: Path) -> Path:
    """The workbook of the newest run."""
    return max((where / "build").glob("what-changed-*.xlsx"))


def test_two_nights_on_a_cloud_of_one_s_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(machines=120, job_seconds=0) as demo:
        monkeypatch.setenv("CLOUDSTACK_ENDPOINT", demo.endpoint)
        monkeypatch.setenv("CLOUDSTACK_KEY", demo.api_key)
        monkeypatch.setenv("CLOUDSTACK_SECRET", demo.secret_key)
        monkeypatch.setenv("CS_MAGIC_CATALOGUE", "fresh")
        first = report(NAME, tmp_path, profile="env")
        night_before = aged(tmp_path)
        keys = {"api_key": demo.api_key, "secret_key": demo.secret_key}
        with connect(endpoint=demo.endpoint, **keys) as cloud:
            running = cloud.listVirtualMachines(state="Running")
            stopped, renamed, gone = running["id"][:3]
            cloud.stopVirtualMachine(id=stopped)
            cloud.updateVirtualMachine(id=renamed, displayname="=1+1")
            cloud.destroyVirtualMachine(id=gone, expunge=True)
        report(NAME, tmp_path, profile="env")
        # Of a day that is past, the run that was saved is shown, and stays as it is.
        before = night_before.read_bytes()
        again = report(NAME, tmp_path, profile="env", as_of="2026-01-05")
    assert "This is the first run" in texts(first)
    assert "None" not in texts(first).splitlines()
    assert "This is the first run" in texts(again)
    assert night_before.read_bytes() == before
    path = book(tmp_path)
    assert list(sheet(path, "gone")["name"]) == list(running["name"][2:3])
    rows = sheet(path, "different").set_index(["id", "field"])
    assert tuple(rows.loc[(stopped, "state"), ["old", "new"]]) == ("Running", "Stopped")
    # Text that looks like a formula is text.
    assert rows.loc[(renamed, "displayname"), "new"] == "=1+1"
    assert renamed in set(sheet(path, "without an event")["id"])
    events = sheet(path, "events")
    assert events["when (UTC)"].str.fullmatch(r"2026-09-14 \d\d:\d\d").all()
    assert len(sheet(path, "new")) == 0


def test_the_demo_s_day_has_a_new_a_lost_and_three_changed_machines(tmp_path: Path) -> None:
    report(NAME, tmp_path)
    path = tmp_path / "build" / "what-changed-2026-09-14.xlsx"
    counts = sheet(path, "summary").set_index("change")["machines"]
    assert dict(counts) == {"changed": 3, "added": 1, "removed": 1}
    assert set(sheet(path, "events")["username"]) == {"admin"}


def cell(start: str) -> str:
    """The notebook's cell that begins so."""
    cells = nbformat.read(FOLDER / f"{NAME}.ipynb", 4).cells
    (source,) = (cell.source for cell in cells if cell.source.startswith(start))
    return str(source)


def begun(where: Path, **parameters: Any) -> dict[str, Any]:
    """What the notebook's first cell makes of these parameters."""
    names: dict[str, Any] = {"profile": "env", "as_of": "", "folder": str(where)} | parameters
    # How wide columns are shown is for all tests.
    exec(re.sub(r"(?m)^pd\.options.*", "", cell("import json")), names)
    return names


@pytest.mark.parametrize("profile", ["env", "demo"])
def test_today_s_list_is_not_saved_as_another_day_s(tmp_path: Path, profile: str) -> None:
    with pytest.raises(ValueError, match=r"there is no .*machines-2020-01-05\.parquet.* not that"):
        begun(tmp_path, profile=profile, as_of="2020-01-05")
    assert not list(tmp_path.iterdir())


def test_today_and_no_day_is_a_new_run(tmp_path: Path) -> None:
    assert begun(tmp_path)["is_new"]
    assert begun(tmp_path, as_of=f"{pd.Timestamp.now('UTC'):%Y%m%d}")["is_new"]
    assert begun(tmp_path, profile="demo", as_of=20260914)["is_new"]
    with pytest.raises(ValueError, match=r"^as_of is a day such as 2026-09-14, not soon$"):
        begun(tmp_path, as_of="soon")


def test_a_file_that_is_no_run_is_one_line(tmp_path: Path) -> None:
    names = begun(tmp_path)
    source = cell("def run_of").partition("\n\n\n")[0]
    exec(source, names)
    other, text = tmp_path / "other.parquet", tmp_path / "text.parquet"
    pd.DataFrame({"id": ["1"]}).to_parquet(other)
    text.write_text("so it goes")
    with pytest.raises(ValueError, match=r"other\.parquet is not a run that this notebook saved"):
        names["run_of"](other)
    for path in (text, tmp_path / "no.parquet"):
        with pytest.raises(ValueError, match=f"{path.name} can't be read"):
            names["run_of"](path)


def test_what_looks_like_a_list_and_is_none_is_shown_as_text(tmp_path: Path) -> None:
    names = begun(tmp_path)
    row = {"name": "web", "id": "1", "change": "changed", "field": "displayname"}
    names["different"] = pd.DataFrame([row | {"old": "[test] a", "new": "[test] b"}])
    exec(cell("def listed"), names)
    assert list(names["changed"]["new"]) == ["[test] b"]


def test_of_events_of_a_kind_the_latest_is_shown(tmp_path: Path) -> None:
    names = begun(tmp_path)
    names["different"] = pd.DataFrame({"id": ["1"], "name": ["web"]})
    days = pd.to_datetime(["2026-09-14T05:00Z", "2026-09-14T04:00Z"])
    row = {"resourceid": "1", "type": "VM.STOP", "username": "alice", "description": "stopped"}
    names["events"] = pd.DataFrame([row | {"created": day} for day in days])
    exec(cell("if not is_new:"), names)
    assert list(names["why"]["when (UTC)"]) == ["2026-09-14 05:00"]
