"""`changes` says what is different, all of it and nothing else."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_magic import CallError, changes

if TYPE_CHECKING:
    from conftest import Notebook

FIELDS = ("state", "cpunumber", "created", "nic", "haenable")
NESTED = st.recursive(
    st.none() | st.integers(0, 3) | st.text("ab", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=2)
    ),
    max_leaves=6,
)
ROW = st.fixed_dictionaries(
    {
        "state": st.sampled_from(["Running", "Stopped", None]),
        "cpunumber": st.integers(1, 3) | st.none(),
        "created": st.sampled_from([datetime(2026, 9, day, tzinfo=UTC) for day in (1, 2)])
        | st.none(),
        "nic": st.lists(st.dictionaries(st.sampled_from("xy"), NESTED, max_size=2), max_size=2),
        "haenable": st.booleans() | st.none(),
    }
)
RUN = st.dictionaries(st.sampled_from("abcdefg"), ROW, max_size=6)

Run = dict[str, dict[str, Any]]


def frame(run: Run) -> pd.DataFrame:
    """A list's frame, with the types that ours have."""
    rows = [{"id": id_, **row} for id_, row in run.items()]
    return pd.DataFrame(rows, columns=["id", *FIELDS], dtype=object).astype(
        {"id": "str", "state": "str", "cpunumber": "Int64", "haenable": "boolean"}
        | {"created": "datetime64[us, UTC]"}
    )


def shuffled(value: Any, order: random.Random) -> Any:
    """The same content in another order."""
    if isinstance(value, list):
        return order.sample([shuffled(inner, order) for inner in value], len(value))
    if isinstance(value, dict):
        names = order.sample(list(value), len(value))
        return {name: shuffled(value[name], order) for name in names}
    return value


def plain(value: Any) -> Any:
    """A value for comparing: missing is None."""
    return value if isinstance(value, list) else None if pd.isna(value) else value


@given(RUN, st.randoms(use_true_random=False))
def test_the_order_of_rows_columns_and_nested_values_is_no_change(
    run: Run, order: random.Random
) -> None:
    again = {id_: shuffled(run[id_], order) for id_ in order.sample(list(run), len(run))}
    other = frame(again)
    other = other[order.sample(list(other), len(other.columns))]
    assert changes(frame(run), other).empty


@given(RUN, RUN)
def test_old_with_all_the_changes_made_is_new(old: Run, new: Run) -> None:
    rows = {id_: dict(row) for id_, row in old.items()}
    for change in changes(frame(old), frame(new)).itertuples():
        match change.change:
            case "removed":
                del rows[change.id]
            case "added":
                assert change.id not in rows
                rows[change.id] = dict(new[change.id])
            case "changed":
                before = rows[change.id][change.field]
                assert plain(change.old) == before
                rows[change.id][change.field] = plain(change.new)
    assert changes(frame(rows), frame(new)).empty
    assert set(rows) == set(new)
    for id_, row in rows.items():
        for field in ("state", "cpunumber", "created", "haenable"):
            assert row[field] == new[id_][field]


@given(RUN, RUN)
def test_backwards_it_says_the_opposite(old: Run, new: Run) -> None:
    def said(found: pd.DataFrame) -> set[tuple[Any, ...]]:
        return set(
            found.fillna({"field": ""})[["id", "change", "field"]].itertuples(
                index=False, name=None
            )
        )

    opposite = {"added": "removed", "removed": "added", "changed": "changed"}
    forth, back = said(changes(frame(old), frame(new))), said(changes(frame(new), frame(old)))
    assert {(id_, opposite[change], field) for id_, change, field in forth} == back


@given(RUN, RUN)
def test_rows_stand_as_in_new_and_the_removed_ones_last(old: Run, new: Run) -> None:
    found = changes(frame(old), frame(new))
    place = {id_: at for at, id_ in enumerate([*new, *(id_ for id_ in old if id_ not in new)])}
    where = [
        (place[row.id], -1 if row.change != "changed" else FIELDS.index(row.field))
        for row in found.itertuples()
    ]
    assert where == sorted(where)
    assert list(found.columns) == ["id", "change", "field", "old", "new"]


def test_what_is_measured_counts_only_where_asked() -> None:
    old = pd.DataFrame({"id": ["1"], "name": ["web"], "cpuused": [1.0], "state": ["Running"]})
    new = old.assign(cpuused=2.0)
    assert changes(old, new).empty
    (row,) = changes(old, new, ignore=()).to_dict("records")
    assert row == {
        "id": "1",
        "name": "web",
        "change": "changed",
        "field": "cpuused",
        "old": 1.0,
        "new": 2.0,
    }


def test_a_missing_column_is_one_of_missing_values() -> None:
    old = pd.DataFrame({"id": ["1", "2"], "name": ["web", "db"]})
    new = old.assign(group=["front", None])
    found = changes(old, new)
    assert list(found["id"]) == ["1"]
    assert list(found["field"]) == ["group"]
    assert changes(old, old.assign(group=np.nan)).empty


def test_a_renamed_machine_has_its_new_name_and_a_removed_one_its_last() -> None:
    old = pd.DataFrame({"id": ["1", "2"], "name": ["web", "db"]})
    new = pd.DataFrame({"id": ["1"], "name": ["www"]})
    found = changes(old, new)
    assert list(found["name"]) == ["www", "db"]
    assert list(found["change"]) == ["changed", "removed"]


def test_several_columns_may_be_the_key() -> None:
    old = pd.DataFrame({"id": ["t", "t"], "zoneid": ["z1", "z2"], "size": [1, 1]})
    new = old.assign(size=[1, 2])
    with pytest.raises(CallError, match="Several rows of the old frame have the id t"):
        changes(old, new)
    (row,) = changes(old, new, key=["id", "zoneid"]).to_dict("records")
    assert (row["id"], row["zoneid"], row["old"], row["new"]) == ("t", "z2", 1, 2)


@pytest.mark.parametrize("key", ["uuid", ["id", "uuid"], []])
def test_a_key_that_is_not_there_is_refused(key: Any) -> None:
    rows = pd.DataFrame({"id": ["1"]})
    with pytest.raises(CallError, match=r"no column uuid|at least one"):
        changes(rows, rows, key=key)


def test_a_row_without_a_key_is_refused() -> None:
    rows = pd.DataFrame({"id": ["1", None]})
    with pytest.raises(CallError, match="has no id"):
        changes(rows[:1], rows)


def test_two_moments_that_are_the_same_are_no_change() -> None:
    old = pd.DataFrame({"id": ["1"], "created": [pd.Timestamp("2026-09-01T10:00Z")]})
    new = pd.DataFrame(
        {"id": ["1"], "created": [pd.Timestamp("2026-09-01T12:00", tz="Europe/Zurich")]}
    )
    assert changes(old, new).empty


def test_a_run_from_a_file_is_compared_with_one_that_is_live(bare_shell: Notebook) -> None:
    bare_shell.fine("%load_ext cs_magic\n%cs use demo")
    bare_shell.fine("%cs -o parquet:vms.parquet listVirtualMachines")
    saved = pd.read_parquet("vms.parquet")
    vms = bare_shell.fine("vms = %cs -q listVirtualMachines\nvms").result
    assert changes(saved, vms, ignore=()).empty
    id_ = vms["id"].iloc[0]
    bare_shell.fine("%cs -q updateVirtualMachine id=$vms.id[0] displayname=renamed")
    now = bare_shell.fine("now = %cs -q listVirtualMachines\nnow").result
    (row,) = changes(saved, now).to_dict("records")
    assert (row["id"], row["field"], row["new"]) == (id_, "displayname", "renamed")


def nics(*addresses: str) -> list[dict[str, str]]:
    """Cards of a machine."""
    return [{"id": f"nic-{address}", "ipaddress": address} for address in addresses]


def test_two_files_are_compared_by_what_their_nested_values_say() -> None:
    before, after = nics("10.0.0.1", "10.0.0.2"), nics("10.0.0.2", "10.0.0.1")
    after = [dict(reversed(card.items())) for card in after]
    old = pd.DataFrame({"id": ["1", "2"], "nic": [json.dumps(before), "[]"]}).astype("str")
    new = pd.DataFrame({"id": ["1", "2"], "nic": [json.dumps(after), "[{}]"]}).astype("str")
    assert list(changes(old, new)["id"]) == ["2"]


def test_two_nights_in_parquet_are_the_same_in_whatever_order(
    bare_shell: Notebook,
) -> None:
    bare_shell.fine("%load_ext cs_magic\n%cs use demo")
    bare_shell.fine("%cs -o parquet:one.parquet listVirtualMachines")
    one = pd.read_parquet("one.parquet")
    other = one.copy()
    several = one["tags"].map(lambda text: len(json.loads(text or "[]")) > 1)
    assert several.any()
    other["tags"] = one["tags"].map(lambda text: text and json.dumps(json.loads(text)[::-1]))
    other.to_parquet("other.parquet")
    assert changes(one, pd.read_parquet("other.parquet"), ignore=()).empty


def test_what_a_file_keeps_aside_is_compared_field_by_field() -> None:
    aside = json.dumps({"gpu": [1, 2], "cpunumber": "many"})
    saved = pd.DataFrame({"id": ["1", "2"], "cpunumber": [None, 2], "_other": [aside, None]})
    live = pd.DataFrame({"id": ["1", "2"], "cpunumber": ["many", 2], "gpu": [[2, 1], None]})
    assert changes(saved, live).empty
    (row,) = changes(saved, live.assign(cpunumber=["few", 2])).to_dict("records")
    assert (row["field"], row["old"], row["new"]) == ("cpunumber", "many", "few")


@pytest.mark.parametrize("text", ["[draft] a", "{x", "[1, 2]", "["])
def test_text_that_only_looks_like_json_is_text(text: str) -> None:
    old = pd.DataFrame({"id": ["1"], "displayname": [text]})
    new = pd.DataFrame({"id": ["1"], "displayname": [f"{text} b"]})
    assert list(changes(old, new)["old"]) == [text]


def test_arrays_are_lists_and_tuples_too() -> None:
    old = pd.DataFrame({"id": ["1", "2"], "tags": [np.array(["a", "b"]), np.array(["a"])]})
    new = pd.DataFrame({"id": ["1", "2"], "tags": [["b", "a"], ("c",)]})
    assert list(changes(old, new)["id"]) == ["2"]
    assert changes(old, old.copy()).empty


def test_when_a_row_was_touched_is_no_change_of_its_own() -> None:
    old = pd.DataFrame({"id": ["1"], "lastupdated": [1]})
    assert changes(old, old.assign(lastupdated=2)).empty


def test_one_column_to_ignore_may_be_given_as_text() -> None:
    old = pd.DataFrame({"id": ["1"], "state": ["a"], "s": [1]})
    assert list(changes(old, old.assign(state="b", s=2), ignore="state")["field"]) == ["s"]


@pytest.mark.parametrize("name", ["change", "field", "old", "new"])
def test_a_key_with_the_name_of_a_result_s_column_is_refused(name: str) -> None:
    rows = pd.DataFrame({name: ["1"], "x": [1]})
    with pytest.raises(CallError, match=f"A key column can't be called {name}"):
        changes(rows, rows.assign(x=2), key=name)


def test_what_can_t_be_compared_is_one_line() -> None:
    rows = pd.DataFrame({"id": ["1"]})
    none: Any = None
    with pytest.raises(CallError, match="at least one key column"):
        changes(rows, rows, key=none)
    twice = pd.DataFrame([["1", 1, 2]], columns=["id", "x", "x"])
    with pytest.raises(CallError, match="The new frame has several columns x"):
        changes(rows, twice)
    nested = pd.DataFrame({"id": [["1"]]})
    with pytest.raises(CallError, match="id of the old frame is nested"):
        changes(nested, rows)


def test_a_list_that_is_not_complete_is_compared_with_a_warning() -> None:
    old, new = pd.DataFrame({"id": ["1"]}), pd.DataFrame({"id": ["1", "2"]})
    old.attrs["cs"] = {"complete": False}
    with pytest.warns(UserWarning, match="The old list is not complete: .* added"):
        assert len(changes(old, new)) == 1
    with pytest.warns(UserWarning, match="The new list is not complete: .* removed"):
        changes(new, old)


def test_it_stays_a_function_whatever_was_imported() -> None:
    import cs_magic.comparison

    assert cs_magic.changes is cs_magic.comparison.changes
    assert callable(cs_magic.changes)
