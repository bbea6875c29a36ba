"""Runs other people's clients, and prints the table of what came of it.

python -m peers                          cs and libcloud, against a demo cloud of its own
python -m peers --all --save             all that are at hand; the table is saved
python -m peers --endpoint URL ...       against any endpoint

The status is 0 where each check ended as at the real server, and every client ran that was to;
cmk alone may be missing. A table is not saved without a client that the committed one has.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from cs_magic.demo.server import serving
from peers.checks import CHANGING, CHECKS
from peers.client import Bench, BrokenError, NotAtHandError, Outcome, Peer, outcome
from peers.cmk_program import CmkPeer
from peers.cs_library import CsPeer
from peers.go_sdk import GoSdkPeer
from peers.libcloud_driver import LibcloudPeer
from peers.plain import Target
from peers.table import COMMITTED, committed, differences, markdown

FROM_PYPI: tuple[type[Peer], ...] = (CsPeer, LibcloudPeer)
BY_HAND: tuple[type[Peer], ...] = (GoSdkPeer, CmkPeer)


def main(words: Sequence[str] | None = None) -> int:
    """Run the clients; 1 where one did otherwise than at the real server, or could not run."""
    options = _parser().parse_args(words)
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
    outcomes: list[Outcome] = []
    versions: dict[str, str] = {}
    absent: dict[str, str] = {}
    broken: set[str] = set()
    with _target(options) as target:
        for kind in (*FROM_PYPI, *(BY_HAND if options.all else ())):
            try:
                versions[kind.name] = kind.version()
            except NotAtHandError as why:
                absent[kind.name] = str(why)
                broken |= {kind.name} if isinstance(why, BrokenError) else set()
                continue
            outcomes += _run(kind, target, options)
    page = markdown(outcomes, versions, absent)
    sys.stdout.write(page)
    wanted = {kind.name for kind in (*FROM_PYPI, *((GoSdkPeer,) if options.all else ()))}
    missing = (wanted & absent.keys()) | broken
    for name in sorted(missing):
        sys.stderr.write(f"{name}: {absent[name]}\n")
    unsaved = options.save and not _saved(page, versions.keys())
    return 1 if differences(outcomes) or missing or unsaved else 0


def _saved(page: str, ran: Collection[str]) -> bool:
    """Save the table, unless it would lose a client that the committed one has."""
    lost = {client for client, _ in committed()} - set(ran)
    if lost:
        sys.stderr.write(f"{COMMITTED.name} is not saved: {', '.join(sorted(lost))} did not run\n")
        return False
    COMMITTED.write_text(page, encoding="utf-8")
    return True


def _run(kind: type[Peer], target: Target, options: argparse.Namespace) -> Iterator[Outcome]:
    changing = CHANGING if options.write or options.endpoint is None else {}
    bench = Bench(target, kind)
    for name, check in (CHECKS | kind.own_checks() | changing).items():
        done = outcome(bench, name, check)
        sys.stderr.write(f"{kind.name}, {name}: {done.result}\n")
        yield done


@contextmanager
def _target(options: argparse.Namespace) -> Iterator[Target]:
    if options.endpoint is not None:
        facts = ("endpoint", "api_key", "secret_key", "username", "password", "domain")
        yield Target(*(getattr(options, name) for name in facts))
        return
    with serving(machines=300, job_seconds=0.1) as demo:
        yield demo_target(demo)


def demo_target(demo: object) -> Target:
    """The main root admin of a demo cloud."""
    names = ("endpoint", "api_key", "secret_key", "username", "password", "domain")
    return Target(*(getattr(demo, name) for name in names))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m peers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--all", action="store_true", help="the Go SDK and cmk, too")
    parser.add_argument("--save", action="store_true", help=f"write {COMMITTED.name}")
    parser.add_argument("--endpoint", help="another server than a demo cloud of its own")
    parser.add_argument("--api-key", default=os.environ.get("CLOUDSTACK_KEY", ""))
    parser.add_argument("--secret-key", default=os.environ.get("CLOUDSTACK_SECRET", ""))
    parser.add_argument("--username", default="")
    parser.add_argument("--password", default=os.environ.get("CLOUDSTACK_PASSWORD", ""))
    parser.add_argument("--domain", default="/")
    parser.add_argument("--write", action="store_true", help="also tag a machine, and untag it")
    return parser


if __name__ == "__main__":
    sys.exit(main())
