"""A client of the demo that signs in with a name and keeps cookies."""

from __future__ import annotations

import urllib.parse
from dataclasses import dataclass
from typing import Any

from cs_magic.demo.server import Access


@dataclass
class Browser:
    """A client with cookies."""

    wire: Any
    endpoint: str
    jsessionid: str = ""
    sessionkey: str = ""

    def enter(self, access: Access, password: str | None = None) -> Any:
        """Sign in as somebody, with the right password or another one."""
        return self.login(
            username=access.username,
            password=access.password if password is None else password,
            domain=access.domain,
        )

    def login(self, method: str = "POST", **form: str) -> Any:
        """Send a login with exactly these fields, and keep its cookies."""
        body = urllib.parse.urlencode({"command": "login", "response": "json", **form})
        answer = (
            self.wire.send(self.endpoint, body)
            if method == "POST"
            else self.wire.send(f"{self.endpoint}?{body}")
        )
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, rest = cookie.partition("=")
            setattr(self, name.lower(), rest.partition(";")[0])
        return answer

    def call(self, command: str | None, key: str | None = None, **query: str) -> Any:
        """Send a call with cookies and session key, or with another key; "" is none."""
        pairs = {"response": "json", "sessionkey": self.sessionkey if key is None else key, **query}
        if command:
            pairs["command"] = command
        pairs = {name: value for name, value in pairs.items() if value}
        cookies = f"JSESSIONID={self.jsessionid}; sessionkey={self.sessionkey}"
        url = f"{self.endpoint}?{urllib.parse.urlencode(pairs)}"
        return self.wire.send(url, headers={"Cookie": cookies})
