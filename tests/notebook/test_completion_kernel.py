"""Tab in a real kernel: what `complete_request` gives at more than a hundred places."""

from __future__ import annotations

import pytest
from completed import NAMES, NOT_OURS, TABLE
from kernels import Kernel, started

FIRST_CELL = """\
import pandas, os
where, few, yes, several, tags = "demo", 3, True, ["a", "b"], {"env": "prod"}
frame = pandas.DataFrame({"id": ["a"], "zone": ["b"]})
_hidden = "x"
os.makedirs("reports")
for name in ("reports/june.csv", "cloud-init.yaml", "notes.txt", ".hidden", "two words"):
    open(name, "w").close()
del name
"""
WAIT = """\
import threading
for each in threading.enumerate():
    if each.name == "cs_magic values":
        each.join(30)
del each
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory):
    """A kernel of somebody who has made a first call on the demo cloud."""
    with started(tmp_path_factory.mktemp("kernel"), {}) as kernel:
        assert kernel.run(FIRST_CELL) == []
        kernel.run("%cs use demo\n%cs -q listZones;")
        for marked, _ in NAMES:  # a name beside it may have to be known before
            for _ in range(2):
                kernel.complete(marked)
                assert kernel.run(WAIT) == []
        yield kernel


@pytest.fixture(scope="module", params=[True, False], ids=["jedi", "no-jedi"])
def typed_into(request: pytest.FixtureRequest, kernel: Kernel) -> Kernel:
    kernel.run(f"%config Completer.use_jedi = {request.param}")
    return kernel


@pytest.mark.parametrize(("marked", "first"), TABLE)
def test_tab_offers_what_fits_at_the_cursor(typed_into: Kernel, marked: str, first: str) -> None:
    expected = [one.replace("␣", " ") for one in first.split()]
    offered = [text for text, _ in typed_into.complete(marked)]
    assert offered[: len(expected)] == expected
    assert all("hidden" not in one for one in offered)


@pytest.mark.parametrize("marked", NOT_OURS)
def test_what_is_not_ours_is_left_to_ipython(typed_into: Kernel, marked: str) -> None:
    assert {text for text, _ in typed_into.complete(marked)} & {"listZones", "--profile"} == set()


def test_there_are_more_than_a_hundred_places() -> None:
    assert len(TABLE) > 100
    assert len({marked for marked, _ in TABLE}) == len(TABLE)


@pytest.mark.parametrize(
    ("marked", "badge"),
    [
        ("%cs us▲", "word"),
        ("%cs listZon▲", "command"),
        ("%cs --co▲", "option"),
        ("%cs use ▲", "profile"),
        ("%cs -c nam▲ listHosts", "column"),
        ("%cs listZones av▲", "parameter"),
        ("%cs deployVirtualMachine ▲", "required"),
        ("%cs listZones available=▲", "boolean"),
        ("%cs listEvents level=▲", "value"),
        ("%cs listVirtualMachines zoneid=▲", "zone"),
        ("%cs listVirtualMachines serviceofferingid=▲", "serviceoffering"),
        ("%cs registerUserData userdata=@▲", "folder"),
        ("%cs registerUserData userdata=@n▲", "file"),
        ("%cs listVirtualMachines zoneid=$w▲", "str"),
        ("%cs listVirtualMachines ids=$fr▲", "DataFrame"),
        ("%cs listVirtualMachines ids=$frame.▲", "column"),
    ],
)
def test_each_candidate_says_what_it_is(kernel: Kernel, marked: str, badge: str) -> None:
    kernel.complete(marked)
    kernel.run(WAIT)
    assert kernel.complete(marked)[0][1] == badge


def test_only_the_value_is_replaced(kernel: Kernel) -> None:
    text = "x = %cs listVirtualMachines zoneid=lug state=Running"
    cursor = text.index(" state")
    content = kernel.completion(text, cursor)
    begin, end = content["cursor_start"], content["cursor_end"]
    inserted = text[:begin] + content["matches"][0] + text[end:]
    assert inserted == "x = %cs listVirtualMachines zoneid=Lugano state=Running"


def test_what_was_offered_is_a_call_that_is_understood(kernel: Kernel) -> None:
    text = "%cs --dry-run listVirtualMachines networkid="
    content = kernel.completion(text + "bl", len(text + "bl"))
    assert content["matches"][0] == '"Black Friday-genève-2"'
    assert "Black Friday-genève-2" in str(kernel.run(text + content["matches"][0]))
