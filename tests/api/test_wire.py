"""Python values as they travel; whatever would make a filter vanish is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import numpy as np
import pandas as pd
import pytest

from cs_magic.api.wire import encoded
from cs_magic.errors import CallError

UUID_1 = "11111111-2222-3333-4444-555555555555"
NOON = datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)
ZURICH = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        ("web", "web"),
        (" a b ", " a b "),
        ("a,b", "a,b"),
        (7, "7"),
        (10**30, str(10**30)),
        (-1, "-1"),
        (1.5, "1.5"),
        (4.0, "4"),
        (1e16, "10000000000000000"),
        (True, "true"),
        (False, "false"),
        (Decimal("1.10"), "1.10"),
        (UUID(UUID_1), UUID_1),
        (date(2026, 11, 23), "2026-11-23"),
        (NOON, "2026-11-23T12:00:30+00:00"),
        (NOON.astimezone(ZURICH), "2026-11-23T13:00:30+01:00"),
        (pd.Timestamp("2026-11-23 12:00:30.5", tz="UTC"), "2026-11-23T12:00:30+00:00"),
        (np.int64(7), "7"),
        (np.float64(1.5), "1.5"),
        (np.float32(2.0), "2"),
        (np.bool_(True), "true"),
        (np.str_("web"), "web"),
        (["a", "b"], "a,b"),
        (("a", "b"), "a,b"),
        ({"b", "a"}, "a,b"),
        (frozenset([2, 1]), "1,2"),
        (range(3), "0,1,2"),
        ([True, 1, UUID(UUID_1)], f"true,1,{UUID_1}"),
        (np.array([1, 2]), "1,2"),
        (pd.Series(["a", "b"]), "a,b"),
        (pd.Series([1, 2], dtype="Int64"), "1,2"),
        (pd.Index(["a", "b"]), "a,b"),
        (pd.Series(["a", "b"], dtype="str").unique(), "a,b"),
        (["one"], "one"),
    ],
)
def test_a_value_travels_as_text(value, wire):
    assert encoded("id", value) == (("id", wire),)


@pytest.mark.parametrize(
    ("name", "value", "pairs"),
    [
        ("details", {"cpuNumber": 2}, [("details[0].cpuNumber", "2")]),
        (
            "details",
            {"cpuNumber": 2, "memory": 512},
            [("details[0].cpuNumber", "2"), ("details[0].memory", "512")],
        ),
        (
            "tags",
            {"env": "prod", "team": "a,b"},
            [
                ("tags[0].key", "env"),
                ("tags[0].value", "prod"),
                ("tags[1].key", "team"),
                ("tags[1].value", "a,b"),
            ],
        ),
        (
            "iptonetworklist",
            [{"networkid": "n1"}, {"networkid": "n2", "ip": "10.0.0.1"}],
            [
                ("iptonetworklist[0].networkid", "n1"),
                ("iptonetworklist[1].networkid", "n2"),
                ("iptonetworklist[1].ip", "10.0.0.1"),
            ],
        ),
    ],
)
def test_a_map_travels_as_indexed_names(name, value, pairs):
    assert encoded(name, value) == tuple(pairs)


VANISHING = {
    "None": None,
    "NA": pd.NA,
    "NaN": float("nan"),
    "numpy's NaN": np.float64("nan"),
    "NaT": pd.NaT,
    "an empty text": "",
    "an empty list": [],
    "an empty tuple": (),
    "an empty set": set(),
    "an empty dict": {},
    "an empty Series": pd.Series([], dtype=str),
    "an empty Index": pd.Index([]),
    "an empty array": np.array([]),
    "None in a list": ["a", None],
    "NA in a list": ["a", pd.NA],
    "NaN in a list": ["a", float("nan")],
    "NaT in a list": [pd.NaT],
    "NA in a Series": pd.Series(["a", None]),
    "NaT in a Series": pd.Series([NOON, None]),
    "NA in an Int64 Series": pd.Series([1, None], dtype="Int64"),
    "an empty text in a list": ["a", ""],
    "a comma in a list": ["a,b", "c"],
    "a comma in a Series": pd.Series(["a,b"]),
    "an empty list in a list": [[]],
    "a list in a list": [["a"], ["b"]],
    "None in a dict": {"key": None},
    "an empty text in a dict": {"key": ""},
    "a list in a dict": {"key": ["a"]},
    "an empty dict in a list": [{}],
    "empty dicts in a list": [{"a": 1}, {}],
    "None in a dict in a list": [{"key": None}],
    "a dict among texts": ["a", {"key": "b"}],
    "a naive datetime": datetime(2026, 11, 23),
    "a naive Timestamp": pd.Timestamp("2026-11-23"),
    "a naive datetime in a list": [datetime(2026, 11, 23)],
    "numpy's datetime": np.datetime64("2026-11-23T12:00"),
    "numpy's NaT": np.datetime64("NaT"),
    "infinity": float("inf"),
    "a Decimal's NaN": Decimal("NaN"),
    "a Decimal's infinity": Decimal("-Infinity"),
    "bytes": b"web",
    "a DataFrame": pd.DataFrame({"id": ["a"]}),
    "an object": object(),
    "a function": len,
    "a generator": (one for one in "ab"),
}


@pytest.mark.parametrize("value", VANISHING.values(), ids=VANISHING)
def test_what_would_vanish_or_change_is_refused_by_name(value):
    with pytest.raises(CallError) as caught:
        encoded("id", value, "$idle.id")
    assert "$idle.id" in caught.value.message
    assert caught.value.name == "id"


@pytest.mark.parametrize("name", ["tags", "Tags"])
@pytest.mark.parametrize(
    "value", [{"env": None}, {"env": ""}, {"env": pd.NA}, {None: "x"}, {"": "x"}]
)
def test_a_tag_without_a_key_or_value_is_refused(name, value):
    with pytest.raises(CallError):
        encoded(name, value)


def test_an_empty_list_says_what_would_happen():
    with pytest.raises(CallError) as caught:
        encoded("id", [], "$idle.id")
    assert caught.value.message == (
        "$idle.id is empty: the filter would vanish and everything would be listed"
    )
