"""What can't be read: the message, and the column that the caret stands at."""

from __future__ import annotations

import pytest

from cs_magic.errors import CallError
from cs_magic.notebook.grammar import parse, parse_cell

# The ▲ stands before the character that the caret points to; it is not typed.
WRONG = {
    # commands
    "▲": "There is no command",
    "   ▲": "There is no command",
    "-q▲": "There is no command",
    "-q ▲;": "There is no command",
    "vms <<▲": "There is no command",
    "vms << -q  ▲": "There is no command",
    "-n listZones▲": "There is no command",
    "▲name=a": "A command comes before its parameters",
    "--each -y ▲vm=$a stopVirtualMachine id=$vm.id": "A command comes before its parameters",
    "▲state=Running listVirtualMachines": "A command comes before its parameters",
    "▲'listZones'": "'listZones' can't be a command",
    "▲$command": "$command can't be a command",
    "▲vms.x << listZones": "vms.x can't be a command",
    "▲list-zones name=a": "list-zones can't be a command",
    "▲listZones\u200b name=a": "listZones\\u200b can't be a command",
    "▲—limit 5 listZones": "—limit can't be a command",
    "▲for << listZones": "for can't be the name of a variable",
    "-q ▲None << listZones": "None can't be the name of a variable",
    # options
    "▲-z listZones": "There is no option -z",
    "▲- listZones": "There is no option -",
    "-q ▲-- listZones": "There is no option --",
    "▲-n5 listZones": "There is no option -n5: did you mean -n 5?",
    "▲-cname listZones": "There is no option -cname: did you mean -c name?",
    "▲--limt 5 listZones": "There is no option --limt: did you mean --limit?",
    "▲--column name listZones": "There is no option --column: did you mean --columns?",
    "▲--dryrun listZones": "There is no option --dryrun: did you mean --dry-run?",
    "▲-n": "--limit needs N",
    "▲-n ": "--limit needs N",
    "▲-c # which": "--columns needs a,b",
    "▲--limit=": "--limit needs N",
    "▲--limit= listZones": "--limit needs N",
    "▲--limit=;": "--limit needs N",
    "▲-q=yes listZones": "--quiet takes no value",
    "listZones ▲-n 5": "Options come before the command",
    "listZones name=a ▲--limit=5": "Options come before the command",
    "-n 5 ▲last": "last takes no --limit",
    "--dry-run ▲use demo": "use takes no --dry-run",
    # parameters
    "listZones ▲foo": "foo is not parameter=value",
    "listZones name=two ▲words": "words is not parameter=value",
    "listZones ▲name = a": "name is not parameter=value",
    "listZones ▲name =a": "name is not parameter=value",
    "listZones name= ▲a": "a is not parameter=value",
    "vms ▲= listZones": "= is not parameter=value",
    "listZones ▲=a": "=a is not parameter=value",
    "listZones ▲'name'=a": "'name'=a is not parameter=value",
    "listZones ▲$p=a": "$p=a is not parameter=value",
    "listZones ▲-foo=5": "-foo=5 is not parameter=value",
    "listZones ▲; listHosts": "; is not parameter=value",
    "listZones name=a ▲\\": "\\ is not parameter=value",
    "listZones name=a ▲name=b": "name is given twice",
    "listZones name=a ▲NAME=b": "NAME is given twice",
    # values
    "listZones name=▲'a": "The quote is not closed",
    'listZones name=▲"a\\"': "The quote is not closed",
    "-c ▲'name listZones": "The quote is not closed",
    "listZones name='a'▲'b'": "After the closing quote comes a blank",
    "listZones name='it'▲s": "After the closing quote comes a blank",
    "listZones name='a'▲;b": "After the closing quote comes a blank",
    "listZones name=▲“two words”": "“ is no quote here",
    "listZones name=▲‘a’": "‘ is no quote here",
    "listZones id=▲$vms.id()": "$vms.id() is more than a name",
    "listZones id=▲$vms.id.": "$vms.id. is more than a name",
    "listZones id=▲$a-b": "$a-b is more than a name",
    "listZones id=▲$a,$b": "$a,$b is more than a name",
    "listZones id=▲$ids[0:2]": "$ids[0:2] is more than a name",
    "listZones id=▲$ids[i]": "$ids[i] is more than a name",
    "listZones id=▲{a}{b}": "{a}{b} is more than a name",
    "listZones id=▲{zone": "{zone is more than a name",
    "listZones id=▲{a+1}": "{a+1} is more than a name",
    "-n ▲$n+1 listZones": "$n+1 is more than a name",
}


def refused(text: str) -> CallError:
    with pytest.raises(CallError) as caught:
        parse(text)
    return caught.value


@pytest.mark.parametrize("marked", WRONG)
def test_a_wrong_line_is_refused_with_a_caret(marked):
    text, column = marked.replace("▲", ""), marked.index("▲")
    error = refused(text)
    assert str(error).startswith(WRONG[marked])
    if text.strip():
        assert (error.text, error.column) == (text, column)
        assert error.lines()[2] == "  " + " " * len(error.lines()[1][2:][:column]) + "^"


def test_there_are_more_than_forty_of_them():
    assert len(WRONG) > 60


def test_an_empty_line_has_no_caret():
    assert refused("").lines() == [
        "CallError: There is no command",
        "  %cs -h shows how a call is written.",
    ]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("vms = listZones", "A result is kept by NAME << command, or NAME = %cs command."),
        ("listZones name = a", "There is no blank beside the = of parameter=value."),
        ("listZones name=two words", "A value with blanks in it goes into quotes"),
        ("listZones \\\n  name=a", "In a cell an indented line continues the call above it."),
        ("--no-such listZones", "%cs -h lists them."),
    ],
)
def test_a_usual_mistake_is_answered_with_what_to_type(text, hint):
    assert refused(text).hints[0].startswith(hint)


# The first line of a cell is the one that %%cs stands on.
WRONG_CELLS = {
    ("", "listZones\nlistHosts ▲foo"): "line 3: foo is not parameter=value",
    ("", "listZones\n  name=a\n  ▲name=b\nlistHosts"): "line 4: name is given twice",
    ("", "listZones name=▲'a\nlistHosts"): "line 2: The quote is not closed",
    ("", "# one\n\n▲name=a\nlistHosts"): "line 4: A command comes before its parameters",
    ("", "listZones\n▲-z listHosts"): "line 3: There is no option -z",
    ("listZones", "name=a\n▲foo"): "line 3: foo is not parameter=value",
    ("-q listZones", "▲-q"): "line 2: Options come before the command",
    ("▲-z", "listZones\nlistHosts"): "line 1: There is no option -z",
    ("▲-n", "5 listZones\nlistHosts"): "line 1: --limit needs N",
    ("▲-n=", "5 listZones\nlistHosts"): "line 1: --limit needs N",
    ("", "listZones ▲foo\n"): "foo is not parameter=value",
}


@pytest.mark.parametrize("marked", WRONG_CELLS)
def test_a_wrong_cell_is_refused_and_the_line_is_named(marked):
    line, body = (part.replace("▲", "") for part in marked)
    with pytest.raises(CallError) as caught:
        parse_cell(line, body)
    [wanted] = [one for part in marked for one in part.split("\n") if "▲" in one]
    error = caught.value
    assert str(error) == WRONG_CELLS[marked]
    assert (error.text, error.column) == (wanted.replace("▲", ""), wanted.index("▲"))


@pytest.mark.parametrize("body", ["", "\n", "\n \n\t", "# nothing", "\n  # a\n# b\n"])
@pytest.mark.parametrize("line", ["", "-q", " # all"])
def test_a_cell_without_a_call_is_refused(line, body):
    with pytest.raises(CallError, match="There is no call in this cell"):
        parse_cell(line, body)


@pytest.mark.parametrize(
    "text",
    [
        "createUser password=hunter2 foo",
        "createUser username=a password='hunter2' foo",
        'createUser foo password="hunter2 \\" x"',
        "createUser Password=hunter2 password=hunter2",
        "deployVirtualMachine details.password=hunter2 foo",
        "createUser foo\n  userdata=x secretkey=hunter2",
        "createUser password=$hunter2! foo",
        'createUser password="hunter2',
        "createUser 'x password='hunter2'",
        "createUser password= hunter2",
        "createUser password =hunter2",
        "createUser password = hunter2",
        "createUser username=a password hunter2",
        "createUser username=a\n  password  'hunter2'",
        "createUser password='a'hunter2",
        "updateConfiguration name=ldap.bind.password value=hunter2 foo",
        "updateConfiguration value=hunter2 name='ldap.bind.password' foo",
        "createTags tags[0].key=token tags[0].value=hunter2 foo",
    ],
)
def test_an_error_never_repeats_a_secret_that_was_typed(text):
    shown = "\n".join(refused(text).lines())
    assert "hunter2" not in shown


def test_a_looked_up_secret_is_no_secret_to_hide_and_the_caret_stays_in_place():
    error = refused("createUser password=$word secretkey=abc foo")
    assert error.lines()[1:3] == [
        "  createUser password=$word secretkey=••• foo",
        "                                          ^",
    ]


def test_rows_that_do_not_follow_each_are_told_where_they_belong():
    with pytest.raises(CallError) as error:
        parse("--each --dry-run vm=$run stopVirtualMachine id=$vm.id")
    assert error.value.hints == ("NAME=$rows goes right after --each.",)
    with pytest.raises(CallError) as error:
        parse("vm=$run stopVirtualMachine id=$vm.id")
    assert error.value.hints == ()
