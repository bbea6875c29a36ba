"""Where a cursor stands in a text that may be unfinished."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_magic.notebook.pieces import Place, typed_at


def place(marked: str) -> Place | None:
    cell, before = marked.replace("▲", ""), marked.partition("▲")[0]
    line, column = before.count("\n"), len(before.rpartition("\n")[2])
    typed = typed_at(cell, line, column)
    return None if typed is None else typed.place()


@pytest.mark.parametrize(
    ("marked", "kind", "fragment", "of"),
    [
        ("%cs ▲", "command", "", ""),
        ("%cs list▲Zones", "command", "list", ""),
        ("%cs -▲", "option", "-", ""),
        ("%cs -c ▲", "taken", "", "columns"),
        ("%cs --columns=na▲", "taken", "na", "columns"),
        ("%cs -c 'a b▲", "taken", "'a b", "columns"),
        ("%cs -q ▲", "command", "", ""),
        ("%cs vms <<▲", "command", "", ""),
        ("%cs use pro▲", "word", "pro", ""),
        ("%cs listZones ▲", "parameter", "", ""),
        ("%cs listZones na▲", "parameter", "na", ""),
        ("%cs listZones name=▲", "value", "", "name"),
        ("%cs listZones name='two wor▲", "value", "'two wor", "name"),
        ("%cs listZones name='it' ▲", "parameter", "", ""),
        ("%cs listZones tags.env=▲", "value", "", "tags.env"),
        ("%cs listZones # why ▲", "comment", "", ""),
        ("%cs listZones name=a#b▲", "value", "a#b", "name"),
        ("%%cs\nlistZones # why\n  ▲", "parameter", "", ""),
    ],
)
def test_the_part_at_the_cursor_is_known(marked, kind, fragment, of):
    found = place(marked)
    assert (found.kind, found.fragment, found.of) == (kind, fragment, of)


@pytest.mark.parametrize(
    ("marked", "command", "arguments"),
    [
        ("%cs -c ▲ listHosts type=Routing", "listHosts", {"type": "Routing"}),
        ("%cs listHosts ▲ type=Routing", "listHosts", {"type": "Routing"}),
        ("%cs listHosts Type=Routing ▲", "listHosts", {"type": "Routing"}),
        ("%cs listHosts type='a b' na▲me=x state=Up", "listHosts",
         {"type": "'a b'", "state": "Up"}),
        ("%%cs\nlistZones name=a\nlistHosts ▲\n  state=Up", "listHosts", {"state": "Up"}),
        ("%%cs listHosts\nstate=Up\n▲\ntype=Routing", "listHosts",
         {"state": "Up", "type": "Routing"}),
    ],
)  # fmt: skip
def test_what_stands_before_and_behind_belongs_to_it(marked, command, arguments):
    found = place(marked)
    assert (found.command, found.arguments) == (command, arguments)


def test_the_options_of_a_cell_are_those_of_each_call_and_a_calls_own_win():
    marked = "%%cs -p one\nlistZones\n-p two listHosts ▲"
    assert place(marked).options == {"profile": "two"}
    assert place(marked.replace("-p two ", "")).options == {"profile": "one"}


@pytest.mark.parametrize(
    "marked",
    [
        "▲%cs x", "%▲cs x", "%cs▲ x", "x = 1▲", "print('%cs ▲')", "d['x = %cs ▲", "# x = %cs ▲",
        "f(a = %cs ▲", "a == %cs ▲", "%%bash\n%cs ▲", "%%css ▲", "%css ▲", "\n▲\n%%cs\nx",
    ],
)  # fmt: skip
def test_what_is_no_call_of_ours_has_no_place(marked):
    assert place(marked) is None


SHARDS = st.lists(
    st.sampled_from(
        ["%cs ", "%%cs ", "x = ", "listZones ", "name=", "-c ", "--x=", "'", '"', "$a.b", "{", "<<",
         "#", ";", "\\\n", "\n", "\n  ", "a,b", "@f", "=", " ", "use ", "ü", "??"]
    ),
    max_size=14,
)  # fmt: skip


@given(shards=SHARDS, share=st.floats(0, 1))
def test_no_text_and_no_cursor_is_too_much_and_the_fragment_stands_before_the_cursor(shards, share):
    text = "".join(shards)
    cursor = int(share * len(text))
    found = place(f"{text[:cursor]}▲{text[cursor:]}")
    joined = text[:cursor].replace("\\\n", "  ")
    assert found is None or joined.endswith(found.fragment)
