"""Tab in a JupyterLab that a real browser shows."""

from __future__ import annotations

import re

import pytest
from form import LOAD
from page import Page
from playwright.sync_api import Locator, expect

USE = "%cs use demo"
FIRST = "%cs -q listPods;"
# What a key press has had read is there once its thread has ended.
READ = """[each.join(30) for each in __import__('threading').enumerate()
 if each.name == 'cs_magic values']"""


class Typing:
    """One cell that is typed into, and the box of candidates that Tab opens there."""

    def __init__(self, page: Page, cell: int) -> None:
        self.page = page
        self.text = page.cell(cell).locator(".cm-content")
        self.box = page.tab.locator(".jp-Completer")
        self.items = self.box.locator(".jp-Completer-item")

    def type(self, text: str) -> None:
        """Type at the end of the cell."""
        self.text.click()
        self.page.tab.keyboard.press("Control+End")
        self.page.tab.keyboard.type(text)

    def press(self, key: str) -> None:
        """Press one key."""
        self.page.tab.keyboard.press(key)

    def tab(self) -> Locator:
        """Press Tab, and give the candidate that Enter would take."""
        self.press("Tab")
        expect(self.box).to_be_visible()
        return self.box.locator(".jp-Completer-item.jp-mod-active")

    def names(self) -> list[str]:
        """The candidates as they are shown, from the top."""
        return self.items.locator(".jp-Completer-match").all_inner_texts()

    def expect_typed(self, text: str) -> None:
        """The cell's last line is this, and the box is gone."""
        expect(self.text.locator(".cm-line").last).to_have_text(text)
        expect(self.box).to_be_hidden()


def badge(item: Locator) -> Locator:
    """What a candidate says it is."""
    return item.locator(".jp-Completer-typeExtended")


@pytest.fixture
def opened(open_notebook):
    """A notebook with the demo cloud in use and a first call made; its last cell is empty."""

    def with_cell(text: str = "") -> Typing:
        page = open_notebook(LOAD, USE, FIRST, text)
        page.run(0, 1, 2)
        assert page.errors() == []
        return Typing(page, 3)

    return with_cell


def test_tab_shows_commands_with_our_badge_and_enter_inserts_the_first(opened):
    typing = opened()
    typing.type("%cs listVirtualM")
    first = typing.tab()
    expect(first).to_contain_text("listVirtualMachineCheckpoints")
    expect(badge(first)).to_have_text("command")
    assert len(typing.names()) > 3
    assert all(name.startswith("listVirtualM") for name in typing.names())
    typing.press("ArrowDown")
    typing.press("Enter")
    typing.expect_typed("%cs listVirtualMachines")
    assert typing.page.problems == []


def test_in_a_line_of_a_cell_tab_shows_parameters_the_required_ones_first(opened):
    typing = opened("%%cs -q\nzones << listZones\ndeployVirtualMachine ")
    typing.type("")
    first = typing.tab()
    expect(first).to_contain_text("serviceofferingid=")
    expect(badge(first)).to_have_text("required")
    expect(badge(typing.items.nth(2))).to_have_text("parameter")
    typing.press("Enter")
    typing.expect_typed("deployVirtualMachine serviceofferingid=")
    assert typing.page.problems == []


def test_where_an_id_belongs_tab_shows_names_and_what_is_inserted_is_understood(opened):
    typing = opened()
    typing.type("%cs -q -c name,zonename -n 2 listVirtualMachines zoneid=")
    expect(badge(typing.tab())).to_have_text(re.compile("being read|nothing fits"))
    assert typing.page.value(READ) in {"[]", "[None]"}
    typing.press("Escape")
    typing.expect_typed("%cs -q -c name,zonename -n 2 listVirtualMachines zoneid=")
    first = typing.tab()
    expect(first).to_contain_text("Genève")
    expect(badge(first)).to_have_text("zone")
    assert [re.sub(r"\s", "", name) for name in typing.names()] == ["Genève", "Lugano", "Zürich"]
    typing.page.screenshot("completion")
    typing.press("Enter")
    typing.expect_typed("%cs -q -c name,zonename -n 2 listVirtualMachines zoneid=Genève")
    typing.page.run(3)
    assert typing.page.errors() == []
    expect(typing.page.outputs(3).locator("table tbody tr")).to_have_count(2)
    expect(typing.page.outputs(3).locator("table tbody")).not_to_contain_text("Zürich")
    assert typing.page.problems == []


def test_before_a_first_call_tab_offers_commands_and_nobody_is_asked(
    open_notebook, lab, demo, sent
):
    lab.configure(f'[prod]\nendpoint = "{demo.endpoint}"\nusername = "admin"\npassword = "x"\n')
    page = open_notebook(LOAD, "")
    page.run(0)
    typing = Typing(page, 1)
    typing.type("%cs listZones avail")
    expect(badge(typing.tab())).to_have_text("parameter")
    typing.press("Enter")
    typing.expect_typed("%cs listZones available=")
    expect(badge(typing.tab())).to_have_text("boolean")
    typing.press("Escape")
    typing.expect_typed("%cs listZones available=")
    typing.type("true domainid=")
    expect(badge(typing.tab())).to_have_text("nothing fits")
    assert page.value(READ) == "[]"
    assert sent == []
    assert page.problems == []
