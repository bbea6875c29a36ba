"""Help in place, search, and what a notebook says of the server's catalogue."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from replay import Replay, environment, steps

from cs_magic.api.catalogue import bundled
from cs_magic.notebook.helping import html_page, search, text_page
from cs_magic.notebook.vocabulary import WORDS

COMMANDS = tuple(bundled().commands.values())


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_the_help_of_every_command_renders_as_text_and_as_html(command):
    text, html = text_page(command, bundled()), html_page(command, bundled())
    for page in (text, html):
        assert page.index(command.name) < page.index("Required parameters")
        assert page.index("Required parameters") < page.index("Other parameters")
        assert page.index("Other parameters") < page.index("Fields of the answer")
        assert "No descriptions here" in page
    needed = text[text.index("Required parameters") : text.index("Other parameters")]
    assert all(f"\n  {parameter.name} " in needed for parameter in command.required)
    for known in (*command.parameters, *command.fields):
        assert f"<code>{known.name}</code>" in html
    assert max(map(len, text.splitlines())) <= 170


@pytest.fixture
def met(monkeypatch):
    """The recorded cloud, which says what the root admin may do in it."""
    monkeypatch.delenv("CS_MAGIC_CATALOGUE")
    wheres = ("F-shapes/01-listapis-root", "G-counts/01-count-listZones")
    version = steps("F-shapes/07-capabilities")[0]
    with Replay(version, *(steps(where)[0] for where in wheres)) as replay:
        for name, value in environment(replay, "admin").items():
            monkeypatch.setenv(name, value)
        yield replay


def sent(replay: Replay) -> list[str]:
    return [form["command"] for form in replay.requests]


def test_the_first_call_says_that_it_reads_what_the_server_can_do(notebook, met):
    ran = notebook.fine("%cs -v listZones")
    assert ran.lines[0].startswith("reading what 127.0.0.1:")
    assert "catalogue server 4.23" in ran.lines[1]
    assert sent(met)[:2] == ["listCapabilities", "listApis"]
    assert len(notebook.fine("%cs listZones").lines) == 1
    assert sent(met).count("listApis") == 1


def test_quiet_says_nothing_of_it(notebook, met):
    assert notebook.fine("%cs -q listZones").lines == []


def test_a_dry_run_sends_nothing_even_so(notebook, met):
    notebook.fine("%cs --dry-run listZones")
    assert met.requests == []


def test_an_undefined_name_is_an_error_before_anything_is_sent(notebook, met):
    assert "nope is not defined" in notebook.run("%cs listZones id=$nope").error.message
    assert met.requests == []


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%cs listVirtualMachine", "has no command listVirtualMachine: did you mean listVirtualM"),
        ("%cs stauts", "did you mean status?"),
        ("%cs listFooZones", "has no command listFooZones"),
        ("%cs createUserz", "did you mean createUser?"),
        ("%cs quotaBalance", "Your role may not use quotaBalance on 127.0.0.1"),
        ("%cs listZones nme=a", "did you mean name?"),
    ],
)
def test_a_wrong_call_is_refused_from_the_servers_own_word(notebook, met, cell, said):
    ran = notebook.run(cell)
    assert said in ran.error.message
    assert any(line.strip() == "^" for line in ran.error_lines)
    assert set(sent(met)) <= {"listCapabilities", "listApis"}


def test_from_the_bundled_catalogue_an_unknown_command_is_sent_and_doubted(notebook, cloud):
    ran = notebook.run("%cs listVirtualMachine")
    assert ran.error_lines[1] == "  listVirtualMachine: errorcode 401"
    meant = "CloudStack 4.23 has no command listVirtualMachine: did you mean listVirtualMachines?"
    assert f"  {meant}" in ran.error_lines


# -- help ----------------------------------------------------------------------------------


def test_help_needs_no_profile_and_says_that_it_has_no_descriptions(notebook):
    [shown] = notebook.fine("%cs help DEPLOYvirtualmachine").outputs
    text = shown["text/plain"]
    assert text.startswith("deployVirtualMachine · changes something · async: a job does it · ")
    assert "bundled 4.23" in text
    assert "No descriptions here" in text
    assert "ids: listServiceOfferings" in text
    assert "<table>" in shown["text/html"]


def test_help_asks_the_server_and_shows_which_commands_the_role_lacks(notebook, met):
    assert "server 4.23" in notebook.fine("%cs help listZones").outputs[-1]["text/plain"]
    text = notebook.fine("%cs help quotaBalance").outputs[-1]["text/plain"]
    assert "Your role may not use it on 127.0.0.1" in text


def test_what_the_server_says_is_escaped_and_can_not_drive_a_terminal(notebook, monkeypatch):
    monkeypatch.setenv("CS_MAGIC_CATALOGUE", "fresh")
    evil = {
        "name": "listZones",
        "description": "Lists <script>alert(1)</script>\x1b[2J zones",
        "params": [{"name": "id", "type": "uuid", "description": "<img src=x>\x1b"}],
        "response": [{"name": "id", "description": "<b>", "type": "string"}, {}],
    }

    body = json.dumps({"listapisresponse": {"count": 1, "api": [evil]}}).encode()
    harmful = replace(steps("F-shapes/01-listapis-root")[0], body=body)
    with Replay(steps("F-shapes/07-capabilities")[0], harmful) as replay:
        for name, value in environment(replay, "admin").items():
            monkeypatch.setenv(name, value)
        shown = notebook.fine("%cs help listZones").outputs[-1]
        found = notebook.fine("%cs apis script").result
    for harm in ("<script", "<img", "<b>", "\x1b"):
        assert harm not in shown["text/html"]
    assert "\x1b" not in shown["text/plain"]
    assert "Lists <script>" in shown["text/plain"]
    assert list(found["name"]) == ["listZones"]
    assert "\x1b" not in found["description"][0]


def test_help_of_a_word_and_help_alone(notebook):
    assert notebook.fine("%cs help use").lines[0].startswith("%cs use NAME")
    assert "Options, before the command:" in notebook.fine("%cs help").lines[0]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("asked", ["-h", "--help", "-h;", "-h  # what is it?"])
def test_help_is_shown_behind_every_word(notebook, word, asked):
    shown = notebook.fine(f"%cs help {word}").lines
    assert shown[0].startswith(f"%cs {word}")
    assert notebook.fine(f"%cs {word} {asked}").lines == shown
    assert notebook.fine(f"%%cs\n{word} {asked}").lines == shown


@pytest.mark.parametrize(
    "cell", ["%cs use demo -h", "%cs job --no-wait 5 --help", "%cs apis -h zone", "x = %cs last -h"]
)
def test_help_is_shown_wherever_it_stands_behind_a_word_and_nothing_is_done(notebook, cell):
    word = cell.partition("%cs ")[2].split()[0]
    assert notebook.fine(cell).lines == notebook.fine(f"%cs help {word}").lines
    assert notebook.names.get("x") is None


@pytest.mark.parametrize("cell", ["%cs listZones -h", "%cs listZones name=a --help"])
def test_help_is_shown_behind_a_command_and_nothing_is_sent(notebook, cloud, cell):
    assert notebook.fine(cell).outputs == notebook.fine("%cs -h listZones").outputs
    assert cloud.requests == []


def test_in_quotes_it_is_a_word_as_any_other(notebook, cloud):
    assert notebook.run("%cs use '-h'").error.message.startswith("There is no profile -h")
    assert len(notebook.fine("%cs -q apis '-h'").result) == 0


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%cs help listZonse", "did you mean listZones?"),
        ("%cs help a b", "help takes no b"),
        ("%cs x << help listZones", "gives nothing"),
        ("%cs apis --sort", "apis takes no --sort"),
        ("%cs apis --kind writes", "--kind takes read, write or destructive, not writes"),
        ("%cs apis --kind=writes", "--kind takes read, write or destructive, not writes"),
        ("%cs sync now", "sync takes no now"),
        ("%cs x << sync", "gives nothing"),
        ("%cs -h listZonse", "did you mean listZones?"),
        ("%cs -p nobody help listZones", "nobody"),
        ("%cs -p nobody -h listZones", "nobody"),
        ("%cs -p nobody apis zone", "nobody"),
        ("%cs -p nobody sync", "nobody"),
        ("%cs -p env status", "status takes no --profile"),
        ("%cs -n 5 help listZones", "help takes no --limit"),
    ],
)
def test_a_wrong_question_is_pointed_to(notebook, cloud, cell, said):
    assert said in notebook.run(cell).error.message


@pytest.mark.parametrize(
    "cell",
    [
        "%cs -h listZones",
        "%cs -q --help listZones nme=1 'not closed",
        "%cs x << -h listZones id=$nobody",
        "%%cs\n-h listZones",
        "%%cs -h listZones\nid=",
    ],
)
def test_h_before_a_command_shows_what_that_does(notebook, cell):
    shown = notebook.fine(cell).outputs[-1]["text/plain"]
    assert shown == notebook.fine("%cs help listZones").outputs[-1]["text/plain"]
    assert shown.startswith("listZones · read")


def test_h_before_a_word_shows_what_that_takes(notebook):
    assert notebook.fine("%cs -h use").lines == notebook.fine("%cs help use").lines


def test_help_search_and_sync_ask_the_profile_that_is_named(notebook, monkeypatch):
    monkeypatch.delenv("CS_MAGIC_CATALOGUE")
    [line] = notebook.fine("%cs -p demo sync").lines
    assert line.startswith("demo: CloudStack 4.23")
    for cell in ("%cs -p demo help listZones", "%cs -p demo -h listZones"):
        assert "· server 4.23" in notebook.fine(cell).outputs[-1]["text/plain"]
    offered = notebook.fine("%cs -p demo apis").result
    assert 0 < len(offered) < len(notebook.fine("%cs apis").result)


# -- search --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("listzones", ["listZones"]),
        ("snapshot", ["copySnapshot", "listSnapshots"]),
        ("zone", ["listZones", "createZone"]),
        ("vm", ["listVirtualMachines", "stopVirtualMachine"]),
        ("create vpc", ["createVPC"]),
        ("deployV", ["deployVirtualMachine"]),
    ],
)
def test_what_a_command_is_about_comes_first(words, first):
    found = [command.name for command in search(bundled(), words.split())]
    assert set(first) <= set(found[:12])
    assert found == [command.name for command in search(bundled(), words.upper().split())]


def test_every_word_must_be_found_and_none_finds_all():
    both = {command.name for command in search(bundled(), ["create", "snapshot"])}
    assert both == {
        name
        for name in bundled().names()
        if "create" in name.lower() and "snapshot" in name.lower()
    }
    assert len(search(bundled(), [])) == 973
    assert search(bundled(), ["xyzzy"]) == []


def test_help_says_what_asks_first(notebook):
    [page] = notebook.fine("%cs help destroyVirtualMachine").outputs
    assert "destroys or interrupts: asks first · async" in page["text/plain"].splitlines()[0]
    [page] = notebook.fine("%cs help listZones").outputs
    assert " · read · " in page["text/plain"].splitlines()[0]


@pytest.mark.parametrize("kind", ["read", "write", "destructive"])
def test_apis_prints_the_commands_of_a_kind(notebook, kind):
    found = notebook.fine(f"%cs apis --kind {kind}").result
    assert found.equals(notebook.fine(f"%cs apis --kind={kind}").result)
    assert set(found["kind"]) == {kind}
    assert list(found["name"]) == sorted(one.name for one in COMMANDS if one.kind == kind)


def test_apis_prints_the_whole_table_with_its_reasons(notebook):
    found = notebook.fine("table = %cs apis --kind").result
    found = notebook.names["table"].set_index("name")
    assert len(found) == 973
    assert found.kind.value_counts().sum() == 973
    assert "another account" in found.why["listAndSwitchSamlAccount"]
    assert found.why["listZones"] == ""


def test_words_and_a_kind_of_a_variable_narrow_each_other(notebook):
    found = notebook.fine("%cs apis --kind $kind snapshot polic", kind="destructive").result
    assert list(found["name"]) == ["deleteSnapshotPolicies"]


def test_apis_gives_a_frame_that_a_variable_can_keep(notebook):
    notebook.fine("found = %cs apis snapshot policy")
    found = notebook.names["found"]
    assert list(found.columns) == ["name", "kind", "async", "description", "required", "since"]
    row = found.set_index("name").loc["createSnapshotPolicy"]
    assert "volumeid" in row["required"]
    assert len(notebook.fine("%cs apis xyzzy").result) == 0


# -- sync, and the demo --------------------------------------------------------------------


def test_sync_reads_it_anew_and_says_what_came(notebook, met):
    notebook.fine("%cs listZones")
    [line] = notebook.fine("%cs sync").lines
    assert line.endswith("786 commands, 0 new, 0 gone")
    assert sent(met).count("listApis") == 2


def test_sync_fails_as_a_call_does(notebook, cloud):
    assert "unable to verify" in notebook.run("%cs sync").error.message


def test_the_demo_says_what_it_can_do_and_nothing_is_kept_of_it(notebook, tmp_path, monkeypatch):
    monkeypatch.delenv("CS_MAGIC_CATALOGUE")
    notebook.fine("%cs use demo")
    ran = notebook.fine("zones = %cs listZones")
    assert len(ran.lines) == 1
    assert notebook.names["zones"].attrs["cs"]["catalogue"].startswith("server 4.23")
    assert "Your role may not use" in notebook.run("%cs importVsphereStoragePolicies").error.message
    assert "Lists" in notebook.fine("%cs help listZones").outputs[-1]["text/plain"]
    assert not (tmp_path / "cache").exists()
