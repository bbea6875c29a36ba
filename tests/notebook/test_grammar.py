"""What one types → what it says: the table of the language."""

from __future__ import annotations

from typing import Any

import pytest

from cs_magic.notebook.grammar import asks, parse, parse_cell
from cs_magic.notebook.statements import Statement, Value, quoted


def said(statement: Statement) -> dict[str, Any]:
    """A statement without its columns; a Python value is its path, text is text."""
    parts = {
        "command": statement.command,
        "arguments": {one.name: meant(one.value) for one in statement.arguments},
        "words": [meant(value) for value in statement.words],
        "options": [
            option.name if value is None else (option.name, meant(value))
            for option, value in statement.options
        ],
        "target": statement.target,
        "silent": statement.silent,
    }
    return {name: part for name, part in parts.items() if part}


def meant(value: Value) -> str | tuple[str | int, ...]:
    return value.path or value.text


def says(command: str = "listZones", **parts: Any) -> dict[str, Any]:
    return {"command": command, **parts}


def zones(**arguments: Any) -> dict[str, Any]:
    return says(arguments=arguments)


LINES = {
    # commands and parameters
    "listZones": says(),
    "  listZones\t": says(),
    "LISTZONES": says("LISTZONES"),
    "listZones name=a": zones(name="a"),
    "listZones name=a zoneType=b": zones(name="a", zoneType="b"),
    "listZones\u00a0name=a\u3000id=b": zones(name="a", id="b"),
    "listZones\nname=a\n\tid=b": zones(name="a", id="b"),
    "listZones tags.env=prod": says(arguments={"tags.env": "prod"}),
    "listZones tags[0].key=a tags[0].value=b": says(
        arguments={"tags[0].key": "a", "tags[0].value": "b"}
    ),
    # values
    "listZones name=": zones(name=""),
    "listZones name= id=b": zones(name="", id="b"),
    "listZones name=''": zones(name=""),
    "listZones name=a=b=c": zones(name="a=b=c"),
    "listZones name=a,b": zones(name="a,b"),
    "listZones name=a-$b": zones(name="a-$b"),
    "listZones name=a#b": zones(name="a#b"),
    "listZones name=a?b": zones(name="a?b"),
    "listZones name=-h": zones(name="-h"),
    "listZones name=it's": zones(name="it's"),
    "listZones name=漢字😀": zones(name="漢字😀"),
    "listZones name=a;b": zones(name="a;b"),
    "listZones url=http://a/?b=c&d=e#f": zones(url="http://a/?b=c&d=e#f"),
    "listZones name='two words'": zones(name="two words"),
    "listZones name='say \"a\"'": zones(name='say "a"'),
    'listZones name="say \\"a\\""': zones(name='say "a"'),
    'listZones name="it\'s"': zones(name="it's"),
    'listZones name="a\\\\b"': zones(name="a\\b"),
    'listZones name="a\\nb"': zones(name="a\\nb"),
    "listZones name='a\\b'": zones(name="a\\b"),
    "listZones name='a # b'": zones(name="a # b"),
    "listZones name='a;'": zones(name="a;"),
    "listZones name='two\nlines'": zones(name="two\nlines"),
    "listZones name='-h' id=\"$x\"": zones(name="-h", id="$x"),
    "listZones name='“a”'": zones(name="“a”"),
    # Python values
    "listZones id=$zone": zones(id=("zone",)),
    "listZones id={zone}": zones(id=("zone",)),
    "listZones id=$größe_2": zones(id=("größe_2",)),
    "listZones id=$zone.id": zones(id=("zone", ".id")),
    "listZones id={zone.id}": zones(id=("zone", ".id")),
    "listZones id=$a.b.c[0].d": zones(id=("a", ".b", ".c", 0, ".d")),
    "listZones id=$ids[0]": zones(id=("ids", 0)),
    "listZones id=$ids[-1]": zones(id=("ids", -1)),
    "listZones id=$ids[ 12 ]": zones(id=("ids", 12)),
    'listZones id=$row["a b"]': zones(id=("row", "[a b")),
    "listZones id=$row['name'][0]": zones(id=("row", "[name", 0)),
    "listZones id={row['name']}": zones(id=("row", "[name")),
    "listZones name='$zone'": zones(name="$zone"),
    'listZones name="{zone}"': zones(name="{zone}"),
    "listZones name=$5": zones(name="$5"),
    "listZones name=$": zones(name="$"),
    "listZones name={}": zones(name="{}"),
    'listZones name={"a":1}': zones(name='{"a":1}'),
    # options
    "-q listZones": says(options=["quiet"]),
    "-n 5 listZones": says(options=[("limit", "5")]),
    "-n=5 listZones": says(options=[("limit", "5")]),
    "--limit 5 listZones": says(options=[("limit", "5")]),
    "--limit=5 listZones": says(options=[("limit", "5")]),
    "-n $n listZones": says(options=[("limit", ("n",))]),
    "-c nic.0.ipaddress,name listZones": says(options=[("columns", "nic.0.ipaddress,name")]),
    "-c 'a, b' listZones": says(options=[("columns", "a, b")]),
    "--columns={cols} listZones": says(options=[("columns", ("cols",))]),
    "-o raw -v --own --text --no-check listZones": says(
        options=[("output", "raw"), "verbose", "own", "text", "no-check"]
    ),
    "--dry-run --tb -h listZones": says(options=["dry-run", "tb", "help"]),
    # targets, semicolons, comments
    "zones << listZones": says(target="zones"),
    "zones<<listZones": says(target="zones"),
    "-q zones << -n 5 listZones": says(options=["quiet", ("limit", "5")], target="zones"),
    "größe << listZones": says(target="größe"),
    "match << listZones": says(target="match"),
    "listZones;": says(silent=True),
    "listZones ; ": says(silent=True),
    "listZones name=a;": {**zones(name="a"), "silent": True},
    "listZones name=;": {**zones(name=""), "silent": True},
    "listZones name='a';": {**zones(name="a"), "silent": True},
    "listZones id=$zone.id;": {**zones(id=("zone", ".id")), "silent": True},
    "listZones name=a; # why": {**zones(name="a"), "silent": True},
    "listZones # name=b": says(),
    "listZones name='a' # it's": zones(name="a"),
    "# first\nlistZones # then\n# and\nname=a": zones(name="a"),
    # our own words
    "use demo": says("use", words=["demo"]),
    "-q use $profile;": says("use", words=[("profile",)], options=["quiet"], silent=True),
    "LAST": says("LAST"),
    "vms << last": says("last", target="vms"),
}


@pytest.mark.parametrize("text", LINES)
def test_a_line_says(text):
    assert said(parse(text)) == LINES[text]


@pytest.mark.parametrize("text", LINES)
def test_a_statement_written_out_says_the_same(text):
    assert said(parse(str(parse(text)))) == LINES[text]


@pytest.mark.parametrize("text", LINES)
def test_blanks_and_a_comment_around_it_change_nothing(text):
    assert said(parse(f"# before\n \t {text} \n # after")) == LINES[text]


def test_every_part_knows_where_it_stands():
    statement = parse("-n $n vms << listVirtualMachines zoneid=$zone.id name='a b'")
    zoneid, name = statement.arguments
    [(_, limit)] = statement.options
    places = [limit.column, statement.column, zoneid.column, zoneid.value.column, name.value.column]
    assert [statement.text[place:][:2] for place in places] == ["$n", "li", "zo", "$z", "'a"]


CELLS = {
    "one call": ("", "listZones\n", [says()]),
    "one call per line": ("", "listZones\nlistHosts", [says(), says("listHosts")]),
    "options for all": (
        "-q",
        "listZones\n-n 5 listHosts",
        [says(options=["quiet"]), says("listHosts", options=["quiet", ("limit", "5")])],
    ),
    "an indented line goes on": (
        "",
        "listZones\n  name=a\n\tid=b\nlistHosts",
        [zones(name="a", id="b"), says("listHosts")],
    ),
    "a body that is indented as a whole": (
        "",
        "    listZones\n      name=a\n    listHosts",
        [zones(name="a"), says("listHosts")],
    ),
    "comments and empty lines between": (
        " # all",
        "\n# one\nlistZones # here\n  # two\n\n  name=a\n  \n# three\nlistHosts;\n",
        [zones(name="a"), says("listHosts", silent=True)],
    ),
    "a quote over two lines": ("", "listZones name='a\n  b'", [zones(name="a\n  b")]),
    "only a line feed ends a line": (
        "",
        "listZones name='a\u2028b\x0cc'\r\n",
        [zones(name="a\u2028b\x0cc")],
    ),
    "targets": (
        "",
        "a << listZones\nb << listHosts id=$a.id",
        [says(target="a"), says("listHosts", arguments={"id": ("a", ".id")}, target="b")],
    ),
    "a command on the first line": (
        "-q zones << listZones",
        "# which\nname=a\nid='b c'\n",
        [says(options=["quiet"], target="zones", arguments={"name": "a", "id": "b c"})],
    ),
    "a target on the first line": ("zones <<", "listZones", [says(target="zones")]),
    "a body of nothing for a command": ("listZones", "\n", [says()]),
}


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_says(name):
    line, body, expected = CELLS[name]
    assert [said(one) for one in parse_cell(line, body)] == expected


@pytest.mark.parametrize(
    ("line", "name", "answer"),
    [
        ("-h", "help", True),
        ("--help", "help", True),
        ("-q -h", "help", True),
        ("-h --no-such", "help", True),
        ("--tb listZones foo", "tb", True),
        ("-c -h listZones", "help", False),
        ("listZones name=-h", "help", False),
        ("listZones -h", "help", False),
        ("--no-such -h", "help", False),
        ("", "help", False),
    ],
)
def test_an_option_is_asked_for_even_where_the_rest_is_wrong(line, name, answer):
    assert asks(line, name) is answer


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Running", "Running"),
        ("nic.0.ip", "nic.0.ip"),
        ("two words", '"two words"'),
        ("", '""'),
        ('say "a"\\', '"say \\"a\\"\\\\"'),
        ("$name", '"$name"'),
        ("-h", '"-h"'),
        ("what?", '"what?"'),
        ("“a", '"“a"'),
    ],
)
def test_quotes_stand_only_where_they_are_needed(text, expected):
    assert quoted(text) == expected
