"""Deploying machines, and changing what they are: names, size, host, password."""

from __future__ import annotations

import secrets
import string
from typing import cast

from cs_magic.demo.cloud.jobs import Work
from cs_magic.demo.cloud.ownership import MACHINES
from cs_magic.demo.cloud.parameters import Parameter
from cs_magic.demo.cloud.refusals import INVALID, Refused, no_such_entity
from cs_magic.demo.cloud.vm_life import machine_id, on_machines
from cs_magic.demo.cloud.vm_state import (
    KIND,
    emptiest,
    event,
    not_started,
    place,
    result,
    set_state,
    start_on,
)
from cs_magic.demo.cloud.words import OWNERS, PROJECT
from cs_magic.demo.cloud.writes import (
    SUCCESS,
    SUCCESS_FIELDS,
    Deed,
    WriteCommand,
    check_owner,
    check_quota,
    count,
    dumped,
)
from cs_magic.demo.data.items import GIB, Account, Row
from cs_magic.demo.data.machines import Machine
from cs_magic.demo.data.networks import Network
from cs_magic.demo.data.offers import Size, Template
from cs_magic.demo.data.places import HOST_CORES, Host, Zone
from cs_magic.demo.data.volumes import Volume

# What a machine's row tells of its use.
MEASURED = frozenset(
    "cpuused networkkbsread networkkbswrite diskkbsread diskkbswrite memorykbs memoryintfreekbs "
    "memorytargetkbs diskioread diskiowrite".split()
)
LETTERS = string.ascii_letters + string.digits
FOR_WHOM = (*(p for p in OWNERS if p.name in ("account", "domainid")), PROJECT)


def new_password() -> str:
    """A password as CloudStack makes them: a few letters."""
    return "".join(secrets.choice(LETTERS) for _ in range(6))


def deploy(deed: Deed) -> Work:
    """A machine, listed at once, and Running when the job is done."""
    machine = _made(deed, deed.owner)
    started = deed.arguments.get("startvm", True)
    password = new_password() if machine.template.password_enabled else ""

    def begin() -> None:
        if machine.size.cpus > HOST_CORES:
            _broken()
            named = {"id": machine.number, "instanceName": machine.instancename}
            shown = dumped(named | {"state": "Stopped", "type": "User", "uuid": machine.id})
            raise Refused(533, f"No destination found for a deployment for VM instance {shown}")
        if started:
            place(machine, emptiest(machine))
            set_state(deed, machine, "Starting")

    def finish() -> Row:
        if started:
            start_on(deed, machine)
            event(deed, machine, "VM.CREATE", "deployed")
        row = result(deed, machine)["virtualmachine"] | _word(password)
        # Nothing was measured yet.
        return {"virtualmachine": {name: row[name] for name in row if name not in MEASURED}}

    def _broken() -> None:
        set_state(deed, machine, "Error")

    failure = not_started(deed, machine)
    return Work(finish, begin, _broken, KIND, machine.id, machine, machine.id, 2.0, failure)


def _word(password: str) -> Row:
    return {"password": password} if password else {}


def _made(deed: Deed, owner: Account) -> Machine:
    """The new machine, in the tables, with its root disk."""
    world, arguments = deed.world, deed.arguments
    offers = world.offers
    size = next(s for s in offers.sizes if s.id == arguments["serviceofferingid"])
    template = _template(deed)
    zone = next(z for z in world.places.zones if z.id == arguments["zoneid"])
    network = _network(deed, owner, zone)
    _check(deed, owner, size, template)
    number, id_ = deed.new("machines")
    name = arguments.get("name") or f"VM-{id_}"
    taken = (m for m in world.table("machines") if cast(Machine, m).network is network)
    if any(cast(Machine, m).name == name for m in taken):
        text = f"The vm with hostName {name} already exists in the network domain: "
        raise Refused(431, f"{text}cs{owner.number}cloud.internal; network={network.name}", INVALID)
    network.taken += 1
    cluster = next(c for c in world.places.clusters if c.zone is zone)
    now = deed.now
    machine = Machine(
        number,
        world.seed,
        id_,
        name,
        arguments.get("displayname") or name,
        owner,
        now,
        now,
        "Stopped",
        cluster,
        None,
        size,
        template,
        None,
        network,
        network.taken,
        0.0,
    )
    world.table("machines").add(machine)
    disk = Volume(
        *deed.new("volumes"), f"ROOT-{number}", owner, now, zone, None, machine, None,
        template.gib * GIB,
    )  # fmt: skip
    world.table("volumes").add(disk)
    count(deed, owner, vm=1, stopped=1, cpu=size.cpus, memory=size.memory)
    count(deed, owner, volume=1, primarystorage=template.gib)
    world.changed()
    return machine


def _check(deed: Deed, owner: Account, size: Size, template: Template) -> None:
    check_quota(deed, owner, vm=1, cpu=size.cpus, memory=size.memory)
    check_quota(deed, owner, volume=1, primarystorage=template.gib)


def _template(deed: Deed) -> Template:
    id_ = deed.arguments.get("templateid")
    found = next((t for t in deed.world.offers.templates if t.id == id_), None)
    if found is None:
        raise Refused(431, "Unable to use template null", INVALID)
    if not found.public:
        check_owner(deed.caller, found.owner)
    return found


def _network(deed: Deed, owner: Account, zone: Zone) -> Network:
    """The first network named, else one that the owner has in the zone."""
    networks = deed.world.fleet.networks
    wanted = deed.arguments.get("networkids")
    if not wanted:
        return networks.of(owner, zone, deed.now)
    found = next((n for n in networks.all if n.id == wanted[0]), None)
    if found is None:
        raise no_such_entity(deed.command, "networkids", wanted[0])
    check_owner(deed.caller, found.owner)
    if found.zone is not zone:
        raise Refused(431, f"Network id={found.id} is not in the zone of the Instance", INVALID)
    return found


def update(deed: Deed) -> Row:
    """Another shown name, or another name, at once."""
    machine, arguments = deed.machine(), deed.arguments
    machine.displayname = arguments.get("displayname") or machine.displayname
    machine.name = arguments.get("name") or machine.name
    deed.world.changed()
    return result(deed, machine)


def migrate(deed: Deed) -> Work:
    """A running machine goes to another host, the emptiest one where none is named."""
    machine = deed.machine("virtualmachineid")
    hosts = [host for cluster in deed.world.places.clusters for host in cluster.hosts]
    id_ = deed.arguments.get("hostid")
    target = next((host for host in hosts if host.id == id_), None)
    if machine.state != "Running":
        named = dumped({"instanceName": machine.instancename, "uuid": machine.id})
        text = f"Instance is not Running, unable to migrate the Instance VM instance {named}"
        raise Refused(431, text, INVALID)
    if target is machine.host and target:
        raise Refused(431, f"Instance is already on host {target.name}", INVALID)

    def finish() -> Row:
        place(machine, target or _other(machine))
        event(deed, machine, "VM.MIGRATE", "migrate completed")
        return result(deed, machine)

    failure = "Failed to migrate Instance"
    return Work(finish, kind=KIND, instance=machine.id, on=machine, failure=failure)


def _other(machine: Machine) -> Host:
    hosts = [h for h in machine.cluster.hosts if not h.maintenance and h is not machine.host]
    return min(hosts, key=lambda host: host.memory) if hosts else emptiest(machine)


def scale(deed: Deed) -> Work:
    """A stopped machine gets another size; nothing here can do it while it runs."""
    machine = deed.machine()
    wanted = deed.arguments["serviceofferingid"]
    size = next(s for s in deed.world.offers.sizes if s.id == wanted)
    more = {"cpu": size.cpus - machine.size.cpus, "memory": size.memory - machine.size.memory}
    check_quota(deed, machine.owner, **{name: n for name, n in more.items() if n > 0})

    def finish() -> Row:
        if machine.state != "Stopped":
            text = "Dynamically scaling of Instances is not enabled for Zone "
            raise Refused(431, f"{text}{machine.cluster.zone.name}")
        count(deed, machine.owner, **more)
        machine.size = size
        return SUCCESS

    failure = "Failed to scale Instance"
    return Work(finish, kind=KIND, instance=machine.id, on=machine, failure=failure)


def reset_password(deed: Deed) -> Work:
    """A new password, in the result, for a stopped machine whose template takes one."""
    machine = deed.machine()

    def begin() -> None:
        if not machine.template.password_enabled:
            text = "Fail to reset password for the Instance, the Template is not password enabled"
            raise Refused(431, text)
        if machine.state != "Stopped":
            named = f"{machine.id} ({machine.displayname})"
            raise Refused(431, f"Instance {named} should be stopped for password reset operation")

    def finish() -> Row:
        password = deed.arguments.get("password") or new_password()
        return {"virtualmachine": result(deed, machine)["virtualmachine"] | _word(password)}

    failure = "Failed to reset Instance password"
    return Work(finish, begin, kind=KIND, instance=machine.id, on=machine, failure=failure)


DEPLOY = WriteCommand(
    "deployVirtualMachine",
    parameters=(
        Parameter("serviceofferingid", "uuid", "its size", entity="sizes", required=True),
        Parameter("zoneid", "uuid", "the zone", entity="zones", required=True),
        Parameter("templateid", "uuid", "its template", entity="templates"),
        Parameter("networkids", "list", "its network; the owner's own if left out"),
        Parameter("name", "string", "its name"),
        Parameter("displayname", "string", "the name that is shown to people"),
        Parameter("startvm", "boolean", "false: leave it stopped"),
        Parameter("userdata", "string", "what it reads at its first start", length=1_048_576),
        *FOR_WHOM,
    ),
    fields=f"{MACHINES.fields} password",
    nested=MACHINES.nested,
    isasync=True,
    java="user.vm.DeployVMCmd",
    two_faced=True,
    act=deploy,
)

COMMANDS = (
    DEPLOY,
    on_machines(
        "updateVirtualMachine",
        update,
        "",
        Parameter("displayname", "string", "the name that is shown to people"),
        Parameter("name", "string", "its name", since="4.4"),
    ),
    on_machines(
        "migrateVirtualMachine",
        migrate,
        "admin.vm.MigrateVMCmd",
        Parameter("hostid", "uuid", "the host it goes to", entity="hosts"),
        id_name="virtualmachineid",
        roles="A",
    ),
    on_machines(
        "resetPasswordForVirtualMachine",
        reset_password,
        "user.vm.ResetVMPasswordCmd",
        Parameter("password", "string", "the new one; made up if left out", since="4.19.0"),
    ),
    WriteCommand(
        "scaleVirtualMachine",
        parameters=(
            machine_id(),
            Parameter("serviceofferingid", "uuid", "its new size", entity="sizes", required=True),
        ),
        fields=SUCCESS_FIELDS,
        isasync=True,
        java="user.vm.ScaleVMCmd",
        two_faced=True,
        act=scale,
    ),
)
