"""Runs the notebooks that are reports, with parameters, as papermill does at night."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib import rc_context
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook
from replay import JSON, Replay, Step, accounts, steps

sys.path.insert(0, str(Path(__file__).parent / "tools"))

from cs_magic.demo.data.world import World
from notebooks import ROOT, run

FOLDER = ROOT / "notebooks"
REPORTS = sorted(path.stem for path in FOLDER.glob("1*.ipynb"))
GIB = 1024**3


def report(name: str, where: Path, **parameters: Any) -> Any:
    """A report's notebook after it ran in a folder."""
    notebook = load_notebook_node(str(FOLDER / f"{name}.ipynb"))
    return run(parameterize_notebook(notebook, parameters), where)


def cells(shell: Any, name: str, **parameters: Any) -> Iterator[Any]:
    """What came of each cell of a report that runs in this process, up to one that fails.

    Much sooner than in a kernel; what it writes goes below the working directory.
    """
    notebook = parameterize_notebook(load_notebook_node(str(FOLDER / f"{name}.ipynb")), parameters)
    with rc_context({"backend": "agg"}), pd.option_context("display.float_format", None):
        for cell in notebook.cells:
            if cell.cell_type == "code":
                ran = shell.run(cell.source)
                yield ran
                if ran.error is not None:
                    return


def made(command: str, *rows: dict[str, Any]) -> Step:
    """A reply with these rows, in a recorded one's wrapping."""
    like = steps("G-counts/01-count-listZones")[0]
    key = command.removeprefix("list").removesuffix("s").lower()
    body = json.dumps({f"{command.lower()}response": {"count": len(rows), key: rows}})
    return replace(like, command=command, parameters=(), body=body.encode())


def texts(notebook: Any) -> str:
    """All that the notebook shows, as text."""
    return "\n".join(
        str(output.get("text") or output.get("data", {}).get("text/plain", ""))
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )


def sheet(path: Path, name: str) -> pd.DataFrame:
    """A sheet of the file that a report wrote."""
    return pd.read_excel(path, sheet_name=name)


def world() -> World:
    """What the demo cloud of the notebooks is made from."""
    return World()


def owner(item: Any) -> tuple[str, str]:
    """The path of the domain and the account, or the project, that owns a thing of the demo."""
    whose = item.owner
    name = f"{whose.project.name} (project)" if whose.project else whose.name
    return whose.domain.path, name


class Some(Replay):
    """Replays the steps it was given; every other list is empty, as CloudStack prints one."""

    def answer(self, form: dict[str, str]) -> tuple[int, dict[str, Any], bytes]:
        """Status, headers and body for a request."""
        command = form.get("command", "")
        if command in self._steps or not command.startswith("list"):
            return super().answer(form)
        self.requests.append(form)
        return 200, JSON, json.dumps({f"{command.lower()}response": {}}).encode()


@contextmanager
def replayed(*given: Step) -> Iterator[Some]:
    """A cloud with these recorded lists and nothing else, as the environment's profile."""
    with Some(*given) as server:
        names = {"CLOUDSTACK_ENDPOINT": server.endpoint, "CS_MAGIC_CATALOGUE": "bundled"}
        keys = accounts()["admin"]
        names |= {"CLOUDSTACK_KEY": keys["apikey"], "CLOUDSTACK_SECRET": keys["secretkey"]}
        before = dict(os.environ)
        os.environ |= names
        try:
            yield server
        finally:
            os.environ.clear()
            os.environ.update(before)
