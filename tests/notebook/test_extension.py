"""Loading and unloading: silent, light, and nothing is left behind."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

HEAVY = ("pandas", "pyarrow", "requests", "ipywidgets", "cs_magic.demo")

# An audit hook sees what Python itself would not tell: every open file, socket and process.
WATCHED = """
import sys
{before}
seen = []
def hook(event, details):
    if event == "open":
        mode, flags = details[1], details[2]
        if (mode and set(mode) & set("wax+")) or (isinstance(flags, int) and flags & 3):
            seen.append((event, str(details[0])))
    elif event.startswith(("socket.", "subprocess.", "shutil.", "os.")) and event != "os.listdir":
        seen.append((event, str(details)))
sys.dont_write_bytecode = True
before = set(sys.modules)
sys.addaudithook(hook)
{act}
hook_seen = list(seen)
new = set(sys.modules) - before
heavy = sorted(name for name in {heavy!r} if name in new)
assert not hook_seen, hook_seen
assert not heavy, heavy
"""
SHELL = """
from traitlets.config import Config
from IPython.core.interactiveshell import InteractiveShell
config = Config()
config.HistoryManager.enabled = False
shell = InteractiveShell.instance(config=config)
shell.run_cell("pass")
"""


@pytest.mark.parametrize(
    ("before", "act"),
    [
        ("", "import cs_magic"),
        (SHELL, "assert shell.run_cell('%load_ext cs_magic').success"),
        (SHELL, "assert shell.run_cell('%load_ext cs_magic\\n%reload_ext cs_magic').success"),
        (SHELL, "assert shell.run_cell('%load_ext cs_magic\\n%unload_ext cs_magic').success"),
    ],
)
def test_it_is_silent_imports_nothing_heavy_and_touches_no_network_and_no_disk(
    tmp_path, before, act
):
    script = WATCHED.format(before=before, act=act, heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        env={"IPYTHONDIR": str(tmp_path), "HOME": str(tmp_path), "PATH": ""},
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def state(notebook) -> tuple[object, ...]:
    """What a shell knows of magics, settings, hooks and names."""
    shell = notebook.shell
    return (
        sorted(shell.magics_manager.magics["line"]),
        sorted(shell.magics_manager.magics["cell"]),
        sorted(shell.magics_manager.registry),
        [type(one).__name__ for one in shell.configurables],
        {name: list(hooks) for name, hooks in shell.events.callbacks.items()},
        list(shell.input_transformers_cleanup),
        list(shell.input_transformers_post),
        [one.matcher_identifier for one in shell.Completer.custom_matchers],
        [name for name in shell.user_ns if not name.startswith("_")],
        shell.display_formatter.formatters["text/html"].type_printers.copy(),
    )


def test_unloading_leaves_nothing_behind(bare_shell):
    bare_shell.fine("%unload_ext cs_magic")  # IPython makes its own magics when they are used
    before = state(bare_shell)
    bare_shell.fine("%load_ext cs_magic")
    assert state(bare_shell) != before
    bare_shell.fine("%unload_ext cs_magic")
    assert state(bare_shell) == before
    assert "not found" in str(bare_shell.run("%cs -h").error)


def test_loading_again_leaves_nothing_double(notebook):
    loaded = state(notebook)
    for cell in (
        "%reload_ext cs_magic",
        "%unload_ext cs_magic\n%load_ext cs_magic",
        "import cs_magic as ext\next.load_ipython_extension(get_ipython())\ndel ext",
    ):
        notebook.fine(cell)
        assert state(notebook) == loaded
    assert len(notebook.fine("%cs -h").outputs) == 1


def test_a_magic_of_that_name_that_is_not_ours_stays(bare_shell):
    bare_shell.fine("%load_ext cs_magic\ndef cs(line):\n    return 'theirs'")
    bare_shell.fine("get_ipython().register_magic_function(cs, 'line')\n%unload_ext cs_magic")
    assert bare_shell.fine("%cs x").result == "theirs"


def test_unloading_closes_the_connections(notebook, cloud):
    notebook.fine("%cs -q listZones")
    magics = notebook.shell.magics_manager.registry["CloudStackMagics"]
    connection = magics.runner.desk.connections.current()
    notebook.fine("%unload_ext cs_magic")
    assert magics.runner.desk.connections.current() is not connection


def test_the_demo_cloud_ends_with_the_extension(notebook):
    before = set(threading.enumerate())
    notebook.fine("%cs use demo")
    assert len(notebook.fine("%cs -q listZones").result) >= 1
    assert set(threading.enumerate()) - before
    notebook.fine("%unload_ext cs_magic")
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    assert set(threading.enumerate()) - before == set()


def test_reloading_starts_without_a_profile_again(notebook):
    notebook.fine("%cs use demo\n%reload_ext cs_magic")
    assert "There is no profile to use" in notebook.run("%cs listZones").error_lines[0]


def test_reloading_says_which_profile_is_no_longer_in_use(notebook):
    notebook.fine("%cs use demo")
    ran = notebook.fine("%reload_ext cs_magic")
    assert ran.lines == ["demo is no longer in use: %cs use demo"]
    assert notebook.fine("%reload_ext cs_magic").outputs == []
