"""Every notebook runs, top to bottom, against the demo cloud, and is saved with its outputs."""

from __future__ import annotations

import json
import re
import sys
from base64 import b64decode
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent / "tools"))

from cs_magic.demo.data.world import World
from notebooks import PICTURES, executed, picture, steady

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


# How much two drawings of the same picture may differ: letters, from machine to machine.
SIZE = 0.02
SHADE = 8


WIDE = '<div style="width: 2000px">a table</div>'
# What the page of a table that one can click on holds of the frame; the rest is its program,
# which is another one in each version.
ROWS = re.compile(r'"(?:data_json|downsampling_warning)": "(?:[^"\\]|\\.)*"')


def outputs(notebook: nbformat.NotebookNode) -> list[list[tuple[str, dict[str, Any]]]]:
    """What each cell shows, in every form of text that it has."""
    return [
        [(output.output_type, forms(output)) for output in cell.outputs]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def forms(output: nbformat.NotebookNode) -> dict[str, Any]:
    """The texts of an output, by their kind."""
    if "data" not in output:
        return {"text": steady(output.get("text") or output.get("evalue", ""))}
    return {
        kind: ROWS.findall(text) if "itables" in text else steady(text)
        for kind, text in output.data.items()
        if kind.startswith("text/")
    }


def pictures(notebook: nbformat.NotebookNode) -> list[Any]:
    """The pictures that the cells show, as arrays of red, green and blue."""
    shown = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    found = [output.data["image/png"] for output in shown if "image/png" in output.get("data", {})]
    return [np.asarray(Image.open(BytesIO(b64decode(one))).convert("RGB")) for one in found]


def alike(one: Any, other: Any) -> bool:
    """Whether two pictures are nearly as large and, laid over each other, nearly the same."""
    high, wide = (min(pair) for pair in zip(one.shape[:2], other.shape[:2], strict=True))
    sides = zip(one.shape[:2], other.shape[:2], strict=True)
    if any(abs(side - same) > SIZE * side for side, same in sides):
        return False
    difference = one[:high, :wide].astype(float) - other[:high, :wide].astype(float)
    return float(np.abs(difference).mean()) < SHADE


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_what_it_was_saved_with(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CS_MAGIC_CATALOGUE", "fresh")  # the server's, and nothing on disk
    saved = nbformat.read(path, as_version=4)
    fresh = executed(path, tmp_path)
    assert outputs(fresh) == outputs(saved)
    for drawn, before in zip(pictures(fresh), pictures(saved), strict=True):
        assert alike(drawn, before)


def test_what_differs_in_the_page_alone_is_seen() -> None:
    table = nbformat.from_dict(
        {"data": {"text/plain": "<HTML object>", "text/html": "<p>653 rows</p>"}}
    )
    other = nbformat.from_dict(
        {"data": {"text/plain": "<HTML object>", "text/html": "<p>655 rows</p>"}}
    )
    assert forms(table) != forms(other)
    itables = '<b>itables 2.9.1</b> "data_json": "[[\\"%s\\"]]", "order": []'
    one, two = (
        nbformat.from_dict({"data": {"text/html": itables % name}}) for name in ("web-01", "web-02")
    )
    assert forms(one)["text/html"] == ['"data_json": "[[\\"web-01\\"]]"']
    assert forms(one) != forms(two)


def test_the_table_to_click_on_holds_every_machine() -> None:
    saved = nbformat.read(FOLDER / "15-with-other-tools.ipynb", as_version=4)
    pages = [
        text
        for cell in saved.cells
        for output in cell.get("outputs", ())
        for text in [output.get("data", {}).get("text/html", "")]
        if '"data_json"' in text
    ]
    ((rows,),) = map(ROWS.findall, pages)
    names = Counter(row[0] for row in json.loads(json.loads("{" + rows + "}")["data_json"]))
    assert names == Counter(machine.name for machine in World().fleet.machines)


@pytest.mark.long
def test_a_page_is_pictured_whole_and_without_the_internet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    picture([FOLDER / "15-with-other-tools.ipynb"])  # waits for the table that a script fills
    (kept,) = PICTURES.iterdir()
    wide, high = Image.open(kept).size
    assert wide == 1000
    assert high > 2_000


@pytest.mark.long
def test_no_page_cuts_what_it_shows_at_the_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wide = nbformat.v4.new_notebook()
    shown = nbformat.v4.new_output("display_data", {"text/html": WIDE})
    wide.cells = [nbformat.v4.new_code_cell("x", outputs=[shown])]
    nbformat.write(wide, "wide.ipynb")
    assert picture([Path("wide.ipynb")]) == ["wide cuts a table"]
    assert picture(NOTEBOOKS) == []


def test_pictures_are_alike_but_for_the_shapes_of_letters() -> None:
    chart = np.full((100, 200, 3), 255, dtype=np.uint8)
    chart[20:60, 20:100] = 30
    letters, other = chart.copy(), chart.copy()
    letters[90:94, 20:60] = 0
    other[20:60, 20:160] = 30
    assert alike(chart, letters)
    assert not alike(chart, other)
    assert not alike(chart, chart[:90])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_holds_no_key_and_no_path_of_a_machine(path: Path) -> None:
    text = path.read_text()
    assert "secret-key" not in text.lower().replace("secret_key", "")
    assert "/home/" not in text
    assert "/tmp/" not in text
