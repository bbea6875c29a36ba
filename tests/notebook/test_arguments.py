"""Python values → what is sent: looked up, never evaluated, and no filter ever vanishes."""

from __future__ import annotations

import datetime as dt
from collections import namedtuple
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cs_magic.errors import CallError
from cs_magic.notebook.arguments import call_of, options_of
from cs_magic.notebook.grammar import parse

FRAME = pd.DataFrame(
    {
        "id": ["a1", "b2"],
        "name": ["vm-1", "vm-2"],
        "size": [10, 20],
        "count": [1, 2],
        "_odd": ["x", "y"],
    },
    index=["r1", "r2"],
)
NAMES: dict[str, Any] = {
    "zone": "z1",
    "vms": FRAME,
    "row": {"id": "a1", "two words": "b"},
    "ids": ["a1", "b2"],
    "point": namedtuple("Point", "id")("p1"),
    "series": FRAME.name,
    "noon": dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC),
    "yes": True,
    "five": np.int64(5),
    "tags": {"env": "prod", "tier": "db"},
    "word": "hunter2",
    "none": None,
    "empty": [],
    "blank": "",
    "nan": float("nan"),
}


def pairs(text: str, **names: Any) -> dict[str, str]:
    return dict(call_of(parse(f"listX {text}"), NAMES | names).arguments)


def refused(text: str, **names: Any) -> CallError:
    with pytest.raises(CallError) as caught:
        pairs(text, **names)
    return caught.value


SENT = {
    "id=$zone": {"id": "z1"},
    "id={zone}": {"id": "z1"},
    "id='$zone'": {"id": "$zone"},
    "id=a$zone": {"id": "a$zone"},
    "id=$vms.id": {"id": "a1,b2"},
    "id=$ids": {"id": "a1,b2"},
    "id=$ids[0]": {"id": "a1"},
    "id=$ids[-1]": {"id": "b2"},
    "id=$row['id']": {"id": "a1"},
    "id={row['two words']}": {"id": "b"},
    "id=$point.id": {"id": "p1"},
    "startdate=$noon": {"startdate": "2026-11-23T12:00:00+00:00"},
    "forced=$yes": {"forced": "true"},
    "cpu=$five": {"cpu": "5"},
    # what pandas calls by the same name never comes instead of the cloud's field
    "size=$vms.size": {"size": "10,20"},
    "count=$vms.count": {"count": "1,2"},
    "name=$vms[0].name": {"name": "vm-1"},
    "size=$vms[-1].size": {"size": "20"},
    "name=$vms.name[1]": {"name": "vm-2"},
    "name=$series[0]": {"name": "vm-1"},
    "odd=$vms._odd[0]": {"odd": "x"},
    # maps
    "tags.env=prod": {"tags[0].key": "env", "tags[0].value": "prod"},
    "tags.a=1 tags.b=2": {
        "tags[0].key": "a",
        "tags[0].value": "1",
        "tags[1].key": "b",
        "tags[1].value": "2",
    },
    "Tags.a=1": {"Tags[0].key": "a", "Tags[0].value": "1"},
    "tags=$tags": {
        "tags[0].key": "env",
        "tags[0].value": "prod",
        "tags[1].key": "tier",
        "tags[1].value": "db",
    },
    "details.cpuNumber=$five details.memory=512": {
        "details[0].cpuNumber": "5",
        "details[0].memory": "512",
    },
    # secrets
    "password=$word": {"password": "hunter2"},
    "details.password={word}": {"details[0].password": "hunter2"},
    "password=": {"password": ""},
}


@pytest.mark.parametrize("text", SENT)
def test_what_is_typed_becomes_what_is_sent(text):
    assert pairs(text) == SENT[text]


# Each of these would have listed everything, or something else than was meant.
VANISHING = {
    "id=$none": "$none is None: the filter would vanish and everything would be listed",
    "id=$nan": "$nan is nan: the filter would vanish",
    "id=$na": "$na is <NA>: the filter would vanish",
    "id=$nat": "$nat is NaT: the filter would vanish",
    "id=$blank": "$blank is an empty text: the filter would vanish",
    "id=$empty": "$empty is empty: the filter would vanish",
    "id={empty}": "{empty} is empty: the filter would vanish",
    "id=$idle.id": "$idle.id is empty: the filter would vanish",
    "id=$idle['id']": "$idle['id'] is empty: the filter would vanish",
    "id=$series": "$series[1] is nan: the filter would vanish",
    "id=$commas": "$commas[0] is 'a,b': CloudStack would cut it at the comma",
    "tags=$nothing": "$nothing is empty: the filter would vanish",
    "tags=$tags": "$tags['env'] is None: the filter would vanish",
    "tags.env=$none": "$none is None: the filter would vanish",
    "tags.env=$empty": "$empty is a list, which can't be sent",
    "startdate=$naive": "$naive is 2026-11-23 12:00:00, without a time zone",
    "id=$vms": "$vms is a DataFrame, which can't be sent",
    "id=$function": "$function is a function, which can't be sent",
    "id=$nested": "$nested[0] is a list, which can't be sent",
}
EMPTY = {
    "na": pd.NA,
    "nat": pd.NaT,
    "idle": FRAME[FRAME.id == "none"],
    "series": pd.Series(["a", None]),
    "commas": ["a,b"],
    "nothing": {},
    "tags": {"env": None},
    "naive": dt.datetime(2026, 11, 23, 12),
    "function": lambda: None,
    "nested": [["a"]],
}


@pytest.mark.parametrize("text", VANISHING)
def test_a_value_that_would_make_a_filter_vanish_is_refused_before_sending(text):
    error = refused(text, **EMPTY)
    assert str(error).startswith(VANISHING[text])
    assert error.column == len("listX ") + text.index("=") + 1


UNDEFINED = {
    "id=$zoen": "zoen is not defined: did you mean $zone?",
    "id={zoen.id}": "zoen is not defined: did you mean $zone?",
    "id=$quite_another": "quite_another is not defined",
    "id=$print": "print is not defined",
    "id=$vms.idd": "vms has no .idd",
    "id=$vms.iloc.x": "vms.iloc has no .x",
    "id=$vms['idd']": 'vms has no ["idd"]',
    "id=$ids[2]": "ids has no [2]",
    "id=$ids[0][7]": "ids[0] has no [7]",
    "id=$row.id": "row has no .id",
    "id=$row[0]": "row has no [0]",
    "id=$five[0]": "five has no [0]",
    "id=$five.a.b": "five has no .a",
    "id=$zone.__class__": "zone has no .__class__",
    "id=$table['x']": 'table has no ["x"]',
}


@pytest.mark.parametrize("text", UNDEFINED)
def test_a_name_that_is_not_there_is_refused(text):
    error = refused(text, table=np.zeros(2, dtype=[("a", int)]))
    assert str(error).startswith(UNDEFINED[text])
    assert error.column == len("listX id=")


@pytest.mark.parametrize(
    "text",
    [
        "password=hunter2",
        "PASSWORD='hunter2'",
        "secretkey=hunter2",
        "details.password=hunter2",
        "details[0].password=hunter2",
        'bindpass="$word"',
    ],
)
def test_a_secret_that_is_typed_is_refused_and_not_repeated(text):
    error = refused(text)
    assert "is a secret: typed here it would be saved in the notebook" in str(error)
    assert "hunter2" not in "\n".join(error.lines())


@pytest.mark.parametrize(
    "text",
    [
        "tags.env=a tags[0].key=b",
        "tags[0].value=a tags.env=b",
        "tags=$tags tags.env=b",
        "details.cpu=1 Details[0].CPU=2",
    ],
)
def test_one_thing_is_not_said_twice_in_two_ways(text):
    assert str(refused(text)).endswith("is given twice")


@pytest.mark.parametrize("expression", ["zone.upper()", "ids[0:1]", "five+1", "ids[five]"])
def test_nothing_is_ever_evaluated(expression):
    with pytest.raises(CallError, match="is more than a name"):
        parse(f"listX id=${expression}")


OPTIONS = {
    "": {"columns": None, "limit": None, "own": False, "check": True, "text": False, "raw": False},
    "-c name,id": {"columns": ("name", "id")},
    "-c 'name, id,,name'": {"columns": ("name", "id")},
    "-c $ids": {"columns": ("a1", "b2")},
    "-n 5": {"limit": 5},
    "-n $five": {"limit": 5},
    "-n 5 -n 6": {"limit": 6},
    "-o raw": {"raw": True},
    "-o df": {"raw": False},
    "--own --text --no-check": {"own": True, "text": True, "check": False},
}


@pytest.mark.parametrize("text", OPTIONS)
def test_options_say_how_the_call_is_made(text):
    given = options_of(parse(f"{text} listX"), NAMES)
    assert {name: getattr(given, name) for name in OPTIONS[text]} == OPTIONS[text]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-n 0", "--limit takes a number from 1, not 0"),
        ("-n -5", "--limit takes a number from 1, not -5"),
        ("-n many", "--limit takes a number from 1, not many"),
        ("-n ''", "--limit takes a number from 1, not nothing"),
        ("-n $none", "--limit needs a value: $none is None"),
        ("-n $row", "$row is more than one value"),
        ("-n $nope", "nope is not defined"),
        ("-n ٣", "--limit takes a number from 1, not ٣"),
        ("-c ,", "--columns names none"),
        ("-o csv", "--output takes df, raw, csv:PATH"),
    ],
)
def test_an_option_without_sense_is_refused_where_it_stands(text, message):
    with pytest.raises(CallError) as caught:
        options_of(parse(f"{text} listX"), NAMES)
    assert str(caught.value).startswith(message)
    assert caught.value.column == 3
