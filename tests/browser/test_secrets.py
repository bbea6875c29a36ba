"""What is typed into the form, and what it earns, is in no file afterwards."""

from __future__ import annotations

import html
import json
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from form import HOLDS, LOAD, Form
from nbconvert import HTMLExporter
from playwright.sync_api import expect

PIN = "314159"

ALL_LOGGED = """\
import logging, pickle
logging.basicConfig(level=logging.DEBUG, filename="debug.log", force=True)
%load_ext cs_magic"""
TELLS_ALL = """\
%cs status -v
%cs --dry-run listZones
try:
    %cs --tb --no-check listNothing
except Exception as error:
    print(repr(error), str(error), vars(error), error.__cause__, error.__context__)
%cs --tb listNothing=1
"""
KEEPS_ALL = """\
pickle.dump(zones, open("zones.pickle", "wb"))
print(zones.attrs, In, Out)
%tb"""


@pytest.fixture(autouse=True)
def asks(lab, demo):
    """A profile that holds no credentials, and pages that save what widgets hold."""
    lab.configure(f'[prod]\nendpoint = "{demo.endpoint}"\n')
    lab.save_widget_state(True)


def spellings(secret: str) -> set[bytes]:
    """The ways in which a text may stand in a file."""
    texts = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}
    texts |= {json.dumps(secret)[1:-1], html.escape(secret), repr(secret)[1:-1]}
    return {text.encode(way) for text in texts for way in ("utf-8", "utf-16-le")}


def found(folder: Path, secrets: set[str]) -> list[str]:
    """The files below a folder that hold one of these."""
    wanted = {spelt for secret in secrets for spelt in spellings(secret)}
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(spelt in path.read_bytes() for spelt in wanted)]


def earned(demo) -> set[str]:
    """The ids and keys of every session there is."""
    every = demo.app.sessions._sessions.values()
    return {secret for session in every for secret in (session.id, session.key)}


def saved_widgets(page) -> str:
    """What the saved file holds of the widgets; never nothing."""
    widgets = page.save()["metadata"].get("widgets", {})
    assert widgets, "the widgets' state was not saved, and the search would prove nothing"
    return json.dumps(widgets)


def test_the_search_finds_what_somebody_wrote_into_a_cell(lab, demo, open_notebook):
    planted = demo.accounts["erp"].password
    page = open_notebook(f"import logging\nlogging.getLogger()\nplanted = {planted!r}")
    page.run(0)
    page.save()
    lab.end_kernels()
    assert {page.path.name, "history.sqlite"} <= set(found(lab.root, {planted}))


def test_the_search_finds_what_a_widget_of_the_usual_kind_holds(lab, demo, open_notebook):
    planted = demo.accounts["payroll"].password
    page = open_notebook("import ipywidgets\nbox = ipywidgets.Password(description='Usual')\nbox")
    page.run(0)
    box = page.cell(0).get_by_label("Usual")
    box.press_sequentially(planted)
    box.press("Tab")
    assert planted in saved_widgets(page)
    assert page.path.name in found(lab.root, {planted})


def test_no_file_holds_a_secret_whenever_it_is_saved(lab, demo, open_notebook, sent):
    secrets = {demo.accounts["security"].password, PIN}
    page = open_notebook(ALL_LOGGED, "zones = %cs -q listZones", TELLS_ALL, KEEPS_ALL)
    page.run(0, 1)
    form = Form(page, 1)
    form.expect_shown()

    def save() -> None:
        """Save now, and look at once."""
        saved_widgets(page)
        assert found(lab.notebooks, secrets | earned(demo)) == []

    save()
    form.type("security", demo.accounts["security"].password)
    save()  # typed, and the box not left
    form.domain.focus()
    expect(form.password).to_have_value("")  # the kernel took it
    save()
    form.button("Sign in").click()
    form.give("000000")
    form.expect_says("invalid")
    save()
    form.sign_in("security", demo.accounts["security"].password)
    expect(form.code).to_be_visible()
    save()
    form.code.press_sequentially(PIN)
    save()
    form.code.press("Enter")
    form.expect_folded("security (/)")
    save()
    page.run(2, 3)
    secrets |= earned(demo)
    save()
    exported, _ = HTMLExporter().from_filename(str(page.path))
    (page.path.parent / "exported.html").write_text(exported, encoding="utf-8")
    form.button("Sign out").click()
    form.expect_says("signed out")
    save()
    lab.end_kernels()
    for name in ("debug.log", "zones.pickle", "exported.html"):
        assert (lab.notebooks / name).stat().st_size > 0
    assert "login" in sent
    assert found(lab.root, secrets) == []


def test_what_a_busy_kernel_could_not_take_before_a_save_is_not_in_the_next_one(
    lab, demo, open_notebook, tmp_path
):
    """The gap that README tells of: only while the kernel is busy does the box keep its text."""
    page = open_notebook(LOAD, "zones = %cs -q listZones", HOLDS.format(tmp_path / "open"))
    page.run(0, 1)
    form = Form(page, 1)
    form.expect_shown()
    busy = page.start_cell(2)
    page.wait_until_busy()
    form.type("admin", demo.password)
    form.password.press("Tab")  # sent, and nobody takes it yet
    saved_widgets(page)
    (tmp_path / "open").touch()
    page.finish(busy)
    expect(form.password).to_have_value("")
    saved_widgets(page)
    assert found(lab.notebooks, {demo.password}) == []
    form.button("Sign in").click()
    form.expect_folded("admin (/)")
