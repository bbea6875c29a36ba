"""Values that are more than text: files, secrets, maps, dates, booleans; and explode."""

from __future__ import annotations

import base64
from pathlib import Path

import pandas as pd
import pytest

from cs_magic.demo.server import serving
from cs_magic.errors import CallError


@pytest.fixture(scope="module")
def demo():
    with serving(machines=40) as running:
        yield running


@pytest.fixture
def practice(notebook, demo, monkeypatch):
    """A shell whose environment leads to a small demo cloud."""
    monkeypatch.setenv("CLOUDSTACK_ENDPOINT", demo.endpoint)
    monkeypatch.setenv("CLOUDSTACK_KEY", demo.api_key)
    monkeypatch.setenv("CLOUDSTACK_SECRET", demo.secret_key)
    return notebook


def parameters(notebook, statement: str, **names: object) -> str:
    """The parameters of the one call that a statement would send."""
    frame = notebook.fine(f"%cs --dry-run {statement}", **names).result
    assert len(frame) == 1
    return str(frame["parameters"].iloc[0])


DEPLOY = "deployVirtualMachine zoneid=1 serviceofferingid=2"


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("details.cpuNumber=2", "details[0].cpuNumber=2"),
        ("details.cpuNumber=2 details.memory=4", "details[0].cpuNumber=2 details[0].memory=4"),
        ("details[0].cpuNumber=2", "details[0].cpuNumber=2"),
        ("details=$map", "details[0].cpuNumber=2"),
        (
            "iptonetworklist=$nets",
            "iptonetworklist[0].ip=n1 iptonetworklist[1].ip=n2",
        ),
        ("name=@@me", "name=@me"),
        ("name='@me'", "name=@me"),
        ("name=@", "name=@"),
        ("displayname='two words'", "displayname=two words"),
    ],
)
def test_a_value_travels_as_it_is_meant(practice, typed, sent):
    given = {"map": {"cpuNumber": 2}, "nets": [{"ip": "n1"}, {"ip": "n2"}]}
    assert parameters(practice, f"{DEPLOY} {typed}", **given).endswith(sent)


def test_tags_are_keys_and_values(practice):
    tags = "createTags resourceids=1 resourcetype=UserVm tags.env=prod tags.tier='web shop'"
    assert parameters(practice, tags).endswith(
        "tags[0].key=env tags[0].value=prod tags[1].key=tier tags[1].value=web shop"
    )


# -- files ------------------------------------------------------------------------------------


def test_userdata_from_a_file_travels_in_base64(practice):
    content = "#cloud-config\nhostname: zürich\n"
    Path("cloud-init.yaml").write_text(content)
    sent = parameters(practice, f"{DEPLOY} userdata=@cloud-init.yaml")
    assert base64.b64decode(sent.partition("userdata=")[2]).decode() == content


def test_any_other_parameter_from_a_file_travels_as_its_text(practice):
    Path("name.txt").write_text("prüfstand")
    assert parameters(practice, f"{DEPLOY} name=@name.txt").endswith("name=prüfstand")


@pytest.mark.parametrize(
    ("path", "message"),
    [("nowhere.txt", "No such file"), (".", "Is a directory"), ("binary", "no text in UTF-8")],
)
def test_a_file_that_cant_be_read_is_an_error_before_sending(practice, path, message):
    Path("binary").write_bytes(b"\xff\xfe\x00")
    ran = practice.run(f"%cs {DEPLOY} name=@{path}")
    assert type(ran.error) is CallError
    assert message in ran.error_lines[0]
    assert ran.error_lines[2].index("^") == f"  {DEPLOY} name=@".index("@")


# -- secrets ----------------------------------------------------------------------------------

USER = "createUser account=a email=b firstname=c lastname=d username=e"


def test_a_secret_is_never_typed(practice):
    ran = practice.run(f"%cs {USER} password=hunter2")
    assert "password is a secret" in ran.error_lines[0]
    assert "hunter2" not in "\n".join(ran.error_lines)


def test_a_secret_in_a_variable_is_sent_and_never_shown(practice):
    assert "hunter2" not in parameters(practice, f"{USER} password=$secret", secret="hunter2")


SETTING = "updateConfiguration name=ldap.bind.password"


@pytest.mark.parametrize(
    "statement",
    [
        f"{SETTING} value=$secret",
        "updateConfiguration value=$secret name=$setting",
        "createTags resourceids=1 resourcetype=UserVm tags[0].key=token tags[0].value=$secret",
        "createTags resourceids=1 resourcetype=UserVm tags.password=$secret",
        "createTags resourceids=1 resourcetype=UserVm tags=$tags",
    ],
)
def test_the_value_beside_a_secrets_name_is_never_shown(practice, statement):
    names = {"secret": "hunter2", "setting": "ldap.bind.password", "tags": {"token": "hunter2"}}
    shown = parameters(practice, statement, **names)
    assert "••••" in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        (f"{SETTING} value=hunter2", "value"),
        ("updateConfiguration value='hunter2' name=$setting", "value"),
        (
            "createTags resourceids=1 resourcetype=UserVm tags[0].key=token tags[0].value=hunter2",
            "tags[0].value",
        ),
    ],
)
def test_the_value_beside_a_secrets_name_is_never_typed(practice, statement, name):
    ran = practice.run(f"%cs {statement}", setting="ldap.bind.password")
    assert f"{name} is a secret" in ran.error_lines[0]
    if "$setting" not in statement:
        assert "hunter2" not in "\n".join(ran.error_lines)


def test_the_value_of_a_secret_setting_can_be_asked_for(practice):
    ran = practice.run(f"%cs -y {SETTING} value=?")
    assert "Nobody can be asked for value here" in ran.error_lines[0]


def test_the_value_of_a_plain_setting_is_typed_and_shown(practice):
    plain = "updateConfiguration name=default.page.size value=500"
    assert parameters(practice, plain).endswith("value=500")


def test_the_result_of_a_call_does_not_say_the_secret_that_was_sent(practice):
    listed = practice.fine("%cs --no-check -q listZones name=token value=$v", v="hunter2").result
    assert "hunter2" not in str(listed.attrs["cs"])


def test_a_secret_that_is_asked_for_is_an_error_where_nobody_can_be_asked(practice):
    ran = practice.run(f"%cs {USER} password=?;")
    assert "Nobody can be asked for password here" in ran.error_lines[0]
    assert "$variable" in ran.error_lines[-1]


# -- dates and booleans -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("startdate=2024-13-45", "startdate=2024-13-45 is no day of the calendar"),
        ("startdate='2024-05-01 10:00'", "write 2024-05-01T10:00:00Z"),
        ("startdate=2024-05-01T10:00:00", "write 2024-05-01T10:00:00Z"),
        ("startdate=2024-05-01T10:00:00.5Z", "write 2024-05-01T10:00:00Z"),
        ("startdate=20240501", "write 2024-05-01"),
        ("startdate=1.5.2024", "write 2024-05-01, or 2024-05-01T10:00:00Z"),
        ("startdate=now", "write 2024-05-01, or 2024-05-01T10:00:00Z"),
        ("listall=yes", "write true"),
        ("listall=1", "write true"),
        ("listall=FALSE", "write false"),
        ("listall=maybe", "listall=maybe is neither true nor false"),
    ],
)
def test_what_the_server_would_take_for_another_value_is_refused(practice, typed, message):
    ran = practice.run(f"%cs listEvents {typed}")
    assert type(ran.error) is CallError
    assert message in ran.error_lines[0]


@pytest.mark.parametrize(
    "typed",
    [
        "startdate=2024-05-01",
        "startdate=2024-05-01T10:00:00Z",
        "startdate=2024-05-01T10:00:00+0200",
        "startdate=2024-05-01T10:00:00-05:30",
        "startdate=$moment",
        "startdate=$day",
        "listall=true",
        "listall=$yes",
    ],
)
def test_right_dates_and_booleans_are_sent(practice, typed):
    moment = pd.Timestamp("2024-05-01T10:00:00.7", tz="Europe/Zurich")
    practice.fine(f"%cs --dry-run listEvents {typed}", moment=moment, day=moment.date(), yes=True)


def test_a_date_is_checked_also_where_its_name_is_assigned_in_the_cell(practice):
    cell = "%%cs --dry-run\nzones << listZones\nlistEvents startdate=$zones.name[0]"
    practice.fine(cell)


# -- explode ------------------------------------------------------------------------------------


def test_explode_gives_a_row_for_each_element_and_keeps_the_empty(practice):
    machines = practice.fine("%cs -c id,nic listVirtualMachines").result
    frame = practice.fine("%cs -x nic -c id,nic listVirtualMachines").result
    cards = machines["nic"].map(len)
    assert len(frame) == cards.clip(lower=1).sum()
    assert "nic.ipaddress" in frame
    assert "nic" not in frame
    assert set(frame["id"]) == set(machines["id"])
    assert frame.attrs["cs"]["command"] == "listVirtualMachines"


@pytest.mark.parametrize("field", ["nics", "nothing.at.all"])
def test_a_field_that_is_not_there_cant_be_exploded(practice, field):
    ran = practice.run(f"%cs -x {field} listVirtualMachines")
    assert "There is no column" in ran.error_lines[0]
