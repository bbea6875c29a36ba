"""`%cs` in functions, loops, blocks and beside other magics, and what people type oddly."""

from __future__ import annotations

import pytest

PLAN = "%cs -q --dry-run listZones name="


def planned(frame) -> str:
    return frame.parameters[0]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("for name in ['a', 'b']:\n    x = {}$name", "name=b"),
        ("def f(name):\n    x = {}$name\n    return x\nx = f('local')", "name=local"),
        ("def f(name):\n    x = {}$other\n    return x\nx = f('local')", "name=global"),
        ("with open('/dev/null') as f:\n    x = {}$other", "name=global"),
        ("if True:\n    x = {}$other", "name=global"),
        ("try:\n    x = {}$other\nfinally:\n    pass", "name=global"),
        ("%%time\nx = {}$other", "name=global"),
        ("%time x = get_ipython().run_line_magic('cs', '-q --dry-run listZones')", ""),
        ("%%capture\nx = {}$other", "name=global"),
        ("x = %cs -q --dry-run listZones \\\n    name=$other", "name=global"),
        ("x = {}'a'  # comment's", "name=a"),
        ("x = {}a#b", "name=a#b"),
        ("x = {}'$other'", "name=$other"),
        ("x = {}{{other}}", "name=global"),
        ("x = {}'{{other}}'", "name={other}"),
        ('x = {}"it\'s"', "name=it's"),
        ("x = {}a?b", "name=a?b"),
        ("x = {}'what?'", "name=what?"),
        ("x = %cs \t-q --dry-run\tlistZones\tname=a", "name=a"),
        ("x = %cs -q\u00a0--dry-run listZones\u3000name=a", "name=a"),
        ("x = {}漢字", "name=漢字"),
    ],
)
def test_it_works_where_python_does(notebook, cloud, cell, expected):
    notebook.fine("%cs -q --dry-run listHosts")
    notebook.fine(cell.format(PLAN), other="global")
    if notebook.names["x"] is not None:
        assert planned(notebook.names["x"]) == expected
    assert cloud.requests == []


def test_it_works_without_the_percent_sign(notebook, cloud):
    notebook.shell.automagic = True
    assert len(notebook.fine("cs -q listZones").result) == 1


def test_a_frames_own_field_comes_before_what_pandas_calls_so(notebook, cloud):
    notebook.fine("%cs -q vms << listVirtualMachines")
    name = notebook.names["vms"].name[3]
    notebook.fine(f"x = {PLAN}$vms[3].name")
    assert planned(notebook.names["x"]) == f"name={name}"


def test_an_empty_cell_is_answered_by_ipython_and_a_blank_one_by_us(notebook, cloud):
    assert "cell body is empty" in str(notebook.run("%%cs").error)
    for cell in ("%%cs\n\n\n", "%%cs\n# only\n\n  # comments"):
        assert notebook.run(cell).error_lines == ["CallError: There is no call in this cell"]


def test_a_question_mark_at_the_end_is_pythons_and_nothing_is_sent(notebook, cloud):
    assert "not found" in notebook.run("%cs listZones name=sim?").printed
    assert cloud.requests == []
