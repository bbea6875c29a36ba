"""No fault of the network loses rows silently, sends a write twice, or hangs.

What comes of each cell is what `fault_outcomes.tsv` says; the table of the README is that file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from fault_calls import Found, found
from fault_matrix import BEGIN, END, README, cloud, expected, markdown, words
from fault_places import CELLS, FAULTS, SHIFTS, cell, shifting

from cs_magic.api import login
from cs_magic.api.client import Client
from cs_magic.api.sockets import Session
from cs_magic.api.transport import HttpTransport
from cs_magic.demo.server import Demo
from cs_magic.errors import CloudStackError

# What is sent once.
CHANGING = [
    (fault, asked)
    for fault, asked in CELLS
    if asked in {"write", "job", "login"} and fault not in SHIFTS
]
FEW = [
    ("reset before the request", "write"),
    ("429, Retry-After", "job"),
    ("redirect 307, other host", "write"),
    ("slow drip", "write"),
    ("connection refused", "job"),
    ("502 HTML", "login"),
    ("not CloudStack: a web page", "write"),
]
# Nobody counts there what comes: nothing can.
UNSEEN = {
    "connection refused",
    "no such host name",
    "certificate of an unknown CA",
    "certificate of another name",
    "certificate expired",
}


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with cloud() as demo:
        yield demo


def settled(demo: Demo, fault: str, asked: str) -> list[Found]:
    """What came of a cell; one that is late is asked once more, for the machine may be busy."""
    results = cell(demo, fault, asked)
    return cell(demo, fault, asked) if any(one.late for one in results) else results


@pytest.mark.parametrize(("fault", "asked"), CELLS)
def test_nothing_is_lost_doubled_or_hangs_and_each_outcome_is_the_one_in_the_table(
    demo: Demo, fault: str, asked: str
) -> None:
    results = settled(demo, fault, asked)
    assert [why for one in results for why in one.wrong] == []
    assert words(results) == expected()[fault, asked]


def test_the_table_in_the_readme_is_the_one_that_the_matrix_is_held_against() -> None:
    text = README.read_text("utf-8")
    assert text.partition(BEGIN)[2].partition(END)[0] == markdown(expected())
    assert set(expected()) == set(CELLS)


def test_a_shift_whose_count_agrees_is_seen_by_nobody_and_the_readme_says_so(demo: Demo) -> None:
    with shifting(demo, "deleted", "inserted") as place:
        came = found(demo, place, "list")
    assert (came.said, came.wrong) == ("whole", ["1 rows were lost silently"])
    text = " ".join(README.read_text("utf-8").split())
    said = (
        "so that the count still agrees (one row goes, another comes), can't be told from a whole"
    )
    assert said in text


# -- that the matrix would see it ----------------------------------------------------------


def again(send: Callable[..., object]) -> Callable[..., object]:
    """What sends everything twice, whatever came of it."""

    def twice(*arguments: object, **more: object) -> object:
        try:
            send(*arguments, **more)
        except CloudStackError:
            return send(*arguments, **more)
        return send(*arguments, **more)

    return twice


def told(results: list[Found]) -> bool:
    """Whether each of these tells that something was sent twice."""
    return all(any(" times" in why for why in one.wrong) for one in results)


@pytest.mark.parametrize(
    ("fault", "asked"),
    [pytest.param(*one, marks=() if one in FEW else pytest.mark.long) for one in CHANGING],
)
def test_the_matrix_sees_a_client_that_sends_again(
    demo: Demo, fault: str, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Client, "_once", again(Client._once))
    monkeypatch.setattr(login, "sign_in", again(login.sign_in))
    assert told(cell(demo, fault, asked))


@pytest.mark.parametrize(
    ("fault", "asked"),
    [
        pytest.param(*one, marks=() if one in FEW else pytest.mark.long)
        for one in CHANGING
        if one[0] not in UNSEEN
    ],
)
def test_the_matrix_sees_a_transport_that_sends_again(
    demo: Demo, fault: str, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HttpTransport, "_sent", again(HttpTransport._sent))
    assert told(cell(demo, fault, asked))


@pytest.mark.parametrize("fault", [one for one in FAULTS if one.startswith("redirect")])
def test_the_matrix_sees_a_transport_that_follows_redirects(
    demo: Demo, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import requests

    plain = requests.Session.request

    def followed(*arguments: object, **more: object) -> object:
        return plain(*arguments, **(more | {"allow_redirects": True}))  # type: ignore[arg-type]

    monkeypatch.setattr(requests.Session, "request", followed)
    monkeypatch.delattr(Session, "get_redirect_target")  # ours has nowhere to follow to
    assert all(one.wrong for one in cell(demo, fault, "write"))
