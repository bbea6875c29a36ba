"""What our own words do: use, profiles, status, sync, last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cs_magic.api.profile import Profile
from cs_magic.api.values import Call, Options
from cs_magic.embedded import DEMO
from cs_magic.errors import CloudStackError, SignInNeeded, Unauthorized
from cs_magic.notebook.arguments import text_of
from cs_magic.notebook.connections import Connections
from cs_magic.notebook.shown import frame_of, say
from cs_magic.notebook.signing_in import SignIn
from cs_magic.notebook.statements import Statement

if TYPE_CHECKING:
    import pandas as pd

    from cs_magic.connection import Connection

# What may stand behind a word, beside what it names.
_FLAGS: Mapping[str, frozenset[str]] = {
    "use": frozenset({"--read-only"}),
    "demo": frozenset({"--read-only"}),
    "login": frozenset({"--prompt", "--session"}),
    "status": frozenset({"-v", "--verbose"}),
    "last": frozenset({"--reveal", "--tb"}),
    "apis": frozenset({"--kind"}),
    "job": frozenset({"--no-wait"}),
}
# How many names may stand behind a word.
_NAMES: Mapping[str, int] = {"use": 1, "help": 1, "apis": 9, "job": 1}


def flags_of(statement: Statement) -> set[str]:
    """The flags behind a word, which may also take names.

    Raises:
        CallError: there is something else behind it, or too little.
    """
    word = statement.command.lower()
    named = _NAMES.get(word, 0)
    flags = {one.text for one in statement.words if one.bare and one.text.startswith("-")}
    known = _FLAGS.get(word, frozenset())
    for one in statement.words:
        is_known = one.text in known or (word == "apis" and one.text.startswith("--kind="))
        if one.text in flags and not is_known:
            raise statement.wrong(f"{word} takes no {one.text}", column=one.column)
    rest = [one for one in statement.words if one.text not in flags or one.path]
    if len(rest) > named:
        raise statement.wrong(f"{word} takes no {rest[named].text}", column=rest[named].column)
    return flags


def profile_name(statement: Statement, names: Mapping[str, Any]) -> str:
    """The name that stands behind `use`; of the word `demo` its own."""
    flags = flags_of(statement)
    word = statement.command.lower()
    if statement.target:
        raise statement.wrong(f"{word} gives nothing that a variable could keep")
    if word == DEMO:
        return DEMO
    named = [one for one in statement.words if one.text not in flags or one.path]
    if not named:
        raise statement.wrong("use takes the name of a profile: %cs use demo")
    name = text_of(statement, named[0], names)
    if "," in name:
        hint = f"%cs -p {name} … asks several at once."
        raise statement.wrong("use takes one profile", hint, column=named[0].column)
    return name


def job_id(statement: Statement, names: Mapping[str, Any]) -> str:
    """The id that stands behind `job`."""
    flags = flags_of(statement)
    named = [one for one in statement.words if one.text not in flags or one.path]
    if not named:
        raise statement.wrong("job takes the id of a job; %cs jobs lists them")
    return text_of(statement, named[0], names)


def only_reads(statement: Statement) -> bool:
    """Whether `use` is to make it read-only."""
    return "--read-only" in flags_of(statement)


def use(statement: Statement, names: Mapping[str, Any], connections: Connections) -> None:
    """Make a profile the current one, and say which it is."""
    connection = connections.use(profile_name(statement, names), only_reads(statement))
    if not statement.has("quiet"):
        say(_used(connection.profile, statement.has("verbose")))


def login(statement: Statement, connection: Connection, sign_in: SignIn) -> None:
    """Have somebody sign in: by a form, by prompts, or with a browser's session."""
    flags = flags_of(statement)
    if len(flags) > 1:
        raise statement.wrong("login takes --prompt or --session, not both")
    if flags == {"--prompt"}:
        sign_in.prompt(connection)
    elif flags == {"--session"}:
        sign_in.adopt(connection)
    else:
        sign_in.form(connection)


def logout(statement: Statement, connection: Connection, sign_in: SignIn) -> None:
    """End the session, and say so."""
    flags_of(statement)
    came = sign_in.sign_out(connection)
    if not statement.has("quiet"):
        who = f"{came} signed out" if came else "nobody was signed in"
        say(f"{connection.profile.name} at {connection.profile.host}: {who}")


def profiles(connections: Connections) -> pd.DataFrame:
    """A frame of the profiles there are: name, current, host, keys, source, state; no secret."""
    current = connections.current_name()
    rows = [
        {
            "name": row.name,
            "current": "→" if row.name == current and not row.state else "",
            "host": row.host,
            "keys": row.keys,
            "source": row.source,
            "state": row.state,
        }
        for row in connections.profiles.rows()
    ]
    here = "→" if current == DEMO else ""
    demo = {"name": DEMO, "current": here, "keys": "API keys", "source": "%cs use demo"}
    return frame_of([*rows, demo]).fillna("")


def sync(statement: Statement, connection: Connection) -> None:
    """Read the server's catalogue anew, and say what came; CloudStackError where it can't be."""
    if statement.target:
        raise statement.wrong("sync gives nothing that a variable could keep")
    before = set(connection.catalogue.names()) if connection.catalogue.sure else None
    catalogue = connection.sync()
    names = set(catalogue.names())
    changed = f", {len(names - before)} new, {len(before - names)} gone" if before else ""
    if not statement.has("quiet"):
        where = f"{connection.profile.name}: CloudStack {catalogue.version}"
        say(f"{where} · {len(names):,} commands{changed}")


def status(statement: Statement, connections: Connections) -> pd.DataFrame:
    """A frame of who you are and where: one row per fact, `fact` and `value`.

    With `-v`, a call that is refused is looked into: one harmless read with a later and
    an earlier `expires` tells whether this machine's clock is the reason.
    """
    verbose = bool(flags_of(statement)) or statement.has("verbose")
    connection = connections.current()
    facts = dict(_of_the_profile(connection.profile))
    try:
        facts |= _of_the_caller(connection)
    except SignInNeeded:
        facts["signed in"] = "nobody: %cs login"
    except Unauthorized as error:
        facts["refused"] = error.errortext
        if verbose:
            facts["clock"] = connection.client.access.clock_probe()
        else:
            facts["why"] = "%cs status -v looks into it"
    except CloudStackError as error:
        facts["no answer"] = str(error)
    if verbose:
        facts["catalogue"] = f"{connection.catalogue.origin} {connection.catalogue.version}"
    return frame_of([{"fact": fact, "value": value} for fact, value in facts.items()])


def _used(profile: Profile, verbose: bool) -> str:
    # The demo's port is another each time, and says nothing.
    where = f" ({profile.host})" if profile.name != DEMO or verbose else ""
    only = ", read-only" if profile.read_only else ""
    return f"using {profile.name}{only}: {profile.source}{where}"


def _of_the_profile(profile: Profile) -> dict[str, str]:
    return {
        "profile": profile.name,
        "host": profile.host,
        "source": profile.source,
        "access": "read-only" if profile.read_only else "read and write",
    }


def _of_the_caller(connection: Connection) -> dict[str, str]:
    """Account, domain, role and the server's version, as far as the server tells them."""
    capabilities = connection.parsed(connection.run(Call("listCapabilities"), Options()), Options())
    own = connection.frame(connection.run(Call("listAccounts"), Options(own=True)), Options())
    [capability] = capabilities["capability"]
    facts = {"version": str(capability.get("cloudstackversion", ""))}
    for fact, column in (("account", "name"), ("domain", "domainpath"), ("role", "rolename")):
        if len(own) == 1 and column in own:
            facts[fact] = str(own[column].iloc[0])
    return facts
