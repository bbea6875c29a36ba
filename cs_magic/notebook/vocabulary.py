"""The options and words of `%cs`, once: the grammar, the help and the README read them here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Option:
    """An option: its long name, its letter, what value it takes (None for none), what it does."""

    name: str
    letter: str
    takes: str | None
    does: str

    def written(self) -> str:
        """`-n, --limit N`"""
        names = f"-{self.letter}, --{self.name}" if self.letter else f"--{self.name}"
        return f"{names} {self.takes}" if self.takes else names


OPTIONS = (
    Option(
        "profile", "p", "NAME[,NAME]", "ask this profile, not the current one; or several at once"
    ),
    Option(
        "columns", "c", "a,b", "only these columns, in this order; nic.0.ipaddress reaches inside"
    ),
    Option("limit", "n", "N", "at most N rows"),
    Option("explode", "x", "FIELD", "a row for each element of a nested field, such as nic"),
    Option("output", "o", "WHAT", "df, raw (parsed JSON), csv:PATH, parquet:PATH or xlsx:PATH"),
    Option("own", "", None, "what your account owns, not everything you may see"),
    Option(
        "each", "", "[NAME=$rows]", "a call for each element of the one list, or each row as $NAME"
    ),
    Option("workers", "", "N", "with --each: so many at a time (4)"),
    Option("no-wait", "", None, "don't wait for the job; its id is given"),
    Option("timeout", "", "S", "wait so many seconds for a job, which then goes on"),
    Option("text", "", None, "leave dates and numbers that travel as text as they came"),
    Option("no-check", "", None, "send the call as typed, unknown parameters and all"),
    Option("dry-run", "", None, "show what would be sent; only names are looked up"),
    Option("yes", "y", None, "don't ask first, where it destroys, interrupts or shortens a file"),
    Option("refresh", "", None, "forget values that were read for completion"),
    Option("quiet", "q", None, "show the result, and a line only where it isn't complete"),
    Option("verbose", "v", None, "say more about where the result came from"),
    Option("reveal", "", None, "show the secrets in the answer, not ••••"),
    Option("tb", "", None, "show an error's whole traceback"),
    Option("help", "h", None, "show this; with a command or a word, what that does"),
)

WORDS = {
    "use": ("NAME [--read-only]", "make a profile the current one"),
    "login": (
        "[--prompt|--session]",
        "sign in by a form; or by prompts, or with a browser's session",
    ),
    "logout": ("", "sign out"),
    "profiles": ("", "the profiles there are, where they come from, and what shadows what"),
    "status": ("[-v]", "who you are, where; -v looks into why a call is refused"),
    "help": ("COMMAND", "what a command does, takes and answers"),
    "apis": (
        "[WORD ...] [--kind KIND]",
        "the commands that a word finds; KIND: read, write or destructive",
    ),
    "sync": ("", "read anew what the server can do; it is kept on disk"),
    "job": ("ID [--no-wait]", "wait for a job, and show what it gave"),
    "jobs": ("", "the jobs of this kernel, and how they stand"),
    "last": ("[--reveal|--tb]", "the last result, or what came of a list that broke off"),
    "demo": ("[--read-only]", "use the demo cloud, to practise on: as %cs use demo"),
}

# The options that may stand before one of our words: those of each, and of some.
ANY_WORD = frozenset({"quiet", "verbose", "tb", "help"})
WORD_OPTIONS = {
    **{word: frozenset({"profile"}) for word in ("help", "apis", "sync")},
    "job": frozenset({"profile", "no-wait", "timeout", "columns", "output", "reveal", "text"}),
}


def option(typed: str) -> Option | None:
    """The option that was typed as `-n` or `--limit`, or None."""
    for known in OPTIONS:
        if typed == f"--{known.name}" or (known.letter and typed == f"-{known.letter}"):
            return known
    return None


USAGE = """\
%cs [options] [NAME <<] command [parameter=value ...] [;]
NAME = %cs [options] command [parameter=value ...]

%%cs [options]
vms   << listVirtualMachines state=Running
hosts << listHosts type=Routing
"""

VALUES = """\
A value is bare text up to a blank, 'literal', or "with \\" escapes". $name and {name} are
Python values: $idle.id, $row["name"], $ids[0]. @file is what the file holds, ? asks for a
secret. tags.env=prod is a map's entry. # begins a comment. A last ; shows no table.
Where an id belongs, zoneid=Zürich is looked up by name; name:VALUE forces a name.
"""


def help_text() -> str:
    """What `%cs -h` shows, from the tables above."""
    return "\n".join(["CloudStack from a notebook.", "", USAGE, *_tables(), "", VALUES])


def _tables() -> Iterator[str]:
    yield "Options, before the command:"
    words = [f"{word} {takes}" for word, (takes, _) in WORDS.items()]
    width = max(map(len, [*words, *(known.written() for known in OPTIONS)]))
    for known in OPTIONS:
        yield f"  {known.written():{width}}  {known.does}"
    yield ""
    yield "Words that are not commands:"
    for word, (takes, does) in WORDS.items():
        yield f"  {f'{word} {takes}':{width}}  {does}"
