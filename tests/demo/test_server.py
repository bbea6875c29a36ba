"""Starting, stopping, and `python -m cs_magic.demo`."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import urllib.parse
from typing import Any

import pytest

from cs_magic.demo.__main__ import main
from cs_magic.demo.cloud.cloud import Cloud
from cs_magic.demo.data.world import World
from cs_magic.demo.protocol import App
from cs_magic.demo.server import Demo, serving


def test_keys_are_the_same_for_a_seed_and_obviously_made_up(demo: Demo) -> None:
    with serving(machines=0) as other:
        assert (other.api_key, other.secret_key) == (demo.api_key, demo.secret_key)
    without = [name for name, access in demo.accounts.items() if not access.api_key]
    assert without == ["azubi"]
    for name in demo.accounts.keys() - without:
        assert "not-a-real-key" in demo.accounts[name].api_key
        assert "not-a-real-key" in demo.accounts[name].secret_key
    with serving(machines=0, seed=5) as third:
        assert third.api_key != demo.api_key


def test_no_secret_is_in_a_repr(demo: Demo) -> None:
    shown = f"{demo!r} {demo.accounts!r} {demo.world.people!r}"
    for access in (one for one in demo.accounts.values() if one.api_key):
        assert access.api_key not in shown
        assert access.secret_key not in shown
        assert access.password not in shown


def test_the_main_account_is_the_root_admin(demo: Demo) -> None:
    main_facts = demo.accounts["admin"]
    assert main_facts.api_key == demo.api_key
    assert (demo.username, demo.domain, main_facts.role) == ("admin", "/", "Root Admin")
    assert demo.accounts["webshop"].domain == "/Retail"


def test_stop_frees_the_port_and_ends_the_threads() -> None:
    before = set(threading.enumerate())
    demo = Demo(machines=3).start()
    port = urllib.parse.urlsplit(demo.endpoint).port
    assert all(thread.daemon for thread in set(threading.enumerate()) - before)
    demo.stop()
    demo.stop()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))
    with pytest.raises(RuntimeError, match="stopped"):
        _ = demo.endpoint


def test_a_stopped_demo_starts_again() -> None:
    demo = Demo(machines=3).start()
    demo.stop()
    with demo:
        assert demo.endpoint.startswith("http://127.0.0.1:")


def test_a_connection_is_kept_for_the_next_call(demo: Demo, wire: Any) -> None:
    url = urllib.parse.urlsplit(demo.endpoint)
    connection = http.client.HTTPConnection(url.hostname or "", url.port)
    ports = set()
    for _ in range(3):
        query = wire.signed(demo.accounts["admin"], {"command": "listZones"})
        connection.request("GET", f"{url.path}?{query}")
        assert json.loads(connection.getresponse().read())["listzonesresponse"]["count"] == 3
        ports.add(connection.sock.getsockname()[1])
    connection.close()
    assert len(ports) == 1


def test_several_may_ask_at_once(demo: Demo, call: Any) -> None:
    answers: list[int] = []

    def ask(who: str) -> None:
        answers.append(call(who, "listVirtualMachines", listall="true", details="min").count)

    threads = [threading.Thread(target=ask, args=(who,)) for who in ("root", "erp") * 6]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 2
    assert len(answers) == 12


def test_the_latency_is_waited_before_pages_of_lists_only(wire: Any) -> None:
    waited: list[float] = []
    statuses: list[str] = []
    world = World(machines=3)
    app = App(Cloud(world), latency=0.25, sleep=waited.append)
    access = world.people.accounts["admin"].user
    for command in ("listZones", "listCapabilities"):
        query = wire.signed(access, {"command": command})
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/client/api", "QUERY_STRING": query}
        app(environ, lambda status, headers: statuses.append(status))
    assert statuses == ["200 OK", "200 OK"]
    assert waited == [0.25]


def test_a_hundred_thousand_machines_are_invented_without_building_a_row() -> None:
    world = World(machines=100_000)
    assert len(world.fleet.machines) == 100_026
    assert len({machine.id for machine in world.fleet.machines}) == 100_026


@pytest.fixture
def process() -> Any:
    """`python -m cs_magic.demo` with those options; killed afterwards if need be."""
    started: list[subprocess.Popen[str]] = []

    def run(*options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "cs_magic.demo", *options]
        started.append(
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
        return started[-1]

    yield run
    for one in started:
        one.kill()
        one.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_program_cleanly(process: Any, wire: Any, number: int) -> None:
    program = process("--json", "--machines", "5")
    facts = json.loads(program.stdout.readline())
    assert list(facts) == [
        "endpoint",
        "api_key",
        "secret_key",
        "username",
        "password",
        "domain",
    ]
    assert wire.send(facts["endpoint"]).status == 401
    program.send_signal(number)
    assert program.wait(timeout=10) == 0
    assert program.stderr.read() == ""


def test_a_port_in_use_is_one_sentence_and_exit_code_1(
    demo: Demo, capsys: pytest.CaptureFixture[str]
) -> None:
    port = urllib.parse.urlsplit(demo.endpoint).port
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    assert main(["--port", str(port), "--machines", "0"]) == 1
    for number, handler in before.items():
        signal.signal(number, handler)
    error = capsys.readouterr().err
    assert error.startswith(f"Port {port} on 127.0.0.1 cannot be opened (")
    assert error.count("\n") == 1


def test_the_program_prints_a_short_how_to(process: Any, demo: Demo) -> None:
    program = process("--machines", "5")
    text = "".join(program.stdout.readline() for _ in range(20))
    for fact in (demo.api_key, demo.secret_key, demo.password, "%cs use demo", "5 invented"):
        assert fact in text


def test_the_program_says_whom_one_may_be_and_how(process: Any, demo: Demo) -> None:
    program = process("--machines", "5")
    first = program.stdout.readline()
    program.terminate()
    text = first + program.stdout.read()
    for name, access in demo.accounts.items():
        assert name in text
        assert access.domain in text
        assert access.password == f"demo {name}+/=1"
    assert 'the password of NAME is "demo NAME+/=1"' in text
    for line in (
        "security      /                Root Admin, then the code 314159",
        "webshop-lab   /Retail/Webshop  User, has to set up a second factor first",
        "payroll       /Finance         User, has to choose a new password",
        "azubi         /Forschung       User, is disabled",
        "treuhand      /Finance         User, whose account is locked",
        "erp           /Finance         User\n",
    ):
        assert line in text


def test_the_program_takes_a_session_timeout(process: Any, wire: Any) -> None:
    program = process("--json", "--machines", "5", "--session-timeout", "90")
    facts = json.loads(program.stdout.readline())
    form = {name: facts[name] for name in ("username", "password", "domain")}
    answer = wire.send(
        facts["endpoint"],
        urllib.parse.urlencode({"command": "login", "response": "json", **form}),
    )
    assert answer.inner["timeout"] == 90


@pytest.mark.parametrize("port", ["65536", "-1", "http", "99999999999"])
def test_a_port_that_cannot_be_is_refused_in_a_sentence(port):
    done = subprocess.run(
        [sys.executable, "-m", "cs_magic.demo", f"--port={port}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "a port is a number from 0 to 65535" in done.stderr
    assert "Traceback" not in done.stderr
