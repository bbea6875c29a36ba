"""Several clouds, of which somebody signs in to some: each shows its form, and the cell goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from front import Front, front
from test_unattended import terminal as terminal  # a fixture

from cs_magic.demo.server import Demo, serving

LIST = "zones = %cs -p keys,people,others -c name listZones"


@pytest.fixture
def demo() -> Iterator[Demo]:
    with serving(machines=30) as running:
        yield running


@pytest.fixture
def config(demo: Demo) -> str:
    """A profile that has keys, and two that somebody signs in to."""
    keys = f'api_key = "{demo.api_key}"\nsecret_key = "{demo.secret_key}"\n'
    endpoint = f'endpoint = "{demo.endpoint}"\n'
    return f"[keys]\n{endpoint}{keys}[people]\n{endpoint}[others]\n{endpoint}"


@pytest.fixture
def home(tmp_path: Path, config: str) -> Path:
    """The folder of a terminal with that configuration."""
    path = tmp_path / "xdg_config_home" / "cs_magic" / "config.toml"
    path.parent.mkdir(parents=True)
    path.touch(0o600)
    path.write_text(config)
    return tmp_path


@pytest.fixture
def page(config: str, tmp_path: Path) -> Iterator[Front]:
    """A notebook with that configuration."""
    with front(tmp_path, config) as page:
        page.fine("%load_ext cs_magic")
        yield page


def sign_in(page: Front, demo: Demo, profile: str) -> None:
    """Fill in the form of a profile, and press its button; wait until it is one line."""
    page.until(lambda: {"Username", "Password", "Sign in"} <= set(page.descriptions))
    page.type("Username", demo.username)
    page.type("Password", demo.password)
    page.click("Sign in")
    page.until(lambda: f"({profile}): " in page.says)


def test_each_profile_has_its_form_in_turn_and_then_one_frame_comes(page, demo):
    page.fine("zones = 'old'")
    cell = page.run(f"{LIST}\nprint('after', len(zones))")
    assert cell.errors == []
    assert "listZones waits for somebody to sign in to people at" in cell.text
    sign_in(page, demo, "people")
    page.until(lambda: "waits for somebody to sign in to others at" in cell.text)
    assert page.value("zones") == "'old'"
    sign_in(page, demo, "others")
    page.until(lambda: "after 9" in cell.text)
    assert "9 rows (keys 3, people 3, others 3)" in cell.text
    assert "complete" in cell.text
    assert cell.errors == []
    assert page.value("list(zones.columns)") == "['profile', 'name']"
    assert len(demo.logins) == 2


def test_a_session_that_ended_shows_the_form_again(page, demo):
    page.run(LIST)
    sign_in(page, demo, "people")
    sign_in(page, demo, "others")
    page.until(lambda: "is done" in page.says)
    demo.end_sessions()
    cell = page.run(LIST)
    assert "waits for somebody to sign in to people at" in cell.text
    assert cell.errors == []


def test_where_the_front_end_takes_no_questions_the_others_rows_come_at_once(page, demo):
    cell = page.run(LIST, allow_stdin=False)
    assert cell.status == "ok"
    assert "3 rows (keys 3, people failed, others failed)" in cell.text
    assert "people needs somebody to sign in" in cell.text
    assert page.value("len(zones)") == "3"


def test_a_terminal_asks_for_each_in_turn(terminal: pexpect.spawn, demo):
    terminal.sendline(LIST)
    for profile in ("people", "others"):
        terminal.expect_exact(f"Username for {profile}")
        terminal.sendline(demo.username)
        terminal.expect_exact("Password of ")
        terminal.waitnoecho(1)
        terminal.sendline(demo.password)
        terminal.expect_exact("Domain")
        terminal.sendline("")
    terminal.expect(r"9 rows \(keys 3, people 3, others 3\) · .* · complete")
    assert demo.password not in terminal.before
