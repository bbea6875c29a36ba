"""A `%cs` that fails: one short error, the cell fails, and nothing is lost or half done."""

from __future__ import annotations

from dataclasses import replace

import IPython
import pytest
from replay import Replay, environment, steps

from cs_magic.errors import ApiError, CallError, Incomplete, ProfileError


def test_without_a_profile_the_error_says_what_to_set(notebook):
    error = notebook.run("%cs listZones").error
    assert type(error) is ProfileError
    assert "%cs use demo" in error.hints[-1]


def test_a_wrong_call_fails_the_cell_and_keeps_the_old_value(notebook, cloud):
    for cell in ("vms = %cs listVirtualMachines nme=a", "%cs vms << listVirtualMachines nme=a"):
        ran = notebook.run(cell, vms="old")
        assert type(ran.error) is CallError
        assert notebook.names["vms"] == "old"
        assert ran.outputs == []
    assert cloud.requests == []


def test_a_refusal_is_in_cloudstacks_words_and_keeps_the_old_value(notebook, cloud):
    ran = notebook.run("vms = %cs --no-check listFoos", vms="old")
    assert isinstance(ran.error, ApiError)
    assert ran.error_lines[:2] == [
        "Unauthorized: unable to verify user credentials and/or request signature",
        "  listFoos: errorcode 401",
    ]
    assert notebook.names["vms"] == "old"


WRONG_CALLS = {
    "%cs listVirtualMachines tempalteid=1": (
        "listVirtualMachines has no parameter tempalteid: did you mean templateid?"
    ),
    "%cs listZones nme=a": "listZones has no parameter nme: did you mean name?",
    "%cs listZones signature=a": "signature is set by cs_magic itself: leave it out",
    "%cs listZones apikey=a": "apikey is a secret: typed here it would be saved",
    "%cs listZones id=$nope": "nope is not defined",
    "%cs stopVirtualMachine": "stopVirtualMachine needs id",
    "%cs -c nosuch listZones": "There is no column nosuch",
    "%cs -c name,nmae listHosts": "There is no column nmae: did you mean name?",
    "%cs -n 0 listZones": "--limit takes a number from 1, not 0",
    "%cs -o csv listZones": "--output takes df, raw, csv:PATH",
    "%cs createUser password=hunter2": "password is a secret",
    "%cs use": "use takes the name of a profile: %cs use demo",
    "%cs use a b": "use takes no b",
    "%cs last 5": "last takes no 5",
    "%cs x << use env": "use gives nothing that a variable could keep",
    "%cs": "There is no command",
    "%cs # nothing": "There is no command",
    "%cs vms = listZones": "= is not parameter=value",
}


@pytest.mark.parametrize("cell", WRONG_CALLS)
def test_a_wrong_call_is_one_short_error_and_nothing_is_sent(notebook, cloud, cell):
    ran = notebook.run(cell)
    first, *rest = ran.error_lines
    assert first.startswith(f"CallError: {WRONG_CALLS[cell]}")
    assert ran.error.__context__ is None
    assert cell.split() == ["%cs"] or any(line.strip() == "^" for line in rest) or "# n" in cell
    assert "Traceback" not in ran.printed
    assert "hunter2" not in ran.printed
    assert cloud.requests == []


def test_a_column_is_pointed_to_where_it_stands(notebook, cloud):
    error = notebook.run("%cs -c name,nmae listHosts").error
    assert (error.text, error.column) == ("-c name,nmae listHosts", len("-c name,"))


@pytest.mark.parametrize(
    "cell",
    [
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    %cs listZones nope=1",
        "try:\n    raise ExceptionGroup('x', [OSError()])\n"
        "except ExceptionGroup:\n    %cs listZones nope=1",
        "try:\n    1 / 0\nfinally:\n    %cs listZones nme=a",
    ],
)
def test_inside_an_except_block_it_is_still_one_short_error(notebook, cloud, cell):
    ran = notebook.run(cell)
    assert type(ran.error) is CallError
    assert ran.error.__context__ is None
    assert ran.printed.splitlines() == ran.error_lines


def test_a_list_that_breaks_off_fails_the_cell_and_last_has_what_came(notebook, monkeypatch):
    first, second, *_ = steps("D-paging/03-vms-pages-of-50")
    lost = replace(second, status=530, body=steps("F-shapes/104-unicode-round-trip")[3].body)
    with Replay(first, lost, largest=50) as broken:
        for name, value in environment(broken).items():
            monkeypatch.setenv(name, value)
        ran = notebook.run("vms = %cs listVirtualMachines", vms="old")
    assert type(ran.error) is Incomplete
    assert "listVirtualMachines broke off" in ran.error_lines[0]
    assert "50 rows" in ran.error_lines[0]
    assert notebook.names["vms"] == "old"
    last = notebook.fine("%cs last").result
    assert (len(last), last.attrs["cs"]["complete"]) == (50, False)
    assert ran.error.result.equals(last)


@pytest.mark.parametrize(
    "cell",
    [
        "%cs --tb listZones nope=1",
        "%cs --tb listZones foo",
        "%%cs --tb\nlast 5",
        "%%cs\n--tb last 5",
    ],
)
def test_tb_shows_the_whole_traceback(notebook, cloud, cell):
    ran = notebook.run(cell)
    assert "Traceback (most recent call last)" in ran.printed
    assert "CallError" in ran.printed
    assert not hasattr(ran.error, "_render_traceback_")


@pytest.mark.parametrize("cell", ["%cs listZones nme=a", "%cs --tb listZones nme=a"])
def test_what_to_try_is_shown_once_with_and_without_the_traceback(notebook, cloud, cell):
    printed = notebook.run(cell).printed
    assert printed.count("--no-check sends it as typed") == 1
    carets = [line for line in printed.splitlines() if "^" in line]
    assert carets == [" " * (cell.index("nme") - 2) + "^"]


@pytest.mark.skipif(IPython.version_info < (9,), reason="IPython 8's own frame shows them all")
@pytest.mark.parametrize("cell", ["%cs --tb nope", "%%cs --tb\nnope", "%cs --tb listZones id=$no"])
def test_a_verbose_traceback_shows_nothing_of_the_users_names(notebook, cloud, cell):
    notebook.fine("Aaa = 'tell-' + 'tale'\n%xmode Verbose")
    try:
        ran = notebook.run(cell)
    finally:
        notebook.fine("%xmode Context")
    assert "Traceback (most recent call last)" in ran.printed
    assert "Runner" in ran.printed
    assert "tell-tale" not in ran.printed
    assert "__builtin" not in ran.printed


def test_a_failed_call_keeps_no_frames_and_no_rows(notebook, cloud):
    notebook.run("%cs listZones nope=1")
    runner = notebook.shell.magics_manager.registry["CloudStackMagics"].runner
    assert type(runner.desk.failed) is str
    assert "has no parameter nope" in runner.desk.failed


MEANT = {
    "stauts": "did you mean status?",
    "uses demo": "did you mean use?",
    "profils": "did you mean profiles?",
    "lats": "did you mean last?",
    "list zones": "did you mean listZones?",
    "hepl listZones": "did you mean help?",
    "listZonse foo": "did you mean listZones?",
    "-q -n 5 listZonse foo": "did you mean listZones?",
}


@pytest.mark.parametrize("text", MEANT)
@pytest.mark.parametrize("before", ["%cs ", "%%cs\n"])
def test_an_unknown_command_is_said_before_its_parameters_and_our_words_are_meant(
    notebook, cloud, before, text
):
    ran = notebook.run(before + text)
    assert type(ran.error) is CallError
    assert MEANT[text] in ran.error_lines[0]
    assert cloud.requests == []


def test_an_unknown_command_needs_no_profile_to_be_told(notebook):
    assert "did you mean listZones" in notebook.run("%cs list zones").error_lines[0]


def test_no_check_leaves_the_command_alone(notebook, cloud):
    assert notebook.run("%cs --no-check stauts foo").error.message == "foo is not parameter=value"


def test_an_option_without_a_value_is_said_as_an_option(notebook, cloud):
    error = notebook.run("%cs -n $n listZones", n=None).error
    assert error.lines()[0] == "CallError: --limit needs a value: $n is None"
    assert "vanish" not in str(notebook.run("%cs -p $n listZones", n="").error)
