"""Names for ids as a person types them: on the demo cloud, and on recordings of a real one."""

from __future__ import annotations

import pytest
from replay import Replay, environment, steps

from cs_magic.demo.server import serving
from cs_magic.errors import ApiError


@pytest.fixture
def demo(notebook):
    notebook.fine("%cs -q use demo")
    return notebook


@pytest.fixture
def recorded(notebook, monkeypatch):
    """A notebook at the recorded cloud with its zones, offerings, networks, machines, a deploy."""
    wheres = """
        F-shapes/09-shape-zones D-paging/09-pagesize-minus1 F-shapes/30-shape-domains
        F-shapes/92-listtemplates-filters F-shapes/12-shape-hosts D-paging/01-vms-listall
        E-async/01-deploy-ok E-async/07-stop-start-reboot
    """.split()
    given = [step for where in wheres for step in steps(where) if step.status == 200]
    wanted = {"all"}
    given = [
        step
        for step in given
        if step.command != "listTemplates" or dict(step.parameters)["templatefilter"] in wanted
    ]
    given = [step for step in given if dict(step.parameters).get("page") in {None, "1"}]
    with Replay(*given) as replay:
        for name, value in environment(replay).items():
            monkeypatch.setenv(name, value)
        yield notebook, replay


def sent(replay, command):
    return [form for form in replay.requests if form["command"] == command]


def test_a_zone_by_its_name(demo):
    demo.fine("%cs -q vms << listVirtualMachines zoneid=Zürich")
    assert set(demo.names["vms"].zonename) == {"Zürich"}
    assert len(demo.names["vms"]) > 100


def test_a_name_in_a_variable_and_in_a_series(demo):
    demo.fine("zone = %cs -q listVirtualMachines zoneid=$where", where="Genève")
    demo.fine("%cs -q vms << listVirtualMachines")
    some = demo.names["vms"].drop_duplicates("name", keep=False).name[:3]
    demo.fine("%cs -q few << listVirtualMachines ids=$some listall=true", some=some)
    assert set(demo.names["few"].name) == set(some)


def test_a_cell_looks_a_name_up_once_and_the_next_cell_again(notebook, monkeypatch):
    with serving(machines=30) as cloud:
        monkeypatch.setenv("CLOUDSTACK_ENDPOINT", cloud.endpoint)
        monkeypatch.setenv("CLOUDSTACK_KEY", cloud.api_key)
        monkeypatch.setenv("CLOUDSTACK_SECRET", cloud.secret_key)
        cell = """%%cs -v
            a << listVirtualMachines zoneid=Zürich
            b << listVolumes zoneid=Zürich
            c << listHosts zoneid=Zürich
        """
        for _ in range(2):
            looked_up = [line for line in notebook.fine(cell).lines if "Zürich" in line]
            assert [line.endswith("(listZones, read before)") for line in looked_up] == [
                False, True, True
            ]  # fmt: skip


def test_lines_of_one_cell_share_what_was_looked_up(demo):
    ran = demo.fine("for _ in range(2):\n    %cs -v -n 1 listHosts zoneid=Zürich")
    found = [line for line in ran.lines if line.startswith("zoneid=")]
    assert [line.endswith("read before)") for line in found] == [False, True]


def test_the_error_points_to_the_name_and_offers_the_near_one(demo):
    ran = demo.run("%cs -q listVirtualMachines state=Running zoneid=Zurich")
    first, line, caret, *_ = ran.error_lines
    assert first == (
        'CallError: listZones has nothing of the name "Zurich": did you mean "Zürich"?'
    )
    assert line.index("zoneid") == caret.index("^")


def test_it_points_into_a_map_too(demo):
    text = "%cs -q deployVirtualMachine zoneid=Zürich serviceofferingid=Medium"
    ran = demo.run(f"{text} templateid=debian-12 iptonetworklist.networkid=nowhere")
    _, line, caret, *_ = ran.error_lines
    assert line.index("iptonetworklist") == caret.index("^")


def test_namesakes_are_shown_with_what_tells_them_apart(demo):
    demo.fine("%cs -q groups << listSecurityGroups")
    groups = demo.names["groups"]
    default = groups[groups.name == "default"]
    ran = demo.run("%cs listVirtualMachines securitygroupid=default")
    first, _, _, *shown, more = ran.error_lines
    assert first.startswith(f"CallError: listSecurityGroups has {len(default)} of the name")
    told = dict(line.split(maxsplit=1) for line in shown)
    assert set(told) <= set(default.id)
    assert len(set(told.values())) == len(told) == 10
    assert all("account=" in line or "project=" in line for line in told.values())
    assert more.strip() == f"and {len(default) - 10} more"


def test_a_namesake_is_the_one_of_the_account_that_the_call_names(demo):
    ran = demo.fine(
        "%cs -q --dry-run listVirtualMachines securitygroupid=default"
        " account=webshop domainid=ROOT/Retail"
    )
    demo.fine("%cs -q groups << listSecurityGroups account=webshop domainid=Retail")
    groups = demo.names["groups"]
    (right,) = groups[groups.name == "default"].id
    assert f"securitygroupid={right}" in ran.result.parameters[0].split()


def test_a_dry_run_shows_the_ids_and_how_they_were_found(demo):
    ran = demo.fine("%cs --dry-run stopVirtualMachine id=prüfstand-test-01")
    (parameters,) = ran.result.parameters
    found = parameters.removeprefix("id=")
    assert ran.lines == [f"id=prüfstand-test-01 is {found} (listVirtualMachines)"]
    assert len(found) == 36
    assert demo.fine("%cs -q --dry-run stopVirtualMachine id=prüfstand-test-01").lines == []


def test_a_dry_run_leaves_what_is_only_known_later(demo):
    ran = demo.fine(
        "%%cs --dry-run\nzones << listZones\n"
        "vms << listVirtualMachines zoneid=$zones[0].id hostid=name:zh-kvm1-01.demo.example"
    )
    assert "zoneid=$zones[0].id" in str(demo.names.get("vms", ran.outputs))
    assert not any("$zones" in line and "is" in line.split() for line in ran.lines)


def test_without_the_check_only_a_forced_name_is_looked_up(demo):
    ran = demo.run("%cs -q --no-check listVirtualMachines zoneid=Zürich")
    assert isinstance(ran.error, ApiError)
    demo.fine("%cs -q --no-check vms << listVirtualMachines zoneid=name:Zürich")
    assert set(demo.names["vms"].zonename) == {"Zürich"}


def test_a_value_in_quotes_may_hold_anything(demo):
    ran = demo.run("""%cs listVirtualMachines zoneid="it's $5  {Zürich} #1" """)
    assert """has nothing of the name "it's $5  {Zürich} #1\"""" in ran.error_lines[0]


def test_names_at_a_recorded_cloud(recorded):
    notebook, replay = recorded
    notebook.fine(
        "%cs -q listVirtualMachines zoneid=sim domainid=ROOT/D1/D2"
        ' serviceofferingid="Medium Instance"'
    )
    (form,) = [form for form in sent(replay, "listVirtualMachines")]
    assert form["zoneid"] == "bae4cb6b-dcd8-4cd6-a39a-c12f8eb8952b"
    assert len(form["domainid"]) == len(form["serviceofferingid"]) == 36


def test_a_machine_is_deployed_from_names_and_once(recorded):
    notebook, replay = recorded
    notebook.fine(
        "%cs -q --no-wait deployVirtualMachine zoneid=sim name=rec-e-1"
        ' serviceofferingid="Small Instance"'
        ' templateid="CentOS 5.6 (64-bit) no GUI (Simulator)"'
    )
    (form,) = sent(replay, "deployVirtualMachine")
    assert form["zoneid"] == "bae4cb6b-dcd8-4cd6-a39a-c12f8eb8952b"
    assert form["templateid"] == "af7713e8-e74d-11f1-abe9-7469b44c5ef5"
    assert form["serviceofferingid"] == "dbd75faf-5eca-4f7f-8293-258d4aecd1c6"
    assert replay.requests[-1] == form


def test_what_is_changed_makes_names_be_looked_up_anew(recorded):
    notebook, replay = recorded
    notebook.fine(
        "%%cs -q -y --no-wait\n"
        "listHosts zoneid=sim\n"
        "listHosts zoneid=sim\n"
        "stopVirtualMachine id=f21d5034-f79b-491e-831e-c4b0592e24b8\n"
        "listHosts zoneid=sim"
    )
    assert len(sent(replay, "listZones")) == 2
