"""Making, registering and deleting keys: of SSH and of the API. Made up, and shown once."""

from __future__ import annotations

import base64
import secrets

from cs_magic.demo.cloud.jobs import Work
from cs_magic.demo.cloud.parameters import Parameter
from cs_magic.demo.cloud.refusals import INVALID, NOT_YOURS, Refused
from cs_magic.demo.cloud.vm_changes import FOR_WHOM
from cs_magic.demo.cloud.writes import SUCCESS, SUCCESS_FIELDS, Deed, WriteCommand
from cs_magic.demo.data.belongings import key_row
from cs_magic.demo.data.items import Account, Item, Row, stamp
from cs_magic.demo.data.items import User as Person

KEY = "id name account projectid project domainid domain fingerprint hasannotations"
NAME = Parameter("name", "string", "its name", required=True)
# What is said of a pair of API keys, in the order in which it is told.
KEY_WORDS = ("description", "startdate", "enddate")
EXPIRED = "Keypair cannot be created with expired date, please input a date in the future."


def _named(deed: Deed, owner: Account) -> Item | None:
    keys = deed.world.table("sshkeys")
    name = deed.arguments["name"]
    return next((k for k in keys if k.owner is owner and k.get("name") == name), None)


def _add(deed: Deed, owner: Account) -> Row:
    if _named(deed, owner):
        name = deed.arguments["name"]
        raise Refused(431, f"A key pair with name '{name}' already exists.", INVALID)
    named = owner.fields()
    del named["domainpath"]
    digits = secrets.token_hex(16)
    row: Row = {
        "id": deed.new("sshkeys")[1],
        "name": deed.arguments["name"],
        **named,
        "fingerprint": ":".join(digits[place : place + 2] for place in range(0, 32, 2)),
        "hasannotations": False,
    }
    deed.add("sshkeys", row, owner)
    return row


def create(deed: Deed) -> Row:
    """A key pair; its private half is in this answer and nowhere else. It opens nothing."""
    row = _add(deed, deed.owner)
    noise = base64.b64encode(secrets.token_bytes(600)).decode()
    lines = [noise[place : place + 64] for place in range(0, len(noise), 64)]
    private = "\n".join(
        ["-----BEGIN RSA PRIVATE KEY-----", *lines, "-----END RSA PRIVATE KEY-----", ""]
    )
    return {"keypair": {"privatekey": private, **row}}


def register(deed: Deed) -> Row:
    """A key pair of which the person keeps the private half."""
    if not deed.arguments["publickey"].startswith(("ssh-", "ecdsa-")):
        raise Refused(431, "Public key is invalid", INVALID)
    return {"keypair": _add(deed, deed.owner)}


def delete(deed: Deed) -> Row:
    """A key pair is gone."""
    owner = deed.owner
    found = _named(deed, owner)
    if found is None:
        text = f"A key pair with name '{deed.arguments['name']}' does not exist for account "
        raise Refused(431, f"{text}{owner.name} in specified domain id", INVALID)
    deed.world.table("sshkeys").drop(found)
    return SUCCESS


def register_user(deed: Deed) -> Work:
    """Another key pair for a user, in the job's result; the one before opens as before."""
    user = deed.world.table("users").find(deed.arguments["id"])
    assert user
    owner = user.owner
    assert owner

    ends = deed.arguments.get("enddate")

    def begin() -> None:
        # Unlike everywhere else, CloudStack finds out in the job.
        if not deed.caller.sees(owner):
            raise Refused(530, NOT_YOURS)
        if ends is not None and ends <= stamp(deed.now):
            raise Refused(431, EXPIRED)

    def finish() -> Row:
        person: Person = owner.user
        number, id_ = deed.new("userkeys")
        token = secrets.token_hex(16)
        api = f"demo-api-key-of-{person.number:02}-number-{number}-not-a-real-key-{token}"
        secret = f"demo-secret-key-of-{person.number:02}-not-a-real-key-{secrets.token_hex(20)}"
        name = deed.arguments.get("name") or f"{person.number} - API key pair"
        said = {n: deed.arguments[n] for n in KEY_WORDS if n in deed.arguments}
        row = key_row(owner, id_, name, api, secret, deed.now, said)
        deed.add("userkeys", row, owner)
        deed.world.key_pairs[api] = owner, secret
        return {"userkeys": row}

    failure = "Failed to register user keys"
    return Work(finish, begin, kind="User", instance=deed.arguments["id"], failure=failure)


COMMANDS = (
    WriteCommand(
        "createSSHKeyPair",
        parameters=(NAME, *FOR_WHOM),
        fields=f"privatekey {KEY}",
        act=create,
    ),
    WriteCommand(
        "registerSSHKeyPair",
        parameters=(
            NAME,
            Parameter("publickey", "string", "its public half", required=True, length=5_120),
            *FOR_WHOM,
        ),
        fields=KEY,
        act=register,
    ),
    WriteCommand(
        "deleteSSHKeyPair", parameters=(NAME, *FOR_WHOM), fields=SUCCESS_FIELDS, act=delete
    ),
    WriteCommand(
        "registerUserKeys",
        parameters=(
            Parameter("id", "uuid", "the user", entity="users", required=True),
            Parameter("name", "string", "the name of the pair"),
            Parameter("description", "string", "what it is for", length=1_024),
            Parameter("startdate", "date", "when it begins: not heeded here"),
            Parameter("enddate", "date", "when it ends, which is to come: not heeded here"),
        ),
        fields="name apikey secretkey userid username id description startdate enddate created "
        "accounttype accountid accountname roleid roletype rolename domainid domain domainpath "
        "state",
        types={"accounttype": "string", "state": "apikeypairstate"},
        isasync=True,
        java="admin.user.RegisterUserKeysCmd",
        act=register_user,
    ),
)
