"""Starting, stopping, rebooting, destroying and recovering machines."""

from __future__ import annotations

from cs_magic.demo.cloud.jobs import Work
from cs_magic.demo.cloud.lists import EVERYBODY
from cs_magic.demo.cloud.ownership import MACHINES
from cs_magic.demo.cloud.parameters import Parameter
from cs_magic.demo.cloud.refusals import FORBIDDEN, INVALID, Refused
from cs_magic.demo.cloud.vm_state import (
    KIND,
    emptiest,
    event,
    expel,
    gone,
    not_started,
    place,
    result,
    set_state,
    start_on,
)
from cs_magic.demo.cloud.writes import (
    EXPUNGED,
    SUCCESS,
    SUCCESS_FIELDS,
    Act,
    Deed,
    WriteCommand,
)
from cs_magic.demo.data.items import Row

NO_EXPUNGING = "Account does not have permission for expunging."
NO_RECOVERING = (
    "Recovering a vm can only be done by an Admin. Or when the allow.user.expunge.recover.vm "
    "key is set."
)


def start(deed: Deed) -> Work:
    """A machine is Starting, on its host, until it is Running."""
    machine = deed.machine()
    before = machine.updated
    never = machine.never_started

    def begin() -> None:
        if machine.state == "Running":
            text = f"The Instance {machine.id} ({machine.displayname}) is already running"
            raise Refused(431, text)
        if machine.state != "Stopped":
            raise Refused(530, not_started(deed, machine))
        place(machine, emptiest(machine))
        set_state(deed, machine, "Starting")

    def finish() -> Row:
        if never:
            start_on(deed, machine)
        else:
            set_state(deed, machine, "Running")
        event(deed, machine, "VM.START", "start completed")
        return result(deed, machine)

    def undo() -> None:
        if machine.state == "Starting":
            set_state(deed, machine, "Stopped")
            machine.updated = before

    return Work(finish, begin, undo, KIND, machine.id, machine, failure=not_started(deed, machine))


def stop(deed: Deed) -> Work:
    """A machine is Stopping until it is Stopped; one that is stopped stays so."""
    machine = deed.machine()

    def begin() -> None:
        if machine.state == "Running":
            set_state(deed, machine, "Stopping")

    def finish() -> Row:
        if machine.state == "Stopping":
            set_state(deed, machine, "Stopped")
            event(deed, machine, "VM.STOP", "stop completed")
        return result(deed, machine)

    def undo() -> None:
        if machine.state == "Stopping":
            set_state(deed, machine, "Running")

    failure = "Failed to stop Instance"
    return Work(finish, begin, undo, KIND, machine.id, machine, failure=failure)


def reboot(deed: Deed) -> Work:
    """A running machine stays Running."""
    machine = deed.machine()

    def begin() -> None:
        if machine.state != "Running":
            named = f"{machine.id} ({machine.displayname})"
            text = f"The Instance {named} is not running, unable to reboot it"
            raise Refused(431, text)

    def finish() -> Row:
        event(deed, machine, "VM.REBOOT", "reboot completed")
        return result(deed, machine)

    failure = "Failed to reboot Instance"
    return Work(finish, begin, kind=KIND, instance=machine.id, on=machine, failure=failure)


def destroy(deed: Deed) -> Work:
    """A machine is Destroyed, and can be recovered; with expunge=true it is gone."""
    machine = deed.machine()
    expunge = bool(deed.arguments.get("expunge"))

    def begin() -> None:
        if expunge and deed.caller.is_user:
            raise Refused(530, NO_EXPUNGING)

    def finish() -> Row:
        if machine.state != "Destroyed" and not gone(machine):
            set_state(deed, machine, "Destroyed")
            event(deed, machine, "VM.DESTROY", "destroy completed")
        if expunge:
            expel(deed, machine)
            return {"virtualmachine": EXPUNGED}
        return result(deed, machine)

    failure = "Failed to destroy Instance"
    return Work(finish, begin, kind=KIND, instance=machine.id, on=machine, failure=failure)


def expunge(deed: Deed) -> Work:
    """A destroyed machine is gone."""
    machine = deed.machine()

    def begin() -> None:
        if deed.caller.is_user:
            raise Refused(530, NO_EXPUNGING)
        if machine.state != "Destroyed":
            raise Refused(431, f"Please destroy Instance with ID: {machine.id} before expunging")

    def finish() -> Row:
        expel(deed, machine)
        return SUCCESS

    failure = "Failed to expunge Instance"
    return Work(finish, begin, kind=KIND, instance=machine.id, on=machine, failure=failure)


def recover(deed: Deed) -> Row:
    """A destroyed machine is Stopped again, at once; by a machine's admin only."""
    machine = deed.machine()
    if deed.caller.is_user:
        raise Refused(531, NO_RECOVERING, FORBIDDEN)
    if machine.state != "Destroyed":
        text = f"Vm with id {machine.id} is not in the right state"
        raise Refused(431, text, INVALID)
    machine.state = "Stopped"
    deed.world.changed()
    return result(deed, machine)


def machine_id(name: str = "id") -> Parameter:
    """The machine that is meant."""
    return Parameter(name, "uuid", "the virtual machine", entity="machines", required=True)


def on_machines(
    name: str,
    act: Act,
    java: str = "",
    *parameters: Parameter,
    id_name: str = "id",
    roles: str = EVERYBODY,
) -> WriteCommand:
    """A command about one machine that gives the machine."""
    return WriteCommand(
        name,
        roles=roles,
        parameters=(machine_id(id_name), *parameters),
        fields=MACHINES.fields,
        nested=MACHINES.nested,
        isasync=bool(java),
        java=java,
        two_faced=java.startswith("user."),
        act=act,
    )


COMMANDS = (
    on_machines(
        "startVirtualMachine",
        start,
        "user.vm.StartVMCmd",
        Parameter(
            "hostid", "uuid", "the host to start on: not heeded here", None, "hosts", since="3.0.1"
        ),
    ),
    on_machines(
        "stopVirtualMachine",
        stop,
        "user.vm.StopVMCmd",
        Parameter("forced", "boolean", "without waiting for the machine"),
    ),
    on_machines(
        "rebootVirtualMachine",
        reboot,
        "user.vm.RebootVMCmd",
        Parameter("forced", "boolean", "by stopping and starting it", since="4.16.0"),
    ),
    on_machines(
        "destroyVirtualMachine",
        destroy,
        "user.vm.DestroyVMCmd",
        Parameter("expunge", "boolean", "so that nothing is left to recover", since="4.2.1"),
    ),
    on_machines("recoverVirtualMachine", recover),
    WriteCommand(
        "expungeVirtualMachine",
        parameters=(machine_id(),),
        fields=SUCCESS_FIELDS,
        isasync=True,
        java="admin.vm.ExpungeVMCmd",
        act=expunge,
    ),
)
