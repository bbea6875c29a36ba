"""`python -m cs_magic.report NOTEBOOK`: run a notebook where nobody watches, and keep its page.

It is papermill that runs it, with parameters, and nbconvert that makes the page.
"""

from __future__ import annotations

import argparse
import ast
import json
import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cs_magic.api.masks import names_a_secret
from cs_magic.api.nearest import did_you_mean

WHOLE, FAILED, WRONG, INCOMPLETE = 0, 1, 2, 3
_LONGEST = 300
_SECRET_WORDS = frozenset("pw pwd pass auth bearer credential credentials".split())
# Every kernel says at length how safe TCP is, and cron would mail it each night.
_QUIET = ["--log-level=ERROR"]
# A page of ours loads nothing from the internet: it is kept, mailed, and read offline.
_PAGE = """\
{% extends 'lab/index.html.j2' %}
{% block html_head_js_requirejs %}{% endblock %}
{% block html_head_js_mathjax %}{% endblock %}
{% block html_head_js_mermaidjs %}{% endblock %}
"""


class _CannotBegin(Exception):
    """Why the notebook is not run, in one line."""


def main(words: Sequence[str] | None = None) -> int:
    """Run the notebook: 0 where it is whole, 1 where a cell failed, 3 where a list was not
    complete, 2 where it can't begin. What it says fits on a line each."""
    options = _parser().parse_args(words)
    try:
        _check_libraries()
        notebook = _read(options.notebook)
        parameters = _parameters(options, _defaults(options.notebook, notebook))
        kept = _place(options)
        kernel = notebook.metadata.get("kernelspec", {}).get("name", "python3")
        with _incomplete("allow" if options.allow_incomplete else "fail"):
            code = _run(options.notebook, kept, parameters, kernel)
        page = _page(kept, options.code)
    except _CannotBegin as problem:
        _say(str(problem))
        return WRONG
    sys.stdout.write(f"{kept}\n{page}\n")
    return code


def _check_libraries() -> None:
    try:
        import nbconvert  # noqa: F401
        import papermill  # noqa: F401
    except ImportError as error:
        raise _CannotBegin(
            f"{error.name} is missing: pip install '.[reports]' in the folder of cs_magic"
        ) from None


def _read(path: Path) -> Any:
    """The notebook."""
    import nbformat

    if not path.is_file():
        raise _CannotBegin(f"there is no notebook {path}")
    try:
        return nbformat.read(path, as_version=4)
    except OSError as error:
        problem = f"{path} can't be read: {error.strerror or error}"
    # What is no notebook fails in nbformat in many ways.
    except (ValueError, TypeError, KeyError, AttributeError, nbformat.ValidationError):
        problem = f"{path} is not a notebook"
    raise _CannotBegin(problem)


def _defaults(path: Path, notebook: Any) -> dict[str, Any]:
    """The notebook's parameters, with their values where these are literals.

    papermill.inspect_notebook loses a line with a second `=`, as in a comment.
    """
    tagged = (cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ()))
    cell = next(tagged, None)
    found: dict[str, Any] = {}
    try:
        statements = ast.parse(re.sub(r"(?m)^[%!].*", "", cell.source)).body if cell else []
    except SyntaxError as error:
        raise _CannotBegin(f"the parameters of {path} can't be read: {error.msg}") from None
    for statement in statements:
        match statement:
            case ast.Assign(targets=[ast.Name(name)], value=value):
                found[name] = _literal(value)
            case ast.AnnAssign(target=ast.Name(name), value=value):
                found[name] = value and _literal(value)
    return found


def _literal(value: ast.expr) -> Any:
    try:
        return ast.literal_eval(value)
    except ValueError:
        return None


def _parameters(options: argparse.Namespace, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, as the notebook expects it; its files go where the notebook goes."""
    for name, _ in options.parameters:
        if _is_secret(name):
            raise _CannotBegin(
                f"{name} would stand in the notebook that is kept: secrets come from the"
                " environment, the keyring or a profile's file"
            )
        if name not in defaults:
            known = f", it has {', '.join(defaults)}" if defaults else ""
            raise _CannotBegin(
                f"{options.notebook} has no parameter {name}{did_you_mean(name, defaults) or known}"
            )
    given = {name: _value(name, text, defaults[name]) for name, text in options.parameters}
    if "folder" in defaults:
        given.setdefault("folder", str(options.output))
    return given


def _is_secret(name: str) -> bool:
    words = re.split(r"[\W_]+", name.lower())
    return names_a_secret("".join(words)) or not _SECRET_WORDS.isdisjoint(words)


def _value(name: str, text: str, default: Any) -> Any:
    """Text where the notebook has text, a number where it has one; else what it is in JSON."""
    if isinstance(default, str):
        return text
    if isinstance(default, bool):
        if text.lower() not in {"true", "false"}:
            raise _CannotBegin(f"{name} is true or false, not {text}")
        return text.lower() == "true"
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    if isinstance(default, int | float) and (isinstance(value, bool | str | list | dict | None)):
        raise _CannotBegin(f"{name} is a number, not {text}")
    return value


def _place(options: argparse.Namespace) -> Path:
    """Where the notebook is kept, in a folder that is there."""
    kept: Path = options.output / options.notebook.name
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        if kept.resolve() == options.notebook.resolve():
            raise _CannotBegin(
                f"-o {options.output} is the notebook's own folder: it would be lost"
            )
    except OSError as error:
        raise _CannotBegin(
            f"nothing can be kept in {options.output}: {error.strerror or error}"
        ) from None
    return kept


def _run(notebook: Path, kept: Path, parameters: dict[str, Any], kernel: str) -> int:
    """Run it, and say in one line what failed."""
    import papermill
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import DeadKernelError

    from cs_magic.ending import KernelManager

    logging.getLogger("papermill").setLevel(logging.ERROR)  # it doubts parameters that there are
    source, target = (str(path).replace("{", "{{").replace("}", "}}") for path in (notebook, kept))
    try:
        papermill.execute_notebook(
            source, target, parameters, language="python", kernel_name=kernel,
            progress_bar=False, extra_arguments=_QUIET, kernel_manager_class=KernelManager,
        )  # fmt: skip
    except papermill.exceptions.PapermillExecutionError as error:
        first = next(iter(str(error.evalue).splitlines()), "")[:_LONGEST]
        _say(f"{notebook}, cell [{error.exec_count}]: {error.ename}: {first}")
        return INCOMPLETE if error.ename == "Incomplete" else FAILED
    except DeadKernelError:
        _say(f"{notebook}: the kernel died")
        return FAILED
    except NoSuchKernel:
        raise _CannotBegin(f"there is no kernel {kernel}") from None
    except OSError as error:
        raise _CannotBegin(f"{kept} can't be written: {error.strerror or error}") from None
    return WHOLE


def _page(kept: Path, code: bool) -> Path:
    """The notebook as it came out, as HTML beside it; pictures are in it, code where asked."""
    from jinja2 import DictLoader
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        embed_images=True,
        extra_loaders=[DictLoader({"page.html.j2": _PAGE})],
        template_file="page.html.j2",
        exclude_input=not code,
        exclude_input_prompt=not code,
        exclude_output_prompt=not code,
    )
    body, _ = exporter.from_filename(str(kept))
    page = kept.with_suffix(".html")
    page.write_text(body, encoding="utf-8")
    return page


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
                        help="where the notebook, its page and its files go (build)")  # fmt: skip
    parser.add_argument("--code", action="store_true", help="leave the code in the page")
    parser.add_argument("--allow-incomplete", action="store_true",
                        help="rows that came of a list that broke off will do")  # fmt: skip
    return parser


if __name__ == "__main__":
    sys.exit(main())
