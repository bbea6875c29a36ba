"""The order of the modules, lowest first, and who may import which library.

A new module fails here until someone says where it belongs.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "cs_magic"

# A module imports only from rows above its own, never from its own row.
ROWS = (
    "errors  api.signing  api.masks  api.checks  api.nearest  api.completeness  api.kinds"
    "  api.met  api.unbroken  api.at_rest  api.gate  api.lenient",
    "api.values",
    "api.elsewhere",
    "api.envelope  api.credentials  api.columns  api.wire  api.catalogue",
    "api.settling  api.hiding  api.seen  api.structs  api.sight  api.job",
    "api.profile  api.records  api.apis  api.checking  api.asked  api.named  api.traces"
    "  api.details  api.spelling",
    "api.formats",
    "api.sources",
    "api.settings",
    "api.foreign",
    "api.profiles",
    "api.tls  api.proxies",
    "api.trouble  api.sockets",
    "api.transport  api.ahead",
    "api.login  api.until",
    "api.sessions",
    "api.access",
    "api.client",
    "api.came  api.shelf  api.jobs  api.pagesize",
    "api.pages",
    "api.catalogues  api.lookups  api.turns",
    "api.names  api.many  api.united",
    "api.outcomes",
    "frames  comparison",
    "parquet  sheets  alone  closing",
    "files",
    "connection  parts  older",
    "opening  following  resuming  at_once",
    "streaming  several",
    "notebook.vocabulary",
    "notebook.statements",
    "notebook.characters",
    "notebook.scanner",
    "notebook.grammar",
    "notebook.arguments  notebook.shown  notebook.pieces  notebook.enumerated  notebook.paths"
    "  notebook.variables  notebook.related",
    "notebook.known  notebook.matching  notebook.profiles  notebook.tables",
    "notebook.candidates",
)
AFTER_THE_DEMO = (
    "embedded",
    "clouds  notebook.connections  notebook.asking",
    "verify.findings",
    "verify.clocks  verify.signing  verify.trip  verify.report",
    "verify.lists",
    "verify.run",
    "verify.__main__",
    "notebook.progress  notebook.prompts",
    "notebook.jobs  notebook.many  notebook.streamed",
    "notebook.stopped  notebook.watching",
    "notebook.login_form",
    "notebook.signing_in",
    "notebook.words  notebook.helping",
    "notebook.desk",
    "notebook.unattended",
    "notebook.calling",
    "notebook.going_on  notebook.several",
    "notebook.runner",
    "notebook.magics",
    "notebook.completion",
    "notebook.extension",
    "ending",
    "report",
    "__init__",
)
# Which modules may import a library; "lazily" inside functions counts too.
ONLY = {
    "requests": {"api.proxies", "api.sockets", "api.transport", "api.trouble"},
    "urllib3": {"api.proxies", "api.sockets", "api.transport", "api.trouble"},
    "truststore": {"api.tls"},
    "tenacity": {"api.client"},
    "pyarrow": {
        "api.values",
        "api.came",
        "api.records",
        "api.columns",
        "api.settling",
        "api.hiding",
        "api.united",
        "frames",
        "files",
        "older",
        "parquet",
        "parts",
        "sheets",
        "streaming",
    },  # in values and came a type only
    "pandas": {
        "frames",
        "comparison",
        "files",
        "connection",
        "clouds",
        "notebook.shown",
        "notebook.tables",
        "notebook.words",
        "notebook.helping",
        "notebook.jobs",
        "notebook.many",
        "notebook.streamed",
    },
    "IPython": {
        "notebook.desk",
        "notebook.runner",
        "notebook.magics",
        "notebook.completion",
        "notebook.extension",
        "notebook.shown",
        "notebook.signing_in",
        "notebook.stopped",
        "notebook.progress",
        "__init__",
    },
    "ipywidgets": {"notebook.login_form"},
    "openpyxl": {"sheets", "files"},
    "cheroot": {"demo.server"},
    "jupyter_client": {"ending", "report"},
}


def modules() -> dict[str, ast.Module]:
    """Every module of the package by its name below cs_magic."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        found[name] = ast.parse(path.read_text())
    return found


def imports(tree: ast.AST) -> Iterator[str]:
    """The modules that a module imports, with what it takes from them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(tree: ast.AST, known: set[str]) -> Iterator[str]:
    """Which of our modules a module imports."""
    for name in imports(tree):
        if name == "cs_magic" or name.startswith("cs_magic."):
            parts = name.split(".")[1:]
            while parts and ".".join(parts) not in known:
                parts.pop()
            yield ".".join(parts) or "__init__"


TREES = modules()
DEMO = {name for name in TREES if name.startswith("demo.") and not name.endswith("__init__")}
RANK = {name: rank for rank, row in enumerate(ROWS) for name in row.split()}
RANK |= {name: 100 for name in DEMO}
RANK |= {name: 200 + rank for rank, row in enumerate(AFTER_THE_DEMO) for name in row.split()}
REAL = {name: tree for name, tree in TREES.items() if name == "__init__" or name in RANK}


def test_every_module_has_its_place() -> None:
    placed = set(RANK) | {name for name in TREES if name.endswith(".__init__")}
    assert set(TREES) - placed == set()
    assert set(RANK) - set(TREES) == set()


@pytest.mark.parametrize("name", sorted(REAL))
def test_a_module_imports_only_from_rows_above_its_own(name: str) -> None:
    for imported in ours(TREES[name], set(TREES)):
        if name in DEMO:
            assert imported in DEMO | {"api.signing"} or imported.startswith("demo"), imported
        elif name == "__init__" and imported in {"clouds", "connection"}:
            continue  # connect(), lazily
        else:
            assert RANK[imported] < RANK[name], f"{name} imports {imported}"


@pytest.mark.parametrize("library", sorted(ONLY))
def test_a_library_is_imported_only_where_it_belongs(library: str) -> None:
    importers = {
        name
        for name, tree in TREES.items()
        if any(one.split(".")[0] == library for one in imports(tree))
    }
    assert importers <= ONLY[library]


DEMO_ORDER = ("data", "cloud", "wire", "logins", "sessions", "protocol", "server", "__main__")


@pytest.mark.parametrize("name", sorted(DEMO))
def test_the_demo_is_built_from_its_data_up(name: str) -> None:
    place = DEMO_ORDER.index(name.split(".")[1])
    for imported in ours(TREES[name], set(TREES)):
        if imported.startswith("demo."):
            assert DEMO_ORDER.index(imported.split(".")[1]) <= place, imported
