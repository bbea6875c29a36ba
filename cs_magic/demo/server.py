"""Serves the demo's API on a loopback port, in threads that do not keep the interpreter alive."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cheroot.server import HTTPConnection, HTTPRequest
from cheroot.wsgi import Server as HTTPServer

from cs_magic.demo.cloud.cloud import Cloud
from cs_magic.demo.cloud.record import Change
from cs_magic.demo.cloud.throttle import Throttle
from cs_magic.demo.data.items import Account
from cs_magic.demo.data.world import World
from cs_magic.demo.logins import Access as Access
from cs_magic.demo.logins import Login
from cs_magic.demo.protocol import App
from cs_magic.demo.sessions import TIMEOUT

HOST = "127.0.0.1"
MAIN = "admin"
# What Jetty says of a request line or headers that are too long, in cheroot's code → its own.
TOO_LONG = {"414": (414, "URI Too Long"), "413": (431, "Request Header Fields Too Large")}
# What Jetty takes of request line and headers, and how long it keeps a silent connection.
HEADER_BYTES = 8_192
KEEP_ALIVE = 30


class _Headers(list[tuple[bytes, bytes]]):
    """Headers to send, without the two that cheroot adds and CloudStack has not."""

    def append(self, header: tuple[bytes, bytes]) -> None:
        if header[0] not in (b"Date", b"Server"):
            super().append(header)


class _Request(HTTPRequest):  # type: ignore[misc]  # cheroot's stubs leave it untyped
    """A request that is answered without Date and Server, and when too long as Jetty does."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.outheaders = _Headers()

    def simple_response(self, status: int | str, msg: str = "") -> None:
        """What is wrong with a request before it is read."""
        known = TOO_LONG.get(str(status)[:3])
        if known is None:
            super().simple_response(status, msg)
            return
        self.close_connection = True
        page = f"<h1>Bad Message {known[0]}</h1><pre>reason: {known[1]}</pre>"
        head = (
            f"{self.server.protocol} {known[0]} {known[1]}\r\n"
            "Content-Type: text/html;charset=iso-8859-1\r\n"
            f"Content-Length: {len(page)}\r\nConnection: close\r\n\r\n"
        )
        self.conn.wfile.write((head + page).encode())


class _Connection(HTTPConnection):  # type: ignore[misc]  # as above
    RequestHandlerClass = _Request


class Demo:
    """A demo cloud with its port. `start()` opens it, `stop()` frees it; `with` does both.

    A session ends that nobody used for `session_timeout` seconds. Five wrong passwords in a
    row disable a user. Some people sign in with difficulty: `security` gives the code 314159
    after the password, `webshop-lab` has to set up a second factor first, `payroll` must choose
    a new password, the user `azubi` is disabled and the account `treuhand` is locked.

    What changes something by a job takes about `job_seconds`: until then a machine is Starting
    or Stopping, and a second job on it waits. Jobs on a machine whose name or shown name ends
    with `-fails`, `-slow` or `-hangs` fail, take ten times as long, or do not end; those on
    the admin's `print-prod-01`, `print-test-01` and `print-dev-01` do so in this order.

    A connection is closed that was silent for `idle_timeout` seconds. With `throttle=(most,
    seconds)` an account may make so many calls in so many seconds, root admins excepted; a
    signed call counts twice, as in CloudStack 4.23.
    """

    def __init__(
        self,
        machines: int = 1_200,
        seed: int = 1,
        port: int = 0,
        latency_ms: int = 0,
        signature_algorithm: str = "HmacSHA1",
        usage_rows: int = 0,
        session_timeout: float = TIMEOUT,
        job_seconds: float = 1.0,
        idle_timeout: float = KEEP_ALIVE,
        throttle: tuple[int, float] | None = None,
    ) -> None:
        self.world = World(seed, machines, usage_rows=usage_rows)
        self.world.api_limit = throttle
        self.cloud = Cloud(self.world, job_seconds)
        self.app = App(
            self.cloud,
            (signature_algorithm,),
            latency_ms / 1_000,
            session_timeout=session_timeout,
            throttle=Throttle(*throttle) if throttle else None,
        )
        self._port = port
        self._idle_timeout = idle_timeout
        self._http: HTTPServer | None = None

    def __repr__(self) -> str:
        where = self.endpoint if self._http else "stopped"
        return f"<demo cloud of {len(self.world.fleet.machines)} machines, {where}>"

    def __enter__(self) -> Demo:
        return self.start()

    def __exit__(self, *failure: object) -> None:
        self.stop()

    def start(self) -> Demo:
        """Open the port and answer in the background; OSError where the port is taken."""
        if self._http is None:
            http = HTTPServer(
                (HOST, self._port),
                self.app,
                numthreads=10,
                timeout=self._idle_timeout,
                shutdown_timeout=1,
                request_queue_size=64,
            )
            http.ConnectionClass = _Connection
            # How often it looks for connections that are silent for too long.
            http.expiration_interval = min(0.5, self._idle_timeout / 4)
            http.max_request_header_size = HEADER_BYTES
            _prepare(http)
            threading.Thread(target=http.serve, name="demo cloud", daemon=True).start()
            self._http = http
        return self

    def stop(self) -> None:
        """Close the port and end the threads. Stopping twice is no error."""
        http, self._http = self._http, None
        if http is not None:
            http.stop()

    @property
    def logins(self) -> tuple[Login, ...]:
        """The login requests so far, oldest first: user name, domain, status. No passwords."""
        return self.app.sessions.logins.seen

    @property
    def jobs(self) -> tuple[Change, ...]:
        """The state-changing calls that arrived, oldest first, each as often as it arrived.

        Calls that an account's role or signature does not allow are not among them.
        """
        self.cloud.jobs.advance()
        return self.cloud.record.seen

    def fail(self, command: str, share: float = 1.0, seed: int = 1) -> None:
        """Let a share of the command's calls fail from now on, 0 for none.

        Which ones depends on the seed and on what they are about, not on their order.
        ValueError for a share that is less than 0 or more than 1.
        """
        self.cloud.jobs.failures.set(command, share, seed)

    def finish_jobs(self, hanging: bool = False) -> None:
        """Let all jobs end at once; those that hang only where `hanging` says so."""
        self.cloud.jobs.finish(hanging)

    def limit(self, account: str, resource: str, most: int) -> None:
        """Set how much an account may have of a resource, "vm" or "volume" for example.

        KeyError where there is no such account or resource.
        """
        limits = self.world.totals[self.world.people.accounts[account].number].limits
        if resource not in limits:
            raise KeyError(resource)
        limits[resource] = most

    def restart(self, forget_jobs: bool = True) -> None:
        """Be as after a restart: sessions are gone, jobs that ran are over without a result.

        With `forget_jobs` no job of before is known any more, as after a purge. The port
        stays open, and what was changed stays changed.
        """
        self.cloud.jobs.restart(forget_jobs)
        self.end_sessions()

    def end_sessions(self, after: int = 0) -> None:
        """Forget every session, as a restart does; with `after`, when so many calls were answered.

        Only calls within a session count; ValueError where `after` is negative.
        """
        self.app.sessions.end_all(after)

    def let_pass(self, seconds: float) -> None:
        """Be as if nobody had called for so long: sessions are older, and limits that much over."""
        self.app.sessions.let_pass(seconds)
        self.app.throttle.let_pass(seconds)

    def enable(self, username: str) -> None:
        """Enable a user who was locked out, disabled or locked; KeyError for nobody's name."""
        self.app.sessions.logins.enable(username)

    def disable(self, username: str) -> None:
        """Disable a user, whose sessions and keys are then refused; KeyError for nobody's name."""
        self.app.sessions.logins.disable(username)

    @property
    def endpoint(self) -> str:
        """The URL of the API; RuntimeError where it is not being served."""
        if self._http is None:
            raise RuntimeError("The demo cloud is stopped: call start() first.")
        return f"http://{HOST}:{self._http.bind_addr[1]}/client/api"

    @property
    def accounts(self) -> dict[str, Access]:
        """How to be each of the accounts, by its name."""
        return {
            account.name: self._access(account) for account in self.world.people.accounts.values()
        }

    @property
    def api_key(self) -> str:
        """The main root admin's API key."""
        return self._main.api_key

    @property
    def secret_key(self) -> str:
        """The main root admin's secret key."""
        return self._main.secret_key

    @property
    def username(self) -> str:
        """The main root admin's user name."""
        return self._main.username

    @property
    def password(self) -> str:
        """The main root admin's password."""
        return self._main.password

    @property
    def domain(self) -> str:
        """The main root admin's domain, as a login takes it."""
        return self._main.domain

    @property
    def _main(self) -> Access:
        return self._access(self.world.people.accounts[MAIN])

    def _access(self, account: Account) -> Access:
        user = account.user
        return Access(
            self.endpoint,
            user.username,
            account.domain.login_path,
            account.role.name,
            user.api_key,
            user.secret_key,
            user.password,
        )


def _prepare(http: HTTPServer) -> None:
    """Bind and start the workers from a daemon thread, so that they are daemons too.

    cheroot has no option for it, and a thread inherits it from its maker.
    """
    failures: list[OSError] = []

    def prepare() -> None:
        try:
            http.prepare()
        except OSError as error:
            failures.append(error)

    thread = threading.Thread(target=prepare, daemon=True)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


@contextmanager
def serving(
    machines: int = 1_200,
    seed: int = 1,
    port: int = 0,
    latency_ms: int = 0,
    signature_algorithm: str = "HmacSHA1",
    usage_rows: int = 0,
    session_timeout: float = TIMEOUT,
    job_seconds: float = 1.0,
    idle_timeout: float = KEEP_ALIVE,
    throttle: tuple[int, float] | None = None,
) -> Iterator[Demo]:
    """A demo cloud that is served as long as the block runs; port 0 is any free one."""
    with Demo(
        machines,
        seed,
        port,
        latency_ms,
        signature_algorithm,
        usage_rows,
        session_timeout,
        job_seconds,
        idle_timeout,
        throttle,
    ) as demo:
        yield demo
