"""`python -m cs_magic.demo`: a CloudStack to practise on, until it is stopped."""

from __future__ import annotations

import argparse
import json
import math
import signal
import sys
import threading
from collections.abc import Iterator, Sequence

from cs_magic.demo.data.items import Account
from cs_magic.demo.logins import ATTEMPTS
from cs_magic.demo.server import HOST, KEEP_ALIVE, Demo
from cs_magic.demo.sessions import TIMEOUT

FACTS = ("endpoint", "api_key", "secret_key", "username", "password", "domain")

HOW_TO = """\
A CloudStack to practise on, with {machines:,} invented virtual machines.

  endpoint    {endpoint}
  api key     {api_key}
  secret key  {secret_key}
  username    {username}
  password    {password}
  domain      {domain}

For %cs, before Jupyter starts (inside a notebook, %cs use demo is enough):

  export CLOUDSTACK_ENDPOINT={endpoint}
  export CLOUDSTACK_KEY={api_key}
  export CLOUDSTACK_SECRET={secret_key}

For other clients, for example cmk:

  cmk set url {endpoint}
  cmk set apikey {api_key}
  cmk set secretkey {secret_key}

Others who sign in with a name; the password of NAME is "demo NAME+/={seed}":

{others}

What is changed takes effect by jobs of about a second. Jobs on a machine whose name ends with
-fails, -slow or -hangs do that; so do those on the admin's print-prod-01, print-test-01 and
print-dev-01, in this order.

{attempts} wrong passwords in a row disable a user, until the demo is started again.

Stop it with Ctrl-C. Keys and password are made up, and nobody else's.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until stopped; 1 where the port is taken."""
    options = _parser().parse_args(arguments)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    demo = Demo(
        options.machines,
        options.seed,
        options.port,
        options.latency_ms,
        options.signature_algorithm,
        options.usage_rows,
        options.session_timeout,
        options.job_seconds,
        options.idle_timeout,
    )
    try:
        demo.start()
    except OSError as error:
        sys.stderr.write(
            f"Port {options.port} on {HOST} cannot be opened ({error.strerror or error}): "
            "choose another one with --port.\n"
        )
        return 1
    with demo:
        sys.stdout.write(_greeting(demo, options.machines, options.json))
        sys.stdout.flush()
        stopped.wait()
    return 0


def _greeting(demo: Demo, machines: int, as_json: bool) -> str:
    facts = {name: getattr(demo, name) for name in FACTS}
    if as_json:
        return json.dumps(facts, ensure_ascii=False) + "\n"
    accounts = demo.world.people.accounts.values()
    others = "\n".join(_who(account) for account in accounts if account.name != demo.username)
    return HOW_TO.format(
        machines=machines, seed=demo.world.seed, others=others, attempts=ATTEMPTS, **facts
    )


def _who(account: Account) -> str:
    line = f"  {account.name:<13} {account.domain.login_path:<16} {account.role.name}"
    return line + "".join(f", {difficulty}" for difficulty in _difficulties(account))


def _difficulties(account: Account) -> Iterator[str]:
    """What stands between this user and the cloud, besides the password."""
    if account.user.pin:
        yield f"then the code {account.user.pin}"
    elif account.wants_second_factor:
        yield "has to set up a second factor first"
    if account.user.must_change_password:
        yield "has to choose a new password"
    if account.user.state != "enabled":
        yield f"is {account.user.state}"
    if account.state != "enabled":
        yield f"whose account is {account.state}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cs_magic.demo", description=__doc__)
    parser.add_argument("--port", type=_port, default=0, help="the port; any free one by default")
    parser.add_argument(
        "--machines",
        type=_count,
        default=1_200,
        help="how many virtual machines the accounts own (1200)",
    )
    parser.add_argument("--seed", type=int, default=1, help="another number is another cloud (1)")
    parser.add_argument(
        "--latency-ms",
        type=_count,
        default=0,
        help="milliseconds to wait before each page of a list (0)",
    )
    parser.add_argument(
        "--signature-algorithm",
        choices=("HmacSHA1", "HmacSHA512"),
        default="HmacSHA1",
        help="the only signatures that are accepted",
    )
    parser.add_argument(
        "--usage-rows",
        type=_count,
        default=0,
        help="at least so many usage records, by cutting days finer (0: by days)",
    )
    parser.add_argument(
        "--session-timeout",
        type=_seconds,
        default=TIMEOUT,
        help=f"seconds until a session ends that nobody uses ({TIMEOUT})",
    )
    parser.add_argument(
        "--job-seconds",
        type=_some_seconds,
        default=1.0,
        help="about how long a job takes (1)",
    )
    parser.add_argument(
        "--idle-timeout",
        type=_seconds,
        default=KEEP_ALIVE,
        help=f"seconds until a silent connection is closed ({KEEP_ALIVE})",
    )
    parser.add_argument(
        "--json", action="store_true", help="print endpoint, keys and user as one line of JSON"
    )
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)


def _seconds(text: str) -> int:
    if _count(text) == 0:
        raise argparse.ArgumentTypeError("it lasts longer than no time at all")
    return int(text)


def _some_seconds(text: str) -> float:
    number = float(text)
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"a job cannot take {text} seconds")
    return number


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{number} is less than nothing")
    return number


if __name__ == "__main__":
    sys.exit(main())
