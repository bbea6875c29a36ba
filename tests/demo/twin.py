"""A recorded request, sent to the demo by whoever stands there for the recorded account.

Every request goes out as it was recorded, character by character, but for what the two clouds
call differently: keys, ids, account names, domains, sessions. The signature is made from the
recorded text that was signed, so that a wrong one is wrong in the same way.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from counterparts import ID, WHO, Counterparts, Row, things
from raw import FORM, Reply, exchange, signature
from recorded import whole
from replay import Step, accounts, recorded

from cs_magic.demo.server import Demo

# Sent on purpose when their time was over.
EXPIRED = {"B-signature/08-v3-expired#0"}
IDS = re.compile(rf"((?:^|[?&])networkids?=)({ID.pattern})", re.IGNORECASE)
NAMED = re.compile(rf"((?:^|[?&])(?:account|name|username)=)({'|'.join(WHO)})(?=&|$)")
# Values that find something there → what finds as much here: names, days, groups of settings.
SAID = {
    r"((?:start|end)date=)2026-10-": r"\g<1>2026-08-",
    r"((?:start|end)date=)2026-11-2([23])": lambda found: f"{found[1]}2026-09-1{found[2]}",
    r"(keyword=)sim(?=&|$)": r"\1lugano",
    r"(keyword=)SIM(?=&|$)": r"\1LUGANO",
    r"([Kk]eyword=)(vm-00)(?=_?(?:&|$))": r"\1prod-0",
    r"(keyword=)(VM-00)(?=&|$)": r"\1PROD-0",
    r"(name=)(vm-000)(?=&|$)": r"\1print-prod-01",
    r"(name=)(VM-000)(?=&|$)": r"\1PRINT-PROD-01",
    r"(keyword=)vm\.(?=&|$)": r"\1vm",
    r"(?i)(category=)usage(?=&|$)": r"\1Advanced",
    r"(name=)(key-admin)(?=&|$)": r"\1Adele%27s%20key",
    r"(name=)(rec-e-fail(?:-u1)?)(?=&|$)": r"\1\2-fails",
    r"(?i)(group=)(?:infrastructure|network)(?=&|$)": r"\1Access",
}


class Twin:
    """The demo in the place of the recorded server. `ask` sends a step, and learns from it."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        self.things = Counterparts(demo)
        self._keys = {"codefor2fa=845403": "codefor2fa=314159"}
        self._secrets: dict[str, tuple[str, str]] = {}
        for name, who in accounts().items():
            ours = demo.accounts.get(WHO[name])
            if ours is not None:
                self._pair_of_keys(who, {"apikey": ours.api_key, "secretkey": ours.secret_key})
        self._learned: dict[str, str] = {}
        self._step: Step = recorded()[0]

    def begin(self) -> None:
        """Another recording begins."""
        self._learned = {}

    def ask(self, step: Step) -> Reply:
        """What the demo answers to the step; a job that was over then is over here."""
        self._step = step
        if b'"jobstatus":1' in step.body or b'"jobstatus":2' in step.body:
            self.demo.finish_jobs()
        self._sign_in(step)
        if step.command == "login":
            path, _, query = step.sent["target"].partition("?")
            query = self._login(step, query)
            target = f"{path}?{query}" if query else path
            reply = self._send(step, target, self._login(step, step.sent.get("body") or ""))
        else:
            target, body = self._signed(step)
            reply = self._send(step, target, body)
        self._learn(step, reply)
        return reply

    # -- what is sent --------------------------------------------------------

    def _signed(self, step: Step) -> tuple[str, str]:
        """Target and body with our names in them, and the signature that goes with those."""
        target, body = (self._ours(text) for text in (step.sent["target"], step.sent.get("body")))
        if step.where not in EXPIRED:
            target, body = _in_time(target), _in_time(body)
        forms = (step.sent["target"].partition("?")[2], step.sent.get("body") or "")
        carried = dict(pair for form in forms for pair in parse_qsl(form))
        key = next((v for n, v in carried.items() if n.lower() == "apikey"), "").lower()
        theirs, ours = self._secrets.get(key, ("", ""))
        if step.signed and carried.get("signature") == signature(step.signed, theirs):
            text = self._ours(step.signed, lower=True)
            text = text if step.where in EXPIRED else _in_time(text)
            target, body = (_signed_with(one, signature(text, ours)) for one in (target, body))
        return target, body

    def _ours(self, text: str | None, lower: bool = False) -> str:
        """A text in which our ids, keys and names stand for the recorded ones."""
        text = IDS.sub(lambda found: found[1] + self.own_network(found[2]), text or "")
        text = ID.sub(lambda found: self.id_for(found[0]), text)
        for theirs, ours in (self._keys | self._learned).items():
            if not ID.fullmatch(theirs):
                pair = (theirs.lower(), ours.lower()) if lower else (theirs, ours)
                text = text.replace(*pair)
        for theirs, ours in SAID.items():
            text = re.sub(theirs, ours, text)
        text = text.lower() if lower else text
        return NAMED.sub(lambda found: found[1] + WHO.get(found[2], found[2]), text)

    def own_network(self, theirs: str) -> str:
        """Our id of a network that the caller of this recording may put a machine into."""
        if theirs not in things() and theirs not in self._learned.values():
            self._learned.setdefault(theirs, self.things.network(self._step.account))
        return self._learned.get(theirs, theirs)

    def _login(self, step: Step, form: str) -> str:
        """The form of a login, with our name, password and domain, spelled as it was."""
        ours = self.demo.accounts.get(WHO.get(step.account, ""))
        if ours is None:
            return form
        pairs = parse_qsl(form, keep_blank_values=True)
        theirs = accounts()[step.account]
        domain = re.compile(re.escape(theirs["domain"].strip("/") or "(?!)"), re.IGNORECASE)
        own = ours.domain.strip("/")

        def value(name: str, said: str) -> str:
            if name == "domain":
                return domain.sub(lambda found: own.lower() if found[0].islower() else own, said)
            if name == "username" and said.lower() == step.account:
                return ours.username.upper() if said.isupper() else ours.username
            return ours.password if said == theirs["password"] else self._ours(said)

        return urlencode([(name, value(name, said)) for name, said in pairs])

    def _sign_in(self, step: Step) -> None:
        """Sign in, where the step has a session that began before the recording."""
        cookies = _cookies(step)
        jsessionid = cookies.get("JSESSIONID", "")
        if step.auth != "session" or not jsessionid or jsessionid in self._learned:
            return
        who = self.demo.accounts[WHO[step.account]]
        form = {"command": "login", "response": "json", "username": who.username,
                "password": who.password, "domain": who.domain}  # fmt: skip
        reply = exchange(
            self.demo.endpoint, "POST", "/client/api", urlencode(form), {"Content-Type": FORM}
        )
        self._learn_cookies(cookies, reply)

    def _send(self, step: Step, target: str, body: str) -> Reply:
        headers = {
            n: self._ours(v) for n, v in step.sent["headers"].items() if n.lower() not in OURS
        }
        return exchange(self.demo.endpoint, step.method, target, body, headers)

    # -- what is learned -----------------------------------------------------

    def _learn(self, step: Step, reply: Reply) -> None:
        given = next((v for k, v in step.headers.items() if k.lower() == "set-cookie"), [])
        theirs = dict(
            line.partition(";")[0].split("=", 1)
            for line in (given if isinstance(given, list) else [given])
        )
        self._learn_cookies(theirs, reply)
        if whole(step.body) and whole(reply.body):
            self._pair(json.loads(step.body, strict=False), json.loads(reply.body, strict=False))

    def _learn_cookies(self, theirs: dict[str, str], reply: Reply) -> None:
        ours = dict(
            line.partition(";")[0].split("=", 1)
            for line in reply.headers.get_all("Set-Cookie") or []
        )
        for name in theirs.keys() & ours.keys():
            if theirs[name] and ours[name] and theirs[name] not in self._learned:
                self._learned[theirs[name]] = ours[name]
                bare = theirs[name].partition(".")[0]
                self._learned.setdefault(bare, ours[name].partition(".")[0])
                self._learned[quote(theirs[name], safe="")] = quote(ours[name], safe="")

    def _pair_of_keys(self, theirs: Row, ours: Row) -> None:
        self._keys[theirs["apikey"]] = ours["apikey"]
        self._keys[theirs["apikey"].upper()] = ours["apikey"].upper()
        self._secrets[theirs["apikey"].lower()] = theirs["secretkey"], ours["secretkey"]

    def _pair(self, theirs: Any, ours: Any) -> None:
        """What stands in the same place of two answers is the same thing, where it is new."""
        if isinstance(theirs, dict) and isinstance(ours, dict):
            if all(isinstance(one.get("secretkey"), str) for one in (theirs, ours)):
                self._pair_of_keys(theirs, ours)
            for name in theirs.keys() & ours.keys():
                self._pair(theirs[name], ours[name])
        elif isinstance(theirs, list) and isinstance(ours, list):
            if len(theirs) == len(ours) == 1:
                self._pair(theirs[0], ours[0])
        elif ID.fullmatch(str(theirs)) and ID.fullmatch(str(ours)):
            self._learned.setdefault(theirs, ours)

    # -- ids -----------------------------------------------------------------

    def id_for(self, theirs: str) -> str:
        """Our id of what is most like the recorded thing; the same where there was none."""
        if theirs in self._learned:
            return self._learned[theirs]
        if theirs in self._learned.values():
            return theirs
        ours = self.things.of(theirs)
        if ours == theirs and self._step.status == 200 and self._step.command in TO_MACHINES:
            return self._learned.setdefault(theirs, self.things.machine(self._step.account))
        return ours


# What was done to machines that nobody listed.
TO_MACHINES = {"destroyVirtualMachine", "startVirtualMachine"}
OURS = {"host", "content-length", "connection"}


def _cookies(step: Step) -> dict[str, str]:
    line = next((v for n, v in step.sent["headers"].items() if n.lower() == "cookie"), "")
    return dict(one.strip().split("=", 1) for one in line.split(";") if "=" in one)


def _signed_with(text: str, made: str) -> str:
    """A query or form with another signature, escaped as the one before was."""

    def put(found: re.Match[str]) -> str:
        bare = "".join(one for one in "/=" if one in found[2])
        return found[1] + quote(made, safe=bare)

    return re.sub(r"(?i)((?:^|[&?])signature=)([^&]*)", put, text)


def _in_time(text: str) -> str:
    """Times that were ahead when they were sent are ahead now."""
    return re.sub(r"(?i)((?:^|[&?])expires=)2026-1[12]-\d\d", r"\g<1>2099-01-01", text)
