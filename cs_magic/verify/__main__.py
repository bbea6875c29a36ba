"""`python -m cs_magic.verify`: does our client read your CloudStack rightly? Reads only."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from cs_magic.connection import Connection
from cs_magic.errors import CloudStackError, Refused
from cs_magic.notebook.connections import Connections
from cs_magic.verify.run import verified

WIDTH = 60


def main(words: Sequence[str] | None = None) -> int:
    """Verify and report: 0 where there is no problem, 1 where there is, 2 where it can't begin."""
    options = _parser().parse_args(words)
    with closing(Connections()) as connections:
        try:
            connection = _connection(connections, options.profile)
            if options.write and connection.profile.read_only:
                raise Refused(f"--write: the profile {connection.profile.name} is read-only")
        except CloudStackError as error:
            sys.stderr.write("\n".join(error.lines()) + "\n")
            return 2
        report = verified(connection, options.write, _tell)
    _tell("")
    text = report.markdown()
    if options.output is None:
        sys.stdout.write(text)
    else:
        try:
            options.output.write_text(text, encoding="utf-8")
        except OSError as error:
            sys.stderr.write(f"{options.output} can't be written: {error.strerror}\n")
            return 2
        sys.stdout.write(f"{report.verdict()}: {options.output}\n")
    return 1 if report.problems else 0


def _connection(connections: Connections, name: str | None) -> Connection:
    return connections.current() if name is None else connections.named(name)


def _tell(what: str) -> None:
    """Where somebody watches, what is being done, in a line that is written over."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{what[:WIDTH]:<{WIDTH}}" + ("" if what else "\r"))
        sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cs_magic.verify", description=__doc__)
    parser.add_argument(
        "profile", nargs="?", help="a profile's name, or demo; the current one by default"
    )
    parser.add_argument(
        "--write", action="store_true", help="also make a tag on something of yours, and remove it"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the report there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
