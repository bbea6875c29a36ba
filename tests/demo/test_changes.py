"""Every change is seen in the next list; what is refused is refused as on a real server."""

from __future__ import annotations

import http.client
from typing import Any
from urllib.parse import urlsplit

import pytest
import recorded as real
from conftest import Worker

from cs_magic.demo.server import Demo, serving


def fresh(worker: Worker, name: str = "new-one", **more: str) -> dict[str, str]:
    """What it takes to deploy a machine."""
    sizes, zones = worker.call("listServiceOfferings").rows, worker.call("listZones").rows
    images = worker.call("listTemplates", templatefilter="featured").rows
    wanted = {"serviceofferingid": sizes[0]["id"], "zoneid": zones[0]["id"]}
    return {**wanted, "templateid": images[0]["id"], "name": name, **more}


def test_a_deployed_machine_is_listed_at_once_and_runs_then(worker: Worker) -> None:
    before = worker.call("listVirtualMachines", listall="true").count
    started = worker.call("deployVirtualMachine", **fresh(worker)).inner
    assert list(started) == ["id", "jobid"]
    assert worker.machine(id=started["id"])["state"] == "Starting"
    worker.demo.finish_jobs()
    row = worker.machine(id=started["id"])
    assert row["state"] == "Running"
    assert worker.call("listVirtualMachines", listall="true").count == before + 1
    (disk,) = worker.call("listVolumes", virtualmachineid=row["id"]).rows
    assert (disk["type"], disk["state"]) == ("ROOT", "Ready")
    assert worker.job(started["jobid"])["jobresult"]["virtualmachine"]["id"] == row["id"]


def test_a_deploy_that_fails_leaves_a_machine_in_error(worker: Worker) -> None:
    job = worker.done("deployVirtualMachine", **fresh(worker, "new-fails"))
    assert job["jobresultcode"] == 530
    text = job["jobresult"]["errortext"]
    assert text.startswith('Unable to orchestrate the start of VM instance {"instanceName":"i-2-')
    assert worker.machine(name="new-fails")["state"] == "Error"


def test_what_is_destroyed_can_be_recovered_and_what_is_expunged_is_gone(worker: Worker) -> None:
    id_ = worker.machine(state="Running", name="jump-prod-01")["id"]
    worker.done("destroyVirtualMachine", id=id_)
    assert worker.machine(id=id_)["state"] == "Destroyed"
    assert worker.call("recoverVirtualMachine", id=id_).inner["virtualmachine"]["id"] == id_
    assert worker.machine(id=id_)["state"] == "Stopped"
    again = worker.call("recoverVirtualMachine", id=id_)
    text = f"Vm with id {id_} is not in the right state"
    assert (again.status, again.inner["errortext"]) == (431, text)
    job = worker.done("destroyVirtualMachine", id=id_, expunge="true")
    gone = {"securitygroup": [], "nic": [], "affinitygroup": [], "deleteprotection": False}
    assert job["jobresult"] == {"virtualmachine": {**gone, "tags": []}}
    assert worker.machine(id=id_) == {}
    assert worker.call("listVolumes", virtualmachineid=id_, listall="true").inner == {}
    assert worker.done("startVirtualMachine", id=id_)["jobresultcode"] == 530


def test_a_user_may_not_expunge_and_is_told_by_the_job(worker: Worker) -> None:
    user = worker.as_("webshop")
    id_ = user.machine(state="Running")["id"]
    job = user.done("destroyVirtualMachine", id=id_, expunge="true")
    assert job["jobresult"]["errortext"] == "Account does not have permission for expunging."
    user.done("destroyVirtualMachine", id=id_)
    assert user.machine(id=id_) == {}
    assert worker.machine(id=id_)["state"] == "Destroyed"


def test_what_was_counted_before_a_change_is_counted_anew(worker: Worker) -> None:
    def counted() -> tuple[int, int]:
        row = worker.call("listAccounts", name="webshop", listall="true").rows[0]
        return row["vmrunning"], row["vmstopped"]

    assert worker.call("listDomains", listall="true").count
    running, stopped = counted()
    id_ = worker.machine(state="Running", account="webshop", domainid=_domain(worker, "webshop"))
    assert worker.done("stopVirtualMachine", id=id_["id"])["jobstatus"] == 1
    assert counted() == (running - 1, stopped + 1)


def test_wrong_states_are_told_by_the_job(worker: Worker) -> None:
    row = worker.machine(state="Stopped")
    text = f"The Instance {row['id']} ({row['displayname']}) is not running, unable to reboot it"
    job = worker.done("rebootVirtualMachine", id=row["id"])
    assert job["jobresult"] == {"errorcode": 431, "errortext": text}
    running = worker.machine(state="Running")
    assert worker.done("startVirtualMachine", id=running["id"])["jobresultcode"] == 431


def test_somebody_elses_machine_is_531_and_nobodys_431(worker: Worker) -> None:
    id_ = worker.machine(state="Running", account="erp", domainid=_domain(worker, "erp"))["id"]
    step = next(
        s for s in real.recorded() if s.where.startswith("C-errors/15-") and s.status == 531
    )
    answer = worker.as_("webshop").call("stopVirtualMachine", id=id_)
    assert answer.body == step.body
    assert worker.as_("retail-admin").call("stopVirtualMachine", id=id_).status == 531
    unknown = "12345678-1234-1234-1234-123456789abc"
    assert worker.call("stopVirtualMachine", id=unknown).status == 431
    assert worker.as_("webshop").call("migrateVirtualMachine", virtualmachineid=id_).status == 432


def _domain(worker: Worker, account: str) -> str:
    return worker.demo.world.people.accounts[account].domain.id


def test_a_quota_is_refused_at_once_in_the_recorded_words(worker: Worker) -> None:
    worker.demo.limit("webshop", "vm", 1)
    user = worker.as_("webshop")
    answer = user.call("deployVirtualMachine", **fresh(user))
    account = worker.demo.world.people.accounts["webshop"]
    used = worker.demo.world.totals[account.number]["vm"]
    assert (answer.status, answer.inner["cserrorcode"]) == (535, 9999)
    assert answer.inner["errortext"] == (
        "Maximum amount of resources of Type = 'user_vm', tag = 'null' for Account Name = webshop "
        f"in Domain Id = {account.domain.number} is exceeded: Account Resource Limit = 1, Current "
        f"Account Resource Amount = {used}, Current Account Resource Reservation = 0, "
        "Requested Resource Amount = 1."
    )
    row = worker.call("listAccounts", name="webshop", listall="true").rows[0]
    assert (row["vmlimit"], row["vmavailable"]) == ("1", "0")
    asked = {"account": "webshop", "domainid": account.domain.id, "resourcetype": "0"}
    limit = worker.call("updateResourceLimit", max="4000", **asked).inner["resourcelimit"]
    assert limit["max"] == 4000
    assert user.done("deployVirtualMachine", **fresh(user))["jobstatus"] == 1


def test_tags_come_and_go_and_come_once(worker: Worker) -> None:
    id_ = worker.machine(state="Running")["id"]
    about = {"resourceids": id_, "resourcetype": "UserVm"}
    tag = {"tags[0].key": "night", "tags[0].value": "off"}
    assert worker.done("createTags", **about, **tag)["jobresult"] == {"success": True}
    rows = worker.call("listTags", key="night", listall="true").rows
    assert [row["resourceid"] for row in rows] == [id_]
    assert worker.machine(**tag)["id"] == id_
    again = worker.done("createTags", **about, **tag)
    text = f"tag night already on UserVm with id {id_}"
    assert again["jobresult"] == {"errorcode": 530, "errortext": text}
    assert "jobinstancetype" not in again
    worker.done("deleteTags", **about, **{"tags[0].key": "night"})
    missing = worker.done("deleteTags", **about, **tag)
    text = "Unable to find any tags which conform to specified delete parameters."
    assert missing["jobresult"] == {"errorcode": 431, "errortext": text}
    assert worker.call("listTags", key="night", listall="true").inner == {}


def test_a_volume_is_made_attached_detached_and_deleted(worker: Worker) -> None:
    machine = worker.machine(state="Running", name="jump-prod-01")
    disk = worker.call("listDiskOfferings").rows[0]["id"]
    asked = {"name": "mine", "zoneid": machine["zoneid"], "diskofferingid": disk}
    id_ = worker.done("createVolume", **asked)["jobresult"]["volume"]["id"]
    assert worker.call("listVolumes", id=id_).rows[0]["state"] == "Allocated"
    job = worker.done("attachVolume", id=id_, virtualmachineid=machine["id"])
    assert job["jobresult"]["volume"]["virtualmachineid"] == machine["id"]
    assert worker.call("deleteVolume", id=id_).status == 431
    snapshot = worker.done("createSnapshot", volumeid=id_)["jobresult"]["snapshot"]
    assert worker.call("listSnapshots", volumeid=id_).rows == [snapshot]
    assert worker.done("deleteSnapshot", id=snapshot["id"])["jobstatus"] == 1
    assert worker.call("listSnapshots", volumeid=id_).inner == {}
    worker.done("detachVolume", id=id_)
    assert "virtualmachineid" not in worker.call("listVolumes", id=id_).rows[0]
    assert worker.call("deleteVolume", id=id_).inner == {"success": True}
    assert worker.call("listVolumes", id=id_).inner == {}


def test_an_address_is_taken_opened_and_given_back(worker: Worker) -> None:
    network = worker.call("listNetworks").rows[0]["id"]
    job = worker.done("associateIpAddress", networkid=network)
    address = job["jobresult"]["ipaddress"]
    assert address["state"] == "Allocating"
    assert worker.call("listPublicIpAddresses", id=address["id"]).rows[0]["state"] == "Allocated"
    rule = {"ipaddressid": address["id"], "protocol": "tcp", "startport": "80", "endport": "81"}
    made = worker.done("createFirewallRule", **rule)["jobresult"]["firewallrule"]
    assert made["state"] == "Active"
    conflict = worker.call("createFirewallRule", **rule)
    assert (conflict.status, conflict.inner["cserrorcode"]) == (537, 4360)
    worker.done("disassociateIpAddress", id=address["id"])
    assert worker.call("listPublicIpAddresses", id=address["id"]).inner == {}
    assert worker.call("listFirewallRules", id=made["id"]).inner == {}


def test_a_new_key_pair_opens_beside_the_old_one(worker: Worker, wire: Any) -> None:
    user = worker.demo.world.people.accounts["webshop"].user.id
    pair = worker.done("registerUserKeys", id=user, name="second")["jobresult"]["userkeys"]
    recorded = real.answers()["queryAsyncJobResult"]["jobresult"]["root"]
    sample = next(row["userkeys"] for row in recorded if "userkeys" in row)
    assert [name for name in pair if name in sample] == [name for name in sample if name in pair]
    query = wire.signed(
        _Pair(pair["apikey"], pair["secretkey"]), {"command": "listVirtualMachines"}
    )
    assert wire.send(f"{worker.demo.endpoint}?{query}").status == 200
    assert worker.as_("webshop").call("listVirtualMachines").status == 200
    assert worker.call("getUserKeys", id=user).inner["userkeys"]["apikey"] == pair["apikey"]
    foreign = worker.as_("erp").done("registerUserKeys", id=user)
    assert foreign["jobresult"]["errorcode"] == 530


class _Pair:
    def __init__(self, api_key: str, secret_key: str) -> None:
        self.api_key = api_key
        self.secret_key = secret_key


def test_an_ssh_key_is_shown_once_and_its_name_taken_once(worker: Worker) -> None:
    pair = worker.call("createSSHKeyPair", name="mine").inner["keypair"]
    assert pair["privatekey"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    (row,) = worker.call("listSSHKeyPairs", name="mine").rows
    assert row == {name: value for name, value in pair.items() if name != "privatekey"}
    again = worker.call("registerSSHKeyPair", name="mine", publickey="ssh-ed25519 AAAA")
    assert again.inner["errortext"] == "A key pair with name 'mine' already exists."
    assert worker.call("deleteSSHKeyPair", name="mine").inner == {"success": True}
    assert worker.call("listSSHKeyPairs", name="mine").inner == {}


def test_a_password_is_in_the_result_where_the_template_takes_one(worker: Worker) -> None:
    rows = worker.call("listVirtualMachines", listall="true", state="Stopped", pagesize="-1").rows
    takes = next(row for row in rows if row["passwordenabled"])
    leaves = next(row for row in rows if not row["passwordenabled"])
    job = worker.done("resetPasswordForVirtualMachine", id=takes["id"])
    assert len(job["jobresult"]["virtualmachine"]["password"]) == 6
    job = worker.done("resetPasswordForVirtualMachine", id=leaves["id"])
    text = "Fail to reset password for the Instance, the Template is not password enabled"
    assert job["jobresult"] == {"errorcode": 431, "errortext": text}


def test_a_machine_is_migrated_and_scaled(worker: Worker) -> None:
    row = worker.machine(state="Running", name="jump-prod-01")
    moved = worker.done("migrateVirtualMachine", virtualmachineid=row["id"])
    assert moved["jobresult"]["virtualmachine"]["hostid"] != row["hostid"]
    size = worker.call("listServiceOfferings", name="Large").rows[0]
    worker.done("stopVirtualMachine", id=row["id"])
    worker.done("scaleVirtualMachine", id=row["id"], serviceofferingid=size["id"])
    assert worker.machine(id=row["id"])["serviceofferingid"] == size["id"]


def test_a_disabled_user_is_out_until_enabled(worker: Worker) -> None:
    user = worker.demo.world.people.accounts["erp"].user.id
    assert worker.done("disableUser", id=user)["jobresult"]["user"]["state"] == "disabled"
    assert worker.as_("erp").call("listVirtualMachines").status == 401
    assert worker.call("enableUser", id=user).inner["user"]["state"] == "enabled"
    assert worker.as_("erp").call("listVirtualMachines").status == 200


def test_too_many_calls_are_429_for_users_alone(wire: Any) -> None:
    with serving(machines=5, throttle=(4, 600)) as demo:
        user, root = Worker(demo, wire, "webshop"), Worker(demo, wire)
        statuses = [user.call("listZones").status for _ in range(4)]
        assert statuses == [200, 200, 429, 429]  # a signed call counts twice
        text = user.call("listZones").inner["errortext"]
        assert text.startswith(
            "The given user has reached his/her account api limit, please retry after ["
        )
        assert {root.call("listZones").status for _ in range(9)} == {200}


def test_a_throttled_cloud_tells_how_many_calls_it_takes(wire: Any, call: Any) -> None:
    with serving(machines=5, throttle=(4, 600)) as demo:
        told = Worker(demo, wire).call("listCapabilities").inner["capability"]
    assert (told["apilimitmax"], told["apilimitinterval"]) == (4, 600)
    assert "apilimitmax" not in call("root", "listCapabilities").inner["capability"]


def test_a_key_that_has_run_out_is_not_made(worker: Worker) -> None:
    user = worker.demo.world.people.accounts["erp"].user.id
    made = worker.done("registerUserKeys", id=user, enddate="2020-01-01T00:00:00Z")
    assert made["jobresult"] == {
        "errorcode": 431,
        "errortext": "Keypair cannot be created with expired date, please input a date in the "
        "future.",
    }
    made = worker.done("registerUserKeys", id=user, enddate="2090-01-01T00:00:00Z")
    assert made["jobresult"]["userkeys"]["enddate"] == "2090-01-01T00:00:00+0000"


def test_a_disabled_account_is_not_locked(worker: Worker) -> None:
    account = worker.demo.world.people.accounts["erp"].id
    assert worker.done("disableAccount", id=account, lock="false")["jobstatus"] == 1
    refused = worker.done("disableAccount", id=account, lock="true")
    assert (refused["jobstatus"], refused["jobresultcode"]) == (2, 530)
    assert "Unable to lock account Account [" in refused["jobresult"]["errortext"]


def test_a_job_that_refuses_is_pending_first(worker: Worker) -> None:
    running = worker.machine(state="Running")["id"]
    begun = worker.call("startVirtualMachine", id=running).inner["jobid"]
    assert worker.job(begun)["jobstatus"] == 0
    worker.demo.finish_jobs()
    assert worker.job(begun)["jobresultcode"] == 431


def test_a_silent_connection_is_closed_after_the_set_time(demo: Demo) -> None:
    with serving(machines=5, idle_timeout=0.2) as impatient:
        address = urlsplit(impatient.endpoint)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=20)
        connection.request("GET", f"{address.path}?command=listZones")
        connection.getresponse().read()
        # The server's end of it: nothing is sent, and this returns when it is closed.
        assert connection.sock.recv(1) == b""
        connection.close()


@pytest.mark.parametrize("name", ["stopVirtualMachine", "createTags", "deployVirtualMachine"])
def test_what_users_may_change_is_in_their_list_of_commands(call: Any, name: str) -> None:
    (entry,) = call("user", "listApis", name=name).rows
    assert entry["isasync"] is True
    assert entry["httprequesttype"] == "POST"
