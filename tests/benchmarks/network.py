"""Over HTTP: pages that take their time, read by us and by `cs`; part of `make bench`.

    network.py serve FOLDER MILLISECONDS     pages that are ready, each after a while
    network.py read CLIENT ENDPOINT          one figure: seconds and peak MB, as JSON

A client is `cs_magic` or `cs`, how many requests it sends at a time, and perhaps the data or
the catalogue that it gets.

Each runs in a process of its own.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import data
import figures

LATENCIES = (0, 50, 300)  # milliseconds a page
WORKERS = (1, 4, 8)
CLIENTS = (*(f"cs_magic {workers}" for workers in WORKERS), "cs 1")
ODD = ("cs_magic 4, odd data", "cs_magic 4, another catalogue")
EMPTY = b'{"listvirtualmachinesresponse":{}}'
Measured = tuple[float, float]


# -- a server that has its pages ready -----------------------------------------------------


def serve(folder: str, milliseconds: str) -> None:
    """Print the endpoint, and serve until the process is ended."""
    pages = data.pages(Path(folder))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._answer(urlsplit(self.path).query)

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def _answer(self, form: str) -> None:
            asked = {name.lower(): values[0] for name, values in parse_qs(form).items()}
            number = int(asked.get("page", "1")) - 1
            is_there = "projectid" not in asked and number < len(pages)
            body = pages[number] if is_there else EMPTY
            time.sleep(int(milliseconds) / 1000)
            self.send_response(200)
            self.send_header("Content-Type", "application/json;charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self._headers_buffer.append(b"\r\n" + body)  # one packet, not two
            self.flush_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}/client/api\n")
        sys.stdout.flush()
        server.serve_forever()


@contextmanager
def served(folder: Path, milliseconds: int) -> Iterator[str]:
    """The endpoint of such a server, as long as the block runs."""
    words = [sys.executable, __file__, "serve", str(folder), str(milliseconds)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        try:
            yield running.stdout.readline().strip()
        finally:
            running.terminate()


# -- those that read from it ---------------------------------------------------------------


def ours(endpoint: str, workers: int) -> Any:
    import cs_magic

    with cs_magic.connect(
        endpoint=endpoint, api_key="key", secret_key="secret", workers=workers, catalogue="bundled"
    ) as cloud:
        return cloud.call("listVirtualMachines", own=True)


def theirs(endpoint: str, workers: int) -> Any:
    import pandas as pd
    from cs import CloudStack

    cloud = CloudStack(endpoint=endpoint, key="key", secret="secret", timeout=60)
    return pd.DataFrame(cloud.listVirtualMachines(fetch_list=True))


READERS = {"cs_magic": ours, "cs": theirs}


def read(client: str, endpoint: str) -> None:
    """Read the whole list once, imports being done by a first, small run."""
    import cs  # noqa: F401
    import pandas as pd

    import cs_magic.frames
    import cs_magic.opening  # noqa: F401

    name, workers = client.partition(",")[0].split()
    figures.ours([EMPTY])
    pd.DataFrame([{"a": 1}])
    if client.endswith("another catalogue"):
        _change_the_catalogue()
    start = figures.restarted()
    began = time.perf_counter()
    made = READERS[name](endpoint, int(workers))
    seconds = time.perf_counter() - began
    peak = figures.kilobytes("VmHWM") - start
    sys.stdout.write(json.dumps({"rows": len(made), "seconds": seconds, "peak": peak / 1000}))


def _change_the_catalogue() -> None:
    """Have the bundled one name ten fields less, and give four another type."""
    from dataclasses import replace

    from cs_magic.api import catalogue

    whole = catalogue.bundled()
    command = whole.command("listVirtualMachines")
    names = [one.name for one in command.fields if one.kind == "text"][20:30]
    types = {"text": "string", "integer": "integer"}
    fields = tuple(
        replace(one, type=types.get(figures.CHANGED.get(one.name, ""), one.type))
        for one in command.fields
        if one.name not in names
    )
    whole.commands[command.name.lower()] = replace(command, fields=fields)


def measured(client: str, endpoint: str, rows: int, times: int = 3) -> Measured:
    """Seconds and MB of one client, the median of some runs."""
    runs = []
    for _ in range(times):
        words = [sys.executable, __file__, "read", client, endpoint]
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
        told = json.loads(done.stdout)
        assert told["rows"] == rows, told
        runs.append((told["seconds"], told["peak"]))
    seconds, peaks = zip(*runs, strict=True)
    return statistics.median(seconds), statistics.median(peaks)


def table(folder: Path, many: Path) -> str:
    """A Markdown table: at each latency, each client with what it could not be faster than.

    Args:
        folder: with the pages in `clean` and `odd`.
        many: more pages, for the row of a long list.
    """
    rows, more = (len(data.pages(one)) * data.PAGE for one in (folder / "clean", many))
    lines = [
        f"\nOver HTTP, {rows:,} virtual machines in {rows // data.PAGE} pages, and {more:,}. *At"
        " best* is the larger of pages × latency ÷ workers and what the list takes from memory.\n",
        "| client, requests at a time | ms a page | seconds | × at best | times faster than cs"
        " | peak MB | × its memory |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    parse = _from_memory(folder / "clean")
    for latency in LATENCIES:
        with served(folder / "clean", latency) as endpoint:
            found = {client: measured(client, endpoint, rows) for client in CLIENTS}
            found[ODD[1]] = measured(ODD[1], endpoint, rows)
        with served(folder / "odd", latency) as endpoint:
            found[ODD[0]] = measured(ODD[0], endpoint, rows)
        lines += _lines(found, latency, rows, parse)
    with served(many, 0) as endpoint:
        found = {client: measured(client, endpoint, more) for client in ("cs_magic 4", "cs 1")}
    lines.append(f"| **{more:,} machines** | | | | | | |")
    lines += _lines(found, 0, more, _from_memory(many))
    return "\n".join(lines) + "\n"


def _lines(found: dict[str, Measured], latency: int, rows: int, parse: float) -> list[str]:
    other, memory = found["cs 1"]
    lines = []
    for client, (seconds, peak) in found.items():
        workers = int(client.partition(",")[0].split()[1])
        best = max(rows / data.PAGE * latency / 1000 / workers, parse)
        lines.append(
            f"| {client} | {latency} | {seconds:.2f} | {seconds / best:.2f} |"
            f" {other / seconds:.1f} | {peak:.0f} | {peak / memory:.2f} |"
        )
    return lines


def _from_memory(folder: Path) -> float:
    words = [sys.executable, figures.__file__, "ours", str(folder)]
    runs = [
        json.loads(subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout)
        for _ in range(3)
    ]
    return statistics.median(run["seconds"] for run in runs)


if __name__ == "__main__":
    {"serve": serve, "read": read}[sys.argv[1]](*sys.argv[2:])
