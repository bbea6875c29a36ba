"""`python -m cs_magic.report NOTEBOOK`: run a notebook where nobody watches, and keep its page.

It is papermill that runs it, with parameters, and nbconvert that makes the page.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cs_magic.api.masks import names_a_secret

WHOLE, FAILED, WRONG, INCOMPLETE = 0, 1, 2, 3
_LONGEST = 300


def main(words: Sequence[str] | None = None) -> int:
    """Run the notebook: 0 where it is whole, 1 where a cell failed, 3 where a list was not
    complete, 2 where it can't begin. What it says fits on a line each."""
    options = _parser().parse_args(words)
    try:
        import nbconvert  # noqa: F401
        import papermill
    except ImportError as error:
        return _wrong(f"{error.name} is missing: pip install 'cs-magic[reports]'")
    secret = next(
        (name for name, _ in options.parameters if names_a_secret(name.replace("_", ""))), None
    )
    if secret is not None:
        return _wrong(f"{secret} would stand in the notebook that is kept: secrets come from the"
                      " environment, the keyring or a profile's file")  # fmt: skip
    if not options.notebook.is_file():
        return _wrong(f"there is no notebook {options.notebook}")
    kept = options.output / options.notebook.name
    kept.parent.mkdir(parents=True, exist_ok=True)
    parameters = {name: _value(text) for name, text in options.parameters}
    code = WHOLE
    with _incomplete("allow" if options.allow_incomplete else "fail"):
        try:
            papermill.execute_notebook(
                str(options.notebook), str(kept), parameters, language="python", progress_bar=False
            )
        except papermill.exceptions.PapermillExecutionError as error:
            code = INCOMPLETE if error.ename == "Incomplete" else FAILED
            first = next(iter(str(error.evalue).splitlines()), "")[:_LONGEST]
            _say(f"{options.notebook}, cell [{error.exec_count}]: {error.ename}: {first}")
    page = _page(kept)
    sys.stdout.write(f"{kept}\n{page}\n")
    return code


def _page(kept: Path) -> Path:
    """The notebook as it came out, as HTML beside it; pictures are in it."""
    from nbconvert import HTMLExporter

    body, _ = HTMLExporter(embed_images=True).from_filename(str(kept))
    page = kept.with_suffix(".html")
    page.write_text(body, encoding="utf-8")
    return page


def _value(text: str) -> Any:
    """`3`, `true` and `[1, 2]` as what they are in JSON; anything else as text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


@contextmanager
def _incomplete(word: str) -> Iterator[None]:
    """Tell the kernel, by its environment, what becomes of a list that is not complete."""
    from cs_magic.notebook.unattended import VARIABLE

    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = word
    try:
        yield
    finally:
        del os.environ[VARIABLE]
        if before is not None:
            os.environ[VARIABLE] = before


def _wrong(problem: str) -> int:
    _say(problem)
    return WRONG


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cs_magic.report",
        description="Run a notebook where nobody watches, and keep it and its page.",
        epilog="Ends with 0: whole; 1: a cell failed; 2: it could not begin; 3: a list was not"
        " complete. Secrets come from the environment, the keyring or a profile's file.",
    )
    parser.add_argument("notebook", type=Path)
    parser.add_argument(
        "-p", dest="parameters", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"),
        help="a parameter of the notebook; again for each",
    )  # fmt: skip
    parser.add_argument("-o", "--output", type=Path, default=Path("build"), metavar="FOLDER",
                        help="where the notebook and its page go (build)")  # fmt: skip
    parser.add_argument("--allow-incomplete", action="store_true",
                        help="rows that came of a list that broke off will do")  # fmt: skip
    return parser


if __name__ == "__main__":
    sys.exit(main())
