"""Ten thousand lines and cells that nobody would type: nothing but a CallError ever comes."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from cs_magic.errors import CallError
from cs_magic.notebook.grammar import asks, parse, parse_cell
from cs_magic.notebook.statements import Statement, Value
from cs_magic.notebook.vocabulary import OPTIONS, WORDS, Option

PIECES = (
    "listZones listVirtualMachines use last name= name=a id=$x id={x} id=$x.y id=$x['k'] id=$x[0]"
    " tags.env=prod tags[0].key=k -n --limit --limit= -c -q -h --tb --no-such vms << = == ; ;;"
    " ' \" \\ # $ { } ${ [ ] [0 $x. $x[ {x. @ ? ! , . - -- 5 ‘ ” 漢 \u200b \u2028 \x00 \x1b \ud800"
).split(" ")
BLANKS = [" ", "  ", "\t", "\n", "\n  ", "\r\n", "\u00a0", "\x0c", "", ""]
shaped = st.lists(
    st.tuples(st.sampled_from(PIECES), st.sampled_from(BLANKS)).map("".join), max_size=12
).map("".join)
texts = st.one_of(shaped, shaped, st.text(max_size=60))

names = st.text("abcXYZ09_é", min_size=1, max_size=6).filter(lambda name: not name[0].isdigit())
literals = st.text(max_size=12)
paths = st.lists(names | st.integers(-99, 99) | st.sampled_from(["k", "a b", ""]), max_size=3)


def lookup(name: str, steps: list[str | int]) -> Value:
    """A `$name` with items behind it, as it is typed."""
    typed = f"${name}" + "".join(f"[{step!r}]" for step in steps)
    path = [step if isinstance(step, int) else f"[{step}" for step in steps]
    return Value("", (name, *path), typed)


values = literals.map(Value) | st.builds(lookup, names, paths)


def rows(name: str, table: Value) -> Value:
    """`vm=$idle`, the rows of --each."""
    return Value(name, table.path, f"{name}={table.typed}")


def takes(option: Option) -> st.SearchStrategy[Value | None]:
    """What stands behind an option; behind --each the rows, or nothing."""
    if option.name == "each":
        return st.none() | st.builds(rows, names, st.builds(lookup, names, paths))
    return values if option.takes else st.none()


options = st.sampled_from(OPTIONS).flatmap(lambda option: st.tuples(st.just(option), takes(option)))


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, list[tuple[str, Value]]]:
    """A command and parameters, no two of the same name."""
    parameters = (
        names | st.builds("{}.{}".format, names, names) | st.builds("{}[0].k".format, names)
    )
    command = draw(names.filter(lambda name: name.lower() not in WORDS))
    pairs = st.tuples(parameters, values)
    return command, draw(st.lists(pairs, max_size=4, unique_by=lambda pair: pair[0].lower()))


def bare(statement: Statement) -> Statement:
    """A statement without columns, the text, and how its values were typed."""

    def plain(value: Value) -> Value:
        kept = value.bare and not value.text.endswith(";")
        return replace(value, typed="", column=0, bare=kept)

    return replace(
        statement,
        arguments=tuple(
            replace(one, value=plain(one.value), column=0) for one in statement.arguments
        ),
        words=tuple(plain(word) for word in statement.words),
        options=tuple(
            (option, None if value is None else plain(value)) for option, value in statement.options
        ),
        column=0,
        text="",
    )


def assert_points_into_its_text(error: CallError) -> None:
    assert error.lines()[0].startswith("CallError: ")
    assert error.column is None or 0 <= error.column <= len(error.text or "")


@settings(max_examples=5_500, deadline=None, database=None)
@given(texts)
def test_any_line_is_a_statement_or_a_call_error_that_points_into_it(text):
    asks(text, "help")
    try:
        statement = parse(text)
    except CallError as error:
        assert_points_into_its_text(error)
    else:
        assert bare(parse(str(statement))) == bare(statement)


@settings(max_examples=3_500, deadline=None, database=None)
@given(texts, st.lists(texts, max_size=4).map("\n".join))
def test_any_cell_is_statements_or_a_call_error_that_points_into_it(line, body):
    line = line.replace("\n", " ")
    try:
        statements = parse_cell(line, body)
    except CallError as error:
        assert_points_into_its_text(error)
    else:
        assert statements
        assert all(bare(parse(str(one))) == bare(one) for one in statements)


@settings(max_examples=1_000, deadline=None, database=None)
@given(st.lists(options, max_size=3), st.none() | names, calls(), st.booleans())
def test_every_statement_can_be_written_and_is_read_as_the_same(given, target, call, silent):
    command, pairs = call
    written = [*(option_written(*one) for one in given), f"{target} <<" if target else "", command]
    written += [f"{name}={value.written()}" for name, value in pairs]
    statement = parse(" ".join([*written, ";" if silent else ""]))
    assert (statement.command, statement.target, statement.silent) == (command, target, silent)
    assert [(one.name, one.value.path, one.value.text) for one in statement.arguments] == [
        (name, value.path, value.text) for name, value in pairs
    ]
    assert bare(parse(str(statement))) == bare(statement)


def option_written(option, value):
    return f"--{option.name}" if value is None else f"--{option.name} {value.written()}"


def test_long_lines_are_read_in_a_straight_line():
    many = " ".join(f"p{number}='a b'" for number in range(20_000))
    assert len(parse(f"listZones {many};").arguments) == 20_000
    cell = parse_cell("", "listZones name=$x[0].y # why\n" * 20_000)
    assert len(cell) == 20_000
