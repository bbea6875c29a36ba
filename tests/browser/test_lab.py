"""`%cs` in a JupyterLab that a real browser shows."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

LOAD = "%load_ext cs_magic"


@pytest.fixture
def with_keys(lab, demo):
    """API keys in the user's own configuration."""
    lab.configure(
        f'[keys]\nendpoint = "{demo.endpoint}"\n'
        f'api_key = "{demo.api_key}"\nsecret_key = "{demo.secret_key}"\n'
    )


@pytest.mark.usefixtures("with_keys")
def test_a_list_is_a_table_with_the_quiet_line_below_it(open_notebook):
    page = open_notebook(LOAD, "%cs -c name,allocationstate listZones", "after = 1")
    page.run_all()
    expect(page.outputs(1)).to_have_count(1)
    expect(page.outputs(1)).to_contain_text("3 rows · ")
    expect(page.outputs(1).locator("table + small, small").last).to_contain_text("s · complete")
    expect(page.outputs(1).locator("table tbody tr")).to_have_count(3)
    expect(page.outputs(1).locator("table")).to_contain_text("Zürich")
    assert page.errors() == []
    assert page.value("after") == "1"
    page.screenshot("table")
    assert page.problems == []


@pytest.mark.usefixtures("with_keys")
def test_a_failing_call_is_a_short_red_output_and_run_all_stops_there(open_notebook):
    page = open_notebook(LOAD, "%cs listZones nme=a", "after = 1")
    page.run_all()
    assert page.errors(1)
    assert "Traceback" not in page.text(1)
    assert page.prompt(2) == "[ ]:"
    assert page.value("after") == "NameError"
    page.screenshot("error")


@pytest.mark.usefixtures("with_keys")
def test_markup_in_a_tenants_name_is_text_in_the_table(open_notebook):
    page = open_notebook(
        LOAD, "%cs -q vms << listVirtualMachines", "vms[vms['displayname'].str.contains('<img')]"
    )
    dialogs = []
    page.tab.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.run_all()
    expect(page.outputs(2).locator("table")).to_contain_text("<img src=x onerror=")
    assert page.outputs(2).locator("table img").count() == 0
    assert dialogs == []


@pytest.mark.usefixtures("with_keys")
def test_a_saved_notebook_holds_the_table_and_no_key(open_notebook, demo):
    page = open_notebook(LOAD, "%cs -c name listZones")
    page.run_all()
    saved = page.save()
    assert "<table" in str(saved["cells"][1]["outputs"])
    text = page.path.read_text(encoding="utf-8")
    assert "Zürich" in text
    assert demo.api_key not in text
    assert demo.secret_key not in text


@pytest.mark.usefixtures("with_keys")
def test_the_stop_button_and_a_restart_leave_a_kernel_that_works(open_notebook):
    page = open_notebook(LOAD, "import time\ntime.sleep(600)", "%cs -q listZones")
    page.run(0)
    page.start_cell(1)
    page.wait_until_busy()
    page.interrupt()
    page.wait()
    assert page.errors(1) == [""]
    page.run(2)
    expect(page.outputs(2).locator("table")).to_be_visible()
    page.restart()
    assert page.value("get_ipython().find_line_magic('cs')") == "None"
    page.run(0, 2)
    expect(page.outputs(2).locator("table")).to_be_visible()
