"""Every page of a list comes once, in order, whatever the server counts."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from clouds import SCOPED, THINGS, UNPAGED, Things, came, facts, names, things
from servers import Scripted, listed, reply

from cs_magic.api.client import Unwanted
from cs_magic.api.completeness import verdict
from cs_magic.api.pages import Reader, Wish, variants
from cs_magic.api.values import Call
from cs_magic.errors import ApiError, CloudStackError, SignInNeeded, TransportError

# -- the stop rule -------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("number", [0, 1, 9, 10, 11, 19, 20, 21, 95, 100, 101])
def test_every_row_comes_once_and_in_order(number, workers):
    server = Things(things(number))
    result = server.read(workers=workers)
    assert things(number) == came(result)
    assert facts(result, "rows", "complete", "duplicates", "reason") == (number, True, 0, "")
    assert result.provenance.count == (number or None)


@pytest.mark.parametrize("workers", [1, 4, 9])
@pytest.mark.parametrize("number", [5, 10, 11, 100, 101, 250])
def test_no_page_is_asked_twice_and_none_far_beyond_the_count(number, workers):
    server = Things(things(number))
    server.read(workers=workers)
    pages = sorted(int(page) for page, _ in server.asked)
    last = -(-number // 10)
    assert pages in (list(range(1, last + 1)), list(range(1, last + 2)))


@pytest.mark.parametrize("number", [0, 5, 9])
def test_one_short_page_is_one_request(number):
    server = Things(things(number))
    server.read()
    assert server.asked == [("1", "10")]


def count_of_page(page, rows):
    return len(rows)


def no_count(page, rows):
    return None


@pytest.mark.parametrize(
    ("total", "complete", "count"), [(count_of_page, None, 5), (no_count, None, None)]
)
@pytest.mark.parametrize("number", [25, 30])
def test_a_count_that_tells_nothing_of_the_total_loses_no_row(number, total, complete, count):
    result = Things(things(number), total=total).read()
    assert names(result) == [row["id"] for row in things(number)]
    assert facts(result, "complete", "reason") == (complete, "the server gives no total")


@pytest.mark.parametrize("number", [1, 4, 10, 25])
@pytest.mark.parametrize("total", [None, no_count])
def test_a_command_that_ignores_page_ends_and_has_each_row_once(number, total):
    server = Things(things(number), total=total, page_of=lambda rows, page, size: rows)
    result = server.read()
    assert things(number) == came(result)
    assert len(server.asked) <= 6


def test_a_short_page_with_a_larger_count_goes_on():
    def without_the_last(rows, page, size):
        return rows[(page - 1) * size : page * size - 1]

    result = Things(things(30), page_of=without_the_last).read()
    assert len(came(result)) == 27
    assert facts(result, "complete", "reason") == (
        False,
        "the server counts 30 rows, 27 came",
    )


def test_an_empty_page_ends_a_list_that_counts_more():
    server = Things(things(10), total=lambda page, rows: 10_000)
    result = server.read(workers=1)
    assert facts(result, "rows", "complete") == (10, False)
    assert result.provenance.reason == "the server counts 10000 rows, 10 came"
    assert {page for page, _ in server.asked} <= {"1", "2", "3"}  # one more may be on its way


def test_a_total_that_changed_while_reading_is_said():
    result = Things(things(25), total=lambda page, rows: 24 + page).read(workers=1)
    assert names(result) == [row["id"] for row in things(25)]
    assert facts(result, "complete", "reason") == (
        False,
        "the total changed while reading (25 → 27)",
    )


def test_rows_that_moved_to_the_next_page_are_dropped_and_counted():
    def shifted(rows, page, size):
        start = (page - 1) * size - (page > 1)
        return rows[max(0, start) : start + size]

    result = Things(things(25), page_of=shifted, total=lambda page, rows: 25).read()
    assert names(result) == [row["id"] for row in things(25)]
    assert result.provenance.duplicates == 1


# -- identity ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [
        ([{"id": "1", "zoneid": "a"}], [{"id": "1", "zoneid": "b"}], 2),
        ([{"id": "1", "zoneid": "a"}], [{"id": "1", "zoneid": "a", "n": "other"}], 1),
        ([{"id": "1", "n": "a"}], [{"id": "1", "n": "b"}], 1),
        ([{"id": 1}], [{"id": 1}], 1),
        ([{"n": "a"}], [{"n": "a"}], 1),
        ([{"n": "a"}], [{"n": "b"}], 2),
        ([{"n": "a"}, {"n": "a"}], [{"n": "b"}], 3),
        ([{"n": {"deep": [1]}}], [{"n": {"deep": [1]}}], 1),
        ([{"n": {"deep": [1]}}], [{"n": {"deep": [2]}}], 2),
        ([{"id": "1"}, {"id": "1"}], [{"id": "2"}], 3),
        ([{"id": "1", "n": "a"}, {"id": "1", "n": "b"}], [{"id": "1", "n": "c"}], 3),
        ([{"id": "1"}, {"n": "no id"}], [{"id": "1", "n": "has"}], 3),
    ],
)
def test_a_row_is_the_same_by_id_and_zone_or_else_as_a_whole(first, second, left):
    server = Things(first + second, page_of=lambda rows, page, size: [first, second, []][page - 1])
    server.total = lambda page, rows: 20
    assert len(came(server.read(workers=1))) == left


@pytest.mark.parametrize("only", [["key"], ["gone"], ["nowhere", "key"]])
def test_no_row_of_a_list_without_ids_is_lost_whatever_columns_are_wanted(only):
    rows = [{"key": f"k{n // 9}", "n": n} for n in range(25)] + [{"other": 1}]
    server = Things(rows, project=[{"key": "k0", "n": 99}])
    result = server.read(wish=Wish(only=only), command=SCOPED)
    assert facts(result, "rows", "complete", "duplicates") == (27, True, 0)
    assert result.table.num_rows == 27
    assert set(result.table.column_names) <= set(only)


def test_a_row_without_an_id_is_known_again_where_a_new_field_listed_between():
    rows = [[{"n": "a"}], [{"n": "b", "new": 1}], [{"n": "a"}], []]
    server = Things([{}], page_of=lambda _, page, size: rows[page - 1])
    server.total = lambda page, rows: 40
    assert [row["n"] for row in came(server.read(workers=1))] == ["a", "b"]


def test_rows_nested_too_deeply_are_an_error():
    deep = b"[" * 200_000 + b"]" * 200_000
    body = b'{"x":{"thing":[{"id":"1","n":' + deep + b"}]}}"
    with pytest.raises(TransportError, match="nested too deeply"):
        Things([], always=body).read()


# -- two lists -----------------------------------------------------------------------------


def test_everything_is_asked_as_two_lists_and_united():
    server = Things(things(25), project=things(12, first=20))
    result = server.read(command=SCOPED)
    assert names(result) == [row["id"] for row in things(32)]
    assert facts(result, "rows", "count", "complete", "duplicates") == (32, 32, True, 0)
    assert result.provenance.scope == ("listall=true", "projectid=-1")


def test_the_two_lists_are_never_asked_in_one_call():
    server = Things(things(3), project=things(3))
    server.read(command=SCOPED)
    sent = [
        (form.get("listall"), form.get("projectid"))
        for form in server.transport.forms
        if form["command"] == "listThings"
    ]
    assert sent == [("true", None), (None, "-1")]


@pytest.mark.parametrize(("own", "left"), [(0, 5), (5, 0), (0, 0)])
def test_either_list_may_be_empty(own, left):
    result = Things(things(own), project=things(left)).read(command=SCOPED)
    assert facts(result, "rows", "complete") == (own + left, True)


@pytest.mark.parametrize(
    "typed", ["listall", "account", "domainid", "projectid", "id", "ids", "Account", "IDS"]
)
def test_who_typed_a_scope_gets_just_that(typed):
    call = Call("listThings", ((typed, "x"),))
    assert variants(call, SCOPED) == (call,)


def test_own_leaves_the_scope_to_the_server():
    server = Things(things(3), project=things(3, first=9))
    result = server.read(wish=Wish(own=True), command=SCOPED)
    assert (len(came(result)), result.provenance.scope) == (3, ("as typed",))


def test_a_typed_page_is_of_the_first_list_only():
    call = Call("listThings", (("page", "1"), ("pagesize", "5")))
    assert variants(call, SCOPED) == (call.having(listall="true"),)


@pytest.mark.parametrize(("size", "reason"), [(500, "one page as typed"), (7, "7 of 25 rows")])
def test_a_typed_page_that_leaves_projects_out_is_not_complete(size, reason):
    held = things(7)
    server = Things([], always=listed("thing", held, 25 if size == 7 else 7))
    call = Call("listThings", (("page", "1"), ("pagesize", str(size))))
    told, why = facts(server.read(call, command=SCOPED), "complete", "reason")
    assert told is False
    assert reason in why
    assert why.endswith(", projects not in it")


def test_a_typed_page_with_a_typed_scope_leaves_no_projects_out():
    server = Things([], always=listed("thing", things(7), 7))
    call = Call("listThings", (("page", "1"), ("pagesize", "500"), ("listall", "true")))
    assert facts(server.read(call, command=SCOPED), "complete") == (True,)


@pytest.mark.parametrize("count", [None, 5])
def test_a_typed_page_that_is_full_and_has_no_total_may_not_be_all(count):
    server = Things([], always=listed("thing", things(5), count))
    call = Call("listThings", (("page", "1"), ("pagesize", "5")))
    assert facts(server.read(call), "complete") == (None,)


@pytest.mark.parametrize("count", [None, 5])
def test_a_typed_page_after_the_first_is_not_complete(count):
    server = Things([], always=listed("thing", things(5), count))
    call = Call("listThings", (("page", "2"), ("pagesize", "500")))
    assert facts(server.read(call), "complete", "reason") == (False, "one page as typed")


# -- asked once ----------------------------------------------------------------------------


def test_a_command_without_pages_is_asked_once_and_bare():
    server = Things(things(25))
    result = server.read(command=UNPAGED)
    assert server.asked == [("", "")]
    assert facts(result, "rows", "complete", "pages") == (25, True, 1)


@pytest.mark.parametrize("names_", [("page", "pagesize"), ("Page", "PageSize")])
def test_a_typed_page_is_sent_once_as_typed(names_):
    server = Things([], always=listed("thing", things(7, 7), 25))
    page, size = names_
    call = Call("listThings", ((page, "2"), (size, "7")))
    result = server.read(call)
    assert [(form[page], form[size]) for form in server.transport.forms] == [("2", "7")]
    assert facts(result, "rows", "complete", "reason") == (
        7,
        False,
        "one page as typed: 7 of 25 rows",
    )


@pytest.mark.parametrize(
    ("body", "row"),
    [
        (b'{"x":{"capability":{"version":"4.23"}}}', {"version": "4.23"}),
        (b'{"x":{"success":true}}', {"success": True}),
        (b'{"x":{"jobid":"j","id":"i"}}', {"jobid": "j", "id": "i"}),
    ],
)
def test_an_answer_that_is_one_object_is_one_row(body, row):
    for command in (UNPAGED, THINGS):
        result = Things([], always=body).read(command=command)
        assert came(result) == [row]
        assert result.provenance.complete is True


# -- page size and limit -------------------------------------------------------------------


@pytest.mark.parametrize("told", [True, False])
def test_the_page_size_is_the_servers_own_and_learnt_once_per_client(told):
    server = Things(things(5), largest=7, told=told)
    client = server.client()
    for _ in range(3):
        assert len(came(server.read(client=client))) == 5
    assert client.pagesize == 7
    assert server.asked[-3:] == [("1", "7")] * 3
    assert [form["command"] for form in server.transport.forms].count("listConfigurations") == 1


def test_the_page_size_is_asked_for_while_the_first_page_is_under_way():
    server, together = Things(things(5), largest=500), threading.Barrier(2)
    answered = server.answer

    def answer(form: dict[str, str]) -> Any:
        together.wait(30)
        return answered(form)

    server.transport = Scripted(answer)
    assert len(came(server.read(client=server.client()))) == 5
    assert server.asked == [("1", "500")]


@pytest.mark.parametrize(
    ("held", "limit", "asked"),
    [
        (3000, None, {("1", "500"), ("1", "1000"), ("2", "1000"), ("3", "1000"), ("4", "1000")}),
        (2500, None, {("1", "500"), *((str(page), "500") for page in range(2, 7))}),
        (3000, 1200, {("1", "400"), ("2", "400"), ("3", "400")}),
        (3, None, {("1", "500")}),
    ],
)
def test_larger_pages_are_asked_for_where_they_save_more_than_a_round(held, limit, asked):
    server = Things(things(held), largest=1000)
    client = server.client()
    wish = Wish(limit=limit)
    assert len(came(server.read(client=client, wish=wish))) == min(held, limit or held)
    assert (set(server.asked), client.pagesize) == (asked, 1000)


@pytest.mark.parametrize("problem", [TransportError("gone"), SignInNeeded("nobody")])
def test_a_question_for_the_page_size_that_is_lost_costs_the_list_nothing(problem):
    server = Things(things(5), largest=500)
    answered = server.answer

    def answer(form: dict[str, str]) -> Any:
        if form["command"] == "listConfigurations":
            raise problem
        return answered(form)

    server.transport = Scripted(answer)
    client = server.client()
    assert facts(server.read(client=client), "rows", "complete") == (5, True)
    assert client.pagesize is None


def test_a_reading_that_nobody_wants_does_not_wait_for_the_page_size():
    server, listed_, wanted = Things(things(5), largest=500), threading.Event(), threading.Event()
    answered, stop = server.answer, threading.Event()

    def answer(form: dict[str, str]) -> Any:
        if form["command"] == "listConfigurations":
            wanted.wait(30)
        else:
            listed_.set()
        return answered(form)

    server.transport = Scripted(answer)
    reader = Reader(server.client(), THINGS, {}, Wish(), stop=stop)
    failed: list[CloudStackError] = []

    def read() -> None:
        try:
            reader.read(Call("listThings"))
        except CloudStackError as error:
            failed.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    assert listed_.wait(30)
    stop.set()
    thread.join(10)
    wanted.set()
    assert [type(error) for error in failed] == [Unwanted]


def test_where_the_setting_is_hidden_the_refusal_tells_the_page_size():
    server = Things(things(25), told=False)
    result = server.read()
    assert facts(result, "rows", "complete", "pages") == (25, True, 3)
    assert server.asked[:2] == [("1", "500"), ("1", "10")]


def test_another_refusal_is_raised():
    server = Things(
        things(25), failing={1: reply(b'{"x":{"errorcode":431,"errortext":"no"}}', 431)}
    )
    with pytest.raises(ApiError, match="no"):
        server.read()


@pytest.mark.parametrize("limit", [1, 5, 9, 10, 11, 15, 20, 24])
def test_a_limit_is_kept_and_said(limit):
    server = Things(things(25))
    result = server.read(wish=Wish(limit=limit))
    assert names(result) == [row["id"] for row in things(limit)]
    assert facts(result, "complete", "limit") == (False, limit)
    assert result.provenance.reason == f"limited to {limit} of 25 rows"
    assert len([page for page, _ in server.asked if int(page) > -(-limit // 10)]) == 0


@pytest.mark.parametrize("limit", [25, 26, 1000])
def test_a_limit_that_cuts_nothing_leaves_the_list_complete(limit):
    result = Things(things(25)).read(wish=Wish(limit=limit))
    assert facts(result, "rows", "complete") == (25, True)


def test_a_small_limit_asks_for_no_more_rows_than_that():
    server = Things(things(25))
    server.read(wish=Wish(limit=3))
    assert server.asked == [("1", "3")]


def test_a_limit_of_several_pages_asks_for_as_many_rows_as_wanted():
    server = Things(things(25))
    server.read(wish=Wish(limit=12))
    assert server.asked[-2:] == [("1", "6"), ("2", "6")]


def test_a_limit_counts_over_both_lists():
    server = Things(things(6), project=things(6, first=6))
    result = server.read(wish=Wish(limit=8), command=SCOPED)
    assert (len(came(result)), result.provenance.complete) == (8, False)


def test_a_second_list_is_asked_for_no_more_than_the_limit_and_one_row():
    server = Things(things(3), project=things(4, first=2), largest=500)
    result = server.read(wish=Wish(limit=5), command=SCOPED)
    assert server.asked == [("1", "5"), ("1", "6")]
    assert names(result) == [row["id"] for row in things(5)]


def test_a_limit_that_the_first_list_fills_leaves_the_second_unasked():
    server = Things(things(6), project=things(6, first=6))
    result = server.read(wish=Wish(limit=6), command=SCOPED)
    assert [form.get("projectid") for form in server.transport.forms] == [None]
    assert facts(result, "complete", "reason") == (
        False,
        "limited to 6 rows: there may be more",
    )


@pytest.mark.parametrize("total", [count_of_page, no_count])
@pytest.mark.parametrize(
    ("limit", "complete"), [(1, None), (10, None), (11, False), (20, None), (25, None), (30, None)]
)
def test_a_limit_without_a_total_never_makes_a_list_complete(total, limit, complete):
    result = Things(things(25), total=total).read(wish=Wish(limit=limit))
    assert facts(result, "rows", "complete") == (min(25, limit), complete)


@pytest.mark.parametrize("limit", [7, 9])
def test_a_limit_counts_what_is_in_both_lists_once(limit):
    server = Things(things(6), project=things(6, first=4))
    result = server.read(wish=Wish(limit=limit), command=SCOPED)
    assert facts(result, "rows", "complete", "reason") == (
        limit, False, f"limited to {limit} of 10 rows"
    )  # fmt: skip


@pytest.mark.parametrize("project", [things(6, first=4), things(10)[::-1]])
def test_a_limit_of_exactly_all_rows_of_both_lists_leaves_them_complete(project):
    server = Things(things(6), project=project, largest=500)
    result = server.read(wish=Wish(limit=10), command=SCOPED)
    assert facts(result, "rows", "complete", "reason") == (10, True, "")


def test_rows_of_a_second_list_that_the_first_may_have_had_are_only_at_most_more():
    server = Things(things(10), project=things(30)[::-1])
    result = server.read(wish=Wish(limit=30), command=SCOPED)
    assert facts(result, "rows", "complete", "reason") == (
        30, None, "limited to 30 of at most 40 rows"
    )  # fmt: skip


def test_typed_ids_are_not_counted_under_a_limit():
    server = Things(things(3))
    call = Call("listThings", (("ids", "t0000,t0001,t0002"),))
    result = server.read(call, wish=Wish(limit=2), command=SCOPED)
    assert facts(result, "complete", "reason") == (False, "limited to 2 of 3 rows")


# -- the verdict ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "sizes", "fresh", "cut", "complete", "reason"),
    [
        ([], [], 0, "", True, ""),
        ([], [0], 0, "", True, ""),
        ([], [5], 5, "", True, ""),
        ([], [5, 5, 0], 10, "", None, "no total"),
        ([10, 10], [5, 5], 10, "", True, ""),
        ([10], [5, 5], 10, "", True, ""),
        ([2, 2, 1], [2, 2, 1], 5, "", None, "no total"),
        ([10, 11], [5, 5], 10, "", False, "changed while reading (10 → 11)"),
        ([10, 10], [5, 4], 9, "", False, "counts 10 rows, 9 came"),
        ([8, 8], [5, 4], 9, "", None, "counts 8 rows, 9 came"),
        ([10], [5], 5, "cut", False, "cut"),
    ],
)
def test_a_list_is_complete_or_not_or_nobody_knows(counts, sizes, fresh, cut, complete, reason):
    told, why = verdict(counts, sizes, fresh, cut)
    assert complete is told
    assert reason in why
    assert bool(reason) == bool(why)


@pytest.mark.parametrize("page", [1, 2, 3])
def test_a_row_that_listed_twice_on_a_page_stands_for_one_that_did_not_come(page):
    rows = things(30)
    rows[page * 10 - 1] = rows[page * 10 - 2]
    result = Things(rows).read()
    assert len(came(result)) == 30
    assert facts(result, "complete", "reason") == (
        False,
        "the server counts 30 rows, 29 different ones came",
    )


def test_rows_of_one_id_that_differ_are_all_counted():
    rows = [{"id": "1", "n": str(n)} for n in range(30)]
    assert facts(Things(rows).read(), "rows", "complete") == (30, True)


def test_the_empty_page_behind_a_list_of_full_ones_is_asked_for_with_the_others() -> None:
    """Pages 2 to 5 are answered once all of them are under way; the fifth has no rows."""
    together = threading.Barrier(4)

    def cut(rows: list[Any], page: int, size: int) -> list[Any]:
        if page > 1:
            together.wait(30)
        return rows[(page - 1) * size : page * size]

    server = Things(things(40), page_of=cut)
    result = server.read(workers=4)
    assert facts(result, "rows", "complete") == (40, True)
    assert sorted(server.asked) == [(str(page), "10") for page in range(1, 6)]
