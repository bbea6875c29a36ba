"""Every notebook runs, top to bottom, against the demo cloud, and is saved with its outputs."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
import pytest

sys.path.insert(0, str(Path(__file__).parent / "tools"))

from notebooks import executed, steady

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


def outputs(notebook: nbformat.NotebookNode) -> list[list[tuple[str, str]]]:
    """What each cell shows, as text; a picture by its kind only."""
    return [
        [
            (
                output.output_type,
                steady(
                    output.get("text") or output.get("evalue") or output.data.get("text/plain", "")
                ),
            )
            for output in cell.outputs
        ]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_what_it_was_saved_with(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CS_MAGIC_CATALOGUE", "fresh")  # the server's, and nothing on disk
    saved = nbformat.read(path, as_version=4)
    assert outputs(executed(path)) == outputs(saved)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_holds_no_key_and_no_path_of_a_machine(path: Path) -> None:
    text = path.read_text()
    assert "secret-key" not in text.lower().replace("secret_key", "")
    assert "/home/" not in text
    assert "/tmp/" not in text
