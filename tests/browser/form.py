"""The login form as a person finds it: by what its boxes and buttons are called."""

from __future__ import annotations

from collections.abc import Callable

from page import Page
from playwright.sync_api import Locator, expect

from cs_magic.demo.server import Demo

LOAD = "%load_ext cs_magic"
CALL = """\
print("above")
zones = %cs -q -c name listZones
print("after", len(zones))
zones"""
HOLDS = """\
import pathlib, time
while not pathlib.Path("{0}").exists():
    time.sleep(0.02)"""


class Form:
    """The form below one cell."""

    def __init__(self, page: Page, cell: int) -> None:
        self.page = page
        self.area = page.cell(cell).locator(".jp-OutputArea")
        self.username = self.area.get_by_label("Username", exact=True)
        self.password = self.area.get_by_label("Password", exact=True)
        self.domain = self.area.get_by_label("Domain", exact=True)
        self.code = self.area.get_by_label("Code", exact=True)

    def button(self, name: str) -> Locator:
        """A button of the form."""
        return self.area.get_by_role("button", name=name, exact=True)

    def type(self, username: str, password: str, domain: str = "/") -> None:
        """Type into the three boxes, the password last, key by key."""
        self.username.fill(username)
        self.domain.fill(domain)
        self.password.press_sequentially(password)

    def sign_in(self, username: str, password: str, domain: str = "/") -> None:
        """Type, and press the button."""
        self.type(username, password, domain)
        self.button("Sign in").click()

    def give(self, code: str) -> None:
        """Type a code, and press Enter."""
        expect(self.code).to_be_visible()
        self.code.press_sequentially(code)
        self.code.press("Enter")

    def expect_shown(self) -> None:
        """The three boxes and the button are there, once."""
        for box in (self.username, self.password, self.domain, self.button("Sign in")):
            expect(box).to_be_visible()
        expect(self.code).to_have_count(0)

    def expect_says(self, text: str) -> None:
        """Somewhere in the form this can be read."""
        expect(self.area).to_contain_text(text)

    def expect_folded(self, who: str) -> None:
        """It is one line with one button, and nothing to type into."""
        self.expect_says(f"signed in as {who}")
        expect(self.button("Sign out")).to_be_visible()
        expect(self.area.locator("input")).to_have_count(0)
        expect(self.button("Sign in")).to_have_count(0)


def waiting(open_notebook: Callable[..., Page], *below: str, cell: str = CALL) -> tuple[Page, Form]:
    """A notebook whose second cell waits, and its form."""
    page = open_notebook(LOAD, cell, *below)
    page.run_all()
    form = Form(page, 1)
    form.expect_shown()
    return page, form


def password(demo: Demo, username: str = "admin") -> str:
    """The password of one of the demo's people."""
    return demo.accounts[username].password
