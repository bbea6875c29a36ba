"""Canaries of each kind go through every feature in a process; then all that was written is read.

What a form holds (a two-factor code) is searched for in `tests/notebook/test_secrets_in_a_kernel`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from replay import VARIABLES
from servers import Came, Reply, listed, serving

CANARIES = {
    "secret key": "canary-secret-key/+1",
    "API key": "canary-api-key/+2",
    "password of a profile": "canary-password/+3",
    "session key": "canary-session-key/+4",
    "JSESSIONID": "canary-jsessionid-5",
    "secret parameter": "canary-parameter/+6",
    "secret in a reply": "canary-in-a-reply/+7",
    "secret in a redirect": "canary-in-a-redirect-8",
    "proxy password": "canary-proxy-9",
}
ID = "cbe28269-ac23-4d52-a8b0-a2ae8f78f9f6"
DEEP = CANARIES["secret in a reply"]
ROW = {
    "id": ID,
    "name": "web",
    "apikey": DEEP,
    "details": {"a": [{"secretkey": DEEP, "url": f"https://h/x?token={DEEP}"}]},
    "tags": [{"key": "db.password", "value": DEEP}],
}

# What a person may do; `parameter` holds a secret, and isn't typed into any cell.
CELLS = (
    """
%load_ext cs_magic
%cs use keys
zones = %cs -v listZones
zones, zones.attrs
%cs --dry-run updateUser id={id} password=$parameter
%cs -o raw listUsers
%cs -o csv:users.csv listUsers
%cs -o xlsx:users.xlsx listUsers
%cs -o parquet:users.parquet listUsers
%cs -o parquet:users listUsers
%cs --no-check -x details listUsers
%cs -p keys,people listUsers
%cs registerUserKeys id={id}
%cs last
%cs resetPasswordForVirtualMachine id={id} password=$parameter
%cs --no-wait resetPasswordForVirtualMachine id={id} password=$parameter
%cs -y --each createUser account=a email=e firstname=f lastname=l username=$both password=$parameter
%cs last
%cs jobs
%cs profiles
%cs status -v
%cs use people
%cs listZones
%cs status -v
%xmode Verbose
%cs --tb listEvents
%cs --tb -y updateUser id={id} password=$parameter nosuch=1
%cs --tb -y updateUser id={id} password=$parameter
%cs --tb listAlerts
%cs --tb listZones name=$half
%cs listZones name=
import cs_magic; cs_magic.connect("keys").call("listEvents")
cs_magic.connect("keys", nosuch=parameter)
%cs -p unproxied listZones
%cs --tb -p unproxied listZones
%cs last --tb
%history -o
""".replace("{id}", ID)
    .strip()
    .split("\n")
)

SCRIPT = """
import faulthandler, http.client, json, logging, pickle, sys
from IPython.terminal.interactiveshell import TerminalInteractiveShell

logging.basicConfig(filename="debug.log", level=logging.DEBUG)
http.client.HTTPConnection.debuglevel = 1
shell = TerminalInteractiveShell.instance()
shell.user_ns |= {"both": ["u1", "u2"], "half": "\\ud800", "parameter": sys.stdin.read()}
for cell in json.loads(sys.argv[1]):
    print("----", cell)
    shell.run_cell(cell, store_history=True)

runner = shell.magics_manager.magics["line"]["cs"].__self__.runner
open_ones = list(runner.desk.connections._open.values())
keys = __import__("cs_magic").connect("keys")
errors = []
for command in ("listEvents", "listAlerts", "resetPasswordForVirtualMachine"):
    try:
        keys.call(command, **({"id": "x"} if command.startswith("reset") else {}))
    except Exception as error:
        errors.append(error)
held = [keys, keys.profile, keys.profile.credentials, keys.client, keys.client.access]
held += [keys.client.transport, runner, runner.desk, *open_ones, *errors]
held += [one.client.access.sessions.signed_in for one in open_ones]
held += [value for name, value in shell.user_ns.items() if name != "parameter" and name[0] != "_"]
with open("pickles", "wb") as file:
    for one in held:
        print(repr(one), getattr(one, "__dict__", ""))
        try:
            file.write(pickle.dumps(one))
        except Exception as problem:
            file.write(repr(problem).encode() + b"\\n")
    file.write(b"all is written")
with open("threads", "w") as file:
    faulthandler.dump_traceback(file)

from cs_magic.verify.__main__ import main
main(["keys", "--output", "verified.md"])
"""


def answer(came: Came) -> Reply:
    """A cloud whose answers are full of secrets, and which repeats what it is sent."""
    command = came.form["command"]
    if command == "login":
        body = {"x": {"sessionkey": CANARIES["session key"], "username": "u", "userid": ID}}
        cookie = f"JSESSIONID={CANARIES['JSESSIONID']}; Path=/client"
        return Reply(200, json.dumps(body).encode(), {"Set-Cookie": cookie})
    if command == "listApis":
        return Reply(432, b'{"x":{"errorcode":432,"errortext":"not for you"}}')
    if command == "listAlerts":
        token = CANARIES["secret in a redirect"]
        return Reply(302, b"", {"Location": f"https://u:{token}@h/x/{token};jsessionid={token}"})
    if command in {"listEvents", "updateUser"}:
        echo = "&".join(f"{name}={value}" for name, value in came.form.items())
        told = f"{echo} {quote_plus(echo)} {' '.join(came.form.values())}"
        return Reply(530, json.dumps({"x": {"errorcode": 530, "errortext": told}}).encode())
    if command.startswith("resetPassword"):
        return Reply(body=b'{"x":{"jobid":"j-1"}}')
    if command == "queryAsyncJobResult":
        said = {"jobid": "j-1", "jobstatus": 1, "jobresult": {"virtualmachine": ROW}}
        return Reply(body=json.dumps({"x": said}).encode())
    if command.startswith("list"):
        return Reply(body=listed(command.removeprefix("list").lower()[:-1], [ROW], 1))
    return Reply(body=json.dumps({"x": {"userkeys": ROW}}).encode())


def config(endpoint: str) -> str:
    keys = f'api_key = "{CANARIES["API key"]}"\nsecret_key = "{CANARIES["secret key"]}"\n'
    password = CANARIES["password of a profile"]
    return (
        f'[keys]\nendpoint = "{endpoint}"\n{keys}'
        f'[people]\nendpoint = "{endpoint}"\nusername = "u"\npassword = "{password}"\n'
        f'[unproxied]\nendpoint = "https://cloud.example.com"\n{keys}'
    )


def spelt(secret: str) -> set[str]:
    return {secret, quote_plus(secret), json.dumps(secret)[1:-1]} - {""}


def found(text: str, signatures: Iterable[str] = ()) -> list[str]:
    """The kinds of secrets in a text, however they are spelt."""
    secrets = [*CANARIES.items(), *(("signature", one) for one in signatures)]
    return [kind for kind, one in secrets if any(way in text for way in spelt(one))]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """All that was written: the output, and each file by its name, but for the configuration."""
    home = tmp_path_factory.mktemp("everywhere")
    work, settings = home / "work", home / "config" / "cs_magic"
    work.mkdir()
    settings.mkdir(parents=True)
    environment = {name: one for name, one in os.environ.items() if name not in VARIABLES}
    environment |= {
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "HTTPS_PROXY": f"socks5://u:{CANARIES['proxy password']}@127.0.0.1:1",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    environment.pop("CS_MAGIC_CATALOGUE", None)
    with serving(answer) as server:
        (settings / "config.toml").touch(0o600)
        (settings / "config.toml").write_text(config(server.endpoint))
        ran = subprocess.run(
            [sys.executable, "-c", SCRIPT, json.dumps(CELLS)],
            cwd=work,
            env=environment,
            input=CANARIES["secret parameter"],
            capture_output=True,
            text=True,
            timeout=200,
        )
        sent = [came.form for came in server.came]
    (settings / "config.toml").unlink()
    files = (path for path in sorted(home.rglob("*")) if path.is_file())
    texts = {path.name: path.read_bytes().decode("latin-1") for path in files}
    return texts | {"output": ran.stdout + ran.stderr, "sent": json.dumps(sent)}


def test_each_secret_was_there_to_be_told(written: dict[str, str]) -> None:
    sent = written["sent"]
    assert {"API key", "password of a profile", "session key", "secret parameter"} <= {*found(sent)}
    commands = {form["command"] for form in json.loads(sent)}
    assert {"listAlerts", "listEvents", "updateUser", "login", "createUser"} <= commands
    output = written["output"]
    assert output.count("••••") > 20
    for text in ("HTTPS_PROXY can't be used", "to https://h/x/…", "Traceback", "CallError"):
        assert text in output
    files = "users.csv users.xlsx users.parquet debug.log history.sqlite pickles verified.md"
    assert {*files.split()} <= {*written}
    assert "all is written" in written["pickles"]


def test_no_secret_is_in_anything_that_was_written(written: dict[str, str]) -> None:
    signatures = {form.get("signature", "none") for form in json.loads(written["sent"])}
    assert len(signatures) > 30
    told = {n: found(text, signatures - {"none"}) for n, text in written.items() if n != "sent"}
    assert {name: kinds for name, kinds in told.items() if kinds} == {}
