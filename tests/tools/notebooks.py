"""Runs notebooks: shows one in the terminal, or saves them with their outputs; pictures pages.

python tests/tools/notebooks.py show NOTEBOOK HTML
python tests/tools/notebooks.py write NOTEBOOK...
python tests/tools/notebooks.py picture NOTEBOOK...
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

NEXT = """\
Next:
  make lab                    the same notebook in JupyterLab, to play with
  %cs use demo                in any notebook of yours: the demo cloud
  CLOUDSTACK_ENDPOINT, CLOUDSTACK_KEY and CLOUDSTACK_SECRET in the environment: your own cloud
"""
PLAIN = "text/plain"
ROOT = Path(__file__).parent.parent.parent
PICTURES = Path("build", "screenshots")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTH = 1000  # about that of a printed page
# The beginnings of the outputs that are wider than their place.
_CUT = """
[...document.querySelectorAll(".jp-OutputArea-output")]
    .filter(shown => shown.scrollWidth > shown.clientWidth)
    .map(shown => shown.innerText.trim().split(/\\s+/).slice(0, 9).join(" "))
"""
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
# What is another one in every run: how long a job took, the id made for it, the demo's port.
_PASSING = re.compile(
    r"(?<= )\d+(\.\d)? s(?= · )"
    r"|(?<=\bjob )[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|(?<=\b127\.0\.0\.1:)\d+"
)


def executed(path: Path, where: Path = ROOT) -> Any:
    """The notebook with fresh outputs, run from top to bottom in a kernel of its own in `where`."""
    return run(nbformat.read(path, as_version=4), where)


def run(notebook: Any, where: Path) -> Any:
    """The notebook, run: what it writes goes below `where`."""
    with tempfile.TemporaryDirectory() as folder:
        # The user's own start-up files and history have no say in a notebook of ours.
        os.environ["IPYTHONDIR"] = folder
        quiet = ["--log-level=ERROR"]  # not every kernel's word about how safe TCP is
        client = NotebookClient(notebook, timeout=300, kernel_name="python3", extra_arguments=quiet)
        client.execute(cwd=str(where))
    for cell in notebook.cells:  # a line that told how far a list is, and was taken away
        if "outputs" in cell:
            cell.outputs = [one for one in cell.outputs if one.get("data", {}).get(PLAIN) != ""]
    return notebook


def steady(shown: str) -> str:
    """A text that was shown, with `…` for what is another one in every run."""
    return _PASSING.sub("…", shown)


def show(path: Path, page: Path) -> None:
    """Run a notebook, print its tables, and write it as a page."""
    sys.stdout.write(f"Running {path} on the demo cloud …\n\n")
    sys.stdout.flush()
    notebook = executed(path)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            sys.stdout.write(f"{cell.source}\n\n")
        elif cell.source.strip():
            sys.stdout.write(_typed(cell.source))
            sys.stdout.writelines(f"{text}\n" for text in map(_text, cell.outputs) if text)
            sys.stdout.write("\n")
    page.parent.mkdir(parents=True, exist_ok=True)
    body, _ = HTMLExporter(embed_images=True).from_notebook_node(notebook)
    page.write_text(body, encoding="utf-8")
    sys.stdout.write(f"{NEXT}\nThe same as a page, with its charts: {page}\n")


def write(path: Path) -> None:
    """Run a notebook and save it with its outputs; nothing in it tells when or how long."""
    notebook = executed(path)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:02d}"
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", ()):
            _make_steady(output)
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    nbformat.write(notebook, path)
    sys.stdout.write(f"{path}\n")


def picture(paths: list[Path]) -> list[str]:
    """The page of each notebook as it is saved, as one long picture; without the internet.

    Returns:
        What is wider than its page, and cut at the right there.

    Raises:
        FileNotFoundError: there is no Chromium.
    """
    from playwright.sync_api import sync_playwright

    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if program is None:
        message = "There is no Chromium: apt-get install chromium"
        raise FileNotFoundError(message)
    PICTURES.mkdir(parents=True, exist_ok=True)
    cut: list[str] = []
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        view = chromium.new_context(viewport={"width": WIDTH, "height": 700}, offline=True)
        for path in paths:
            body, _ = HTMLExporter(embed_images=True).from_filename(str(path))
            html = Path(folder, f"{path.stem}.html")
            html.write_text(body, encoding="utf-8")
            page = view.new_page()
            page.goto(html.as_uri(), wait_until="load")
            for table in page.locator("table[id]").all():  # one that a script fills
                table.wait_for(state="visible")
            kept = PICTURES / f"{path.stem}.png"
            page.screenshot(path=kept, full_page=True)
            cut += (f"{path.stem} cuts {text}" for text in page.evaluate(_CUT))
            page.close()
            sys.stdout.write(f"{kept}\n")
        chromium.close()
    sys.stdout.writelines(f"{line}\n" for line in cut)
    return cut


def _make_steady(output: Any) -> None:
    for name in ("text", "evalue"):
        if name in output:
            output[name] = steady(output[name])
    if "traceback" in output:
        output["traceback"] = [steady(line) for line in output["traceback"]]
    for kind, shown in output.get("data", {}).items():
        if kind.startswith("text/"):
            output["data"][kind] = steady(shown)


def _typed(source: str) -> str:
    return "".join(f"    {line}\n" for line in source.splitlines())


def _text(output: Any) -> str:
    data = output.get("data", {})
    if "image/png" in data:
        return "[a chart: see the page]"
    lines = "\n".join(output.get("traceback", ()))
    return _ESCAPES.sub("", lines or output.get("text") or data.get("text/plain", "")).rstrip()


def main(words: list[str]) -> int:
    try:
        match words:
            case ["show", path, page]:
                show(Path(path), Path(page))
            case ["write", *paths]:
                for path in paths:
                    write(Path(path))
            case ["picture", *paths]:
                picture([Path(path) for path in paths])
            case _:
                sys.stderr.write(__doc__ or "")
                return 2
    except FileNotFoundError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except CellExecutionError as error:
        sys.stderr.write(_ESCAPES.sub("", str(error)))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
