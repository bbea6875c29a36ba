"""`python -m cs_magic.demo`: a CloudStack to practise on, until it is stopped."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence

from cs_magic.demo.server import HOST, Demo

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
    )
    try:
        demo.start()
    except OSError as error:
        sys.stderr.write(
            f"Port {options.port} on {HOST} cannot be opened ({error.strerror}): "
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
    return HOW_TO.format(machines=machines, **facts)


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
        "--json", action="store_true", help="print endpoint, keys and user as one line of JSON"
    )
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{number} is less than nothing")
    return number


if __name__ == "__main__":
    sys.exit(main())
