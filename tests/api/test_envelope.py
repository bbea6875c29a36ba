"""What a reply's bytes are: a page, a document, a job reply, or which error."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from cs_magic.api.envelope import read, retry_seconds
from cs_magic.api.masks import MASK
from cs_magic.api.values import Document, JobReply, Page, Response, Secret
from cs_magic.errors import ApiError, CloudStackError, TransportError, Unauthorized

JSON = "application/json;charset=utf-8"


def answer(body: bytes | str, status: int = 200, content_type: str = JSON):
    data = body.encode() if isinstance(body, str) else body
    return read("listZones", Response(status, content_type, data))


def refusal(body: bytes | str, status: int = 200, content_type: str = JSON) -> CloudStackError:
    with pytest.raises(CloudStackError) as caught:
        answer(body, status, content_type)
    return caught.value


def rows(page: Page) -> list:
    return json.loads(page.rows)


# -- the shapes of a success ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "key", "count", "listed"),
    [
        ('{"listzonesresponse":{"count":2,"zone":[{"a":1},{"a":2}]}}', "zone", 2, [1, 2]),
        ('{"counterresponse":{"count":1,"counter":[{"a":1}]}}', "counter", 1, [1]),
        ('{"x":{"count":1,"vmSnapshot":[{"a":1}]}}', "vmSnapshot", 1, [1]),
        ('{"x":{"count":1,"null":[{"a":1}]}}', "null", 1, [1]),
        ('{"null":{"count":1,"zone":[{"a":1}]}}', "zone", 1, [1]),
        ('{"x":{"zone":[{"a":1}]}}', "zone", None, [1]),
        ('{"x":{"zone":[]}}', "zone", None, []),
        ('{"x":{"zone":[{"a":1}],"count":1}}', "zone", 1, [1]),
        ('{"x":{"count":"one","zone":[{"a":1}]}}', "zone", None, [1]),
        ('{"x":{"count":1,"zone":[{"a":1}],"cached":true}}', "zone", 1, [1]),
        ('{"listzonesresponse":{}}', None, None, []),
        ('{"listzonesresponse":{"count":7}}', None, 7, []),
        (' \n{"x" : {"count" : 1, "zone" : [ {"a" : 1} ]}}\n', "zone", 1, [1]),
        ('\ufeff{"x":{"count":1,"zone":[{"a":1}]}}', "zone", 1, [1]),
    ],
)
def test_a_list_is_a_page(body, key, count, listed):
    page = answer(body)
    assert isinstance(page, Page)
    assert (page.key, page.count) == (key, count)
    assert listed == [row["a"] for row in rows(page)]


def test_what_stands_beside_a_counted_list_is_named_in_a_note():
    page = answer('{"x":{"count":1,"foo":[{"a":1}],"bar":"kept?","baz":{}}}')
    assert page.key == "foo"
    assert page.notes == ("beside the list the reply holds bar, baz: left out",)
    assert answer('{"x":{"count":1,"foo":[{"a":1}]}}').notes == ()


@pytest.mark.parametrize("status", [200, 431])
@pytest.mark.parametrize("before", ['{"x":{"a":', '{"x":{"b":"\\A","a":', '{"errortext":'])
def test_an_answer_nested_too_deeply_is_an_error(before, status):
    error = refusal(before + "[" * 200_000 + "]" * 200_000 + "}}", status)
    assert isinstance(error, TransportError)
    assert error.message == "The reply is nested too deeply to be read"


def test_a_row_that_had_to_be_repaired_is_written_as_cloudstack_writes_it():
    assert answer(b'{"x":{"count":1,"foo":[{"a":1,"b":"\\ud800\xc3\xa9"}]}}').rows == (
        '[{"a":1,"b":"\ufffdé"}]'.encode()
    )


@pytest.mark.parametrize(
    ("body", "key", "fields"),
    [
        ('{"createzoneresponse":{"zone":{"id":"1"}}}', "zone", {"id": "1"}),
        ('{"x":{"success":true}}', None, {"success": True}),
        ('{"x":{"success":"true"}}', None, {"success": "true"}),
        ('{"x":{"success":true,"displaytext":"d"}}', None, {"success": True, "displaytext": "d"}),
        ('{"loginresponse":{"username":"u","type":"1"}}', None, {"username": "u", "type": "1"}),
        ('{"x":{"jobid":"1","jobstatus":0}}', None, {"jobid": "1", "jobstatus": 0}),
        ('{"x":{"a":[1],"b":[2]}}', None, {"a": [1], "b": [2]}),
        ('{"x":{"simulatormock":{"null":{"a":1}}}}', "simulatormock", {"null": {"a": 1}}),
    ],
)
def test_one_object_is_a_document(body, key, fields):
    document = answer(body)
    assert isinstance(document, Document)
    assert document.key == key
    assert fields == json.loads(document.fields)


@pytest.mark.parametrize(
    ("body", "reply"),
    [
        ('{"stopvirtualmachineresponse":{"jobid":"j"}}', JobReply("j")),
        ('{"deployvirtualmachineresponse":{"id":"i","jobid":"j"}}', JobReply("j", "i")),
    ],
)
def test_an_async_command_answers_with_its_job(body, reply):
    assert reply == answer(body)


# -- text that is no JSON, or hardly -------------------------------------------------------

LIST = b'{"x":{"count":1,"zone":[{"name":"%s"}]}}'


@pytest.mark.parametrize(
    ("written", "meant", "noted"),
    [
        (b"a\x01b\x1b[2J", "a\x01b\x1b[2J", "invalid JSON"),
        (b"a\tb\nc", "a\tb\nc", "invalid JSON"),
        (rb"C:\A", r"C:\A", "invalid JSON"),
        (rb"C:\\A\Q", r"C:\A\Q", "invalid JSON"),
        (rb"\u00zz", r"\u00zz", "invalid JSON"),
        (rb"\\u0041", r"\u0041", None),
        ("a\u2028b\u2029c".encode(), "a\u2028b\u2029c", None),
        (rb"\ud83d\ude00", "😀", None),
        (rb"a\ud83d", "a\ufffd", "U+FFFD"),
        (rb"a\uDE00b", "a\ufffdb", "U+FFFD"),
        (b"caf\xe9", "caf\ufffd", "U+FFFD"),
        (b"\xc3", "\ufffd", "U+FFFD"),
        (rb"\u003cb\u003e", "<b>", None),
    ],
)
def test_a_text_that_is_hardly_json_is_read_and_noted(written, meant, noted):
    page = answer(LIST % written)
    assert [{"name": meant}] == rows(page)
    assert bool(noted) == bool(page.notes)
    assert noted is None or noted in page.notes[0]


def test_a_number_of_any_size_comes_whole():
    page = answer('{"x":{"count":1,"zone":[{"n":123456789012345678901234567890}]}}')
    assert rows(page) == [{"n": 123456789012345678901234567890}]


@pytest.mark.parametrize(
    "body",
    [
        b'{"x":{"count":2,"zone":[{"n":1},{"secretkey":"tell-tale',
        b'{"x":]}}',
        b'{"x":{"success":true}}{"x":{"errorcode":401}}',
        b"[]",
        b'[{"secretkey":"tell-tale"}]',
        b'\xef\xbb\xbf{"secretkey":"tell-tale',
        b"null",
        b'"text"',
        b"{}",
        b'{"a":{},"b":{}}',
        b'{"a":1}',
        b'<?xml version="1.0"?><listzonesresponse/>',
        b"\x1f\x8b\x08\x00",
    ],
)
def test_what_is_none_of_cloudstacks_replies_is_a_transport_error(body):
    error = refusal(body)
    assert type(error) is TransportError
    assert "tell-tale" not in "".join(error.lines())


# -- web pages, redirects, nothing ---------------------------------------------------------

PAGE = b"<html><head><title>Error</title></head><body>nginx</body></html>"


@pytest.mark.parametrize("status", [200, 400, 404, 414, 431, 500, 502, 503])
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (PAGE, "text/html;charset=iso-8859-1"),
        (b"<h1>Bad Message</h1>", "text/html"),
        (b"\n <!DOCTYPE html><html></html>", JSON),
        (PAGE.upper(), ""),
    ],
)
def test_a_web_page_is_a_transport_error_that_says_its_status(status, body, content_type):
    error = refusal(body, status, content_type)
    assert type(error) is TransportError
    assert f"HTTP {status} with a web page" in error.message
    assert len(error.hints) == 1


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (200, TransportError, "HTTP 200 with nothing in it, in answer to listZones"),
        (502, TransportError, "HTTP 502 with nothing in it, in answer to listZones"),
        (503, TransportError, "HTTP 503 with nothing in it, in answer to listZones"),
        (504, TransportError, "HTTP 504 with nothing in it, in answer to listZones"),
        (401, Unauthorized, "HTTP 401, without a text"),
        (405, ApiError, "HTTP 405, without a text"),
        (530, ApiError, "HTTP 530, without a text"),
    ],
)
@pytest.mark.parametrize("body", [b"", b" \r\n"])
def test_an_empty_reply_says_its_status(status, kind, message, body):
    error = refusal(body, status)
    assert type(error) is kind
    assert message == error.message


def test_a_redirect_is_not_followed_and_names_the_place_without_its_query():
    with pytest.raises(TransportError) as caught:
        read("listZones", Response(302, "", b"", location="https://other/api?apiKey=tell-tale"))
    assert "https://other/api" in caught.value.message
    assert "tell-tale" not in "".join(caught.value.lines())


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://user:tell-tale@evil/x", "https://evil/x"),
        ("/client/;jsessionid=tell-tale", "/client/…"),
        ("/client;jsessionid=tell-tale", "/…"),
        ("https://evil/x#token=tell-tale", "https://evil/x"),
        ("https://evil:8443/reset/tell-tale", "https://evil:8443/reset/…"),
        ("https://evil/tell-tale-0123456789/x", "https://evil/…"),
        ("https://evil\\@tell-tale/", "another address"),
        ("https://[tell-tale/", "another address"),
        ("tell-tale:x", "another address"),
        ("https://" + "a" * 60_000, "another address"),
        ("https://evil/" + "a" * 60_000, "https://evil/…"),
        ("https://evil/\x1b[31m<b>", "https://evil/…"),
        ("", "another address"),
    ],
)
def test_of_where_a_redirect_leads_no_more_is_shown_than_holds_no_secret(location, shown):
    with pytest.raises(TransportError) as caught:
        read("listZones", Response(302, "", b"", location=location))
    assert caught.value.message == f"HTTP 302: the endpoint redirects to {shown}"
    assert "tell-tale" not in repr(Response(302, "", b"", location=location))


def test_407_is_a_proxy_that_stands_in_between():
    error = refusal(b"", 407)
    assert type(error) is TransportError
    assert "proxy" in error.message
    assert (error.sent, error.passing) == (False, False)


# -- refusals ------------------------------------------------------------------------------


def error_document(wrapper: str = "listzonesresponse", **facts) -> str:
    return json.dumps({wrapper: {"uuidList": [], **facts}})


@pytest.mark.parametrize("wrapper", ["listzonesresponse", "errorresponse", "null"])
@pytest.mark.parametrize("status", [200, 431])
def test_an_error_document_is_an_api_error_whatever_its_wrapper_and_status(wrapper, status):
    body = error_document(wrapper, errorcode=431, cserrorcode=4350, errortext="Invalid value")
    error = refusal(body, status)
    assert type(error) is ApiError
    assert (error.errorcode, error.cserrorcode) == (431, 4350)
    assert error.errortext == error.message == "Invalid value"
    assert error.command == "listZones"


def test_401_is_unauthorized_and_lists_what_it_may_mean():
    error = refusal(error_document(errorcode=401, errortext="unable to verify"), 401)
    assert type(error) is Unauthorized
    assert error.cserrorcode is None
    assert "clock" in error.hints[0]
    assert "listZones" in error.hints[0]


@pytest.mark.parametrize(
    ("body", "status", "errortext"),
    [
        (b"Please use HTTP POST", 405, "Please use HTTP POST"),
        (b"null", 531, "HTTP 531, without a text"),
        (b'{"x":{"errorcode":"431","errortext":null}}', 431, "HTTP 431, without a text"),
        (b'{"secretkey":"tell-tale', 500, "HTTP 500, without a text"),
        (b'{"x":{"errorcode":431,"errortext":"a\x01 \\A \xe9"}}', 431, "a\x01 \\A \ufffd"),
        (b'{"x":{"success":true}}{"x":{"errorcode":431,"errortext":"no"}}', 431, "no"),
    ],
)
def test_a_refusal_that_is_no_document_still_says_what_it_can(body, status, errortext):
    error = refusal(body, status)
    assert isinstance(error, ApiError)
    assert (error.errorcode, error.errortext) == (status, errortext)


def test_an_errortext_that_is_itself_an_error_document_is_unwrapped():
    inside = error_document(errorcode=511, errortext="the code is invalid")
    assert refusal(error_document(errorcode=511, errortext=inside), 511).message == (
        "the code is invalid"
    )


def test_an_errortext_cannot_drive_the_terminal():
    error = refusal(error_document(errorcode=431, errortext="a\x1b[2J\nb\u202ec"), 431)
    assert str(error) == "a\\u001b[2J b\\u202ec"
    assert error.errortext == "a\x1b[2J\nb\u202ec"


def test_a_message_of_any_length_is_one_line_that_can_be_read():
    error = refusal(error_document(errorcode=431, errortext="A" * 1_000_000), 431)
    assert max(map(len, error.lines())) < 2_100
    assert error.lines()[0].endswith("A…")
    assert len(error.errortext) == 1_000_000


ECHOES = [
    "Bad message: command=listZones&apiKey=tell-tale&secret=tell-tale&x=1",
    "apiKey=tell-tale&signature=tell-tale%3D",
    "password%3Dtell-tale%26x",
    'no \\"secretkey\\": \\"tell-tale\\" here',
    "details[0].password=tell-tale",
    r"password=\"tell-tale\" in it",
    "x%3D1%26apiKey%3Dtell-tale%26y",
]


@pytest.mark.parametrize("said", ECHOES)
@pytest.mark.parametrize("status", [400, 431, 530])
@pytest.mark.parametrize("wrapped", [True, False])
def test_an_answer_that_repeats_the_request_tells_no_secret_of_it(said, status, wrapped):
    error = refusal(error_document(errorcode=status, errortext=said) if wrapped else said, status)
    assert MASK in str(error)
    assert "tell-tale" not in f"{error!r} {vars(error)} {error.lines()}"


@pytest.mark.parametrize("status", [200, 431])
@pytest.mark.parametrize("said", ["no tell+tale/= here", "no tell%2Btale%2F%3D", "tell+tale/="])
def test_the_requests_own_secrets_stand_in_no_message_about_its_answer(status, said):
    secrets = frozenset({Secret("tell+tale/="), Secret("x")})
    with pytest.raises(CloudStackError) as caught:
        read("listZones", Response(status, "", said.encode(), secrets=secrets))
    told = f"{caught.value!r} {vars(caught.value)}"
    assert "tale" not in told
    assert MASK in told


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"x":{"errortext":"boom"}}', "boom"),
        ('{"x":{"count":1,"zone":[{"id":"1"}],"errortext":"partly"}}', "partly"),
        ('{"errorresponse":{"errorcode":530}}', "errorcode 530, without a text"),
    ],
)
def test_half_an_error_document_is_an_error(body, message):
    error = refusal(body)
    assert (type(error), error.message) == (ApiError, message)


@pytest.mark.parametrize(
    "inner",
    [
        '{"count":5,"zone":null}',
        '{"count":5,"zone":{}}',
        '{"zone":{}}',
        '{"zone":null}',
        '{"count":2,"zone":[{"id":"1"}],"other":[{"id":"2"}]}',
    ],
)
def test_a_list_whose_rows_got_lost_is_an_error(inner):
    error = refusal(f'{{"listzonesresponse":{inner}}}')
    assert type(error) is TransportError
    assert "listZones" in error.message


def test_a_count_that_travels_as_text_counts():
    assert answer('{"x":{"count":"5"}}') == Page(None, 5)


@pytest.mark.parametrize("inner", ['{"jobid":null}', '{"jobid":""}', '{"jobid":{"a":1},"id":[]}'])
def test_a_job_without_an_id_is_none(inner):
    error = refusal(f'{{"x":{inner}}}')
    assert (type(error), error.message) == (
        TransportError,
        "The answer to listZones names no job",
    )


LONG = "1" * 6_000


@pytest.mark.parametrize("status", [200, 431])
@pytest.mark.parametrize(
    "inner",
    [
        f'{{"count":{LONG},"zone":[{{"id":"1"}}]}}',
        f'{{"errorcode":{LONG},"errortext":"a"}}',
        f'{{"errorcode":431,"errortext":"a","cserrorcode":{LONG}}}',
        '{"errorcode":NaN,"errortext":"a"}',
    ],
)
def test_a_number_of_thousands_of_digits_is_an_error_of_ours(inner, status):
    assert refusal(f'{{"x":{inner}}}', status).message


def test_what_is_no_number_is_null_and_noted():
    document = answer('{"x":{"job":{"a":NaN,"b":[-Infinity],"c":1}}}')
    assert json.loads(document.fields) == {"a": None, "b": ["-Infinity"], "c": 1}
    assert "NaN" in document.notes[0]


def test_a_429_may_ask_to_wait_until_a_moment():
    asked = Response(429, JSON, b"", retry_after="Mon, 23 Nov 2026 12:00:30 GMT")
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert retry_seconds(asked, noon) == 30
    assert retry_seconds(asked, noon + timedelta(minutes=5)) == 0


@pytest.mark.parametrize(
    ("header", "body", "seconds"),
    [
        ("7", b"", 7.0),
        (" 7 ", b"retry after [562] ms", 7.0),
        (None, b'{"x":{"errortext":"please retry after [562] ms."}}', 0.562),
        ("Wed, 21 Oct 2026 07:28:00 GMT", b"retry after [562] ms", 0.562),
        ("\xb2", b"", None),
        ("-3", b"", None),
        (None, b"{}", None),
    ],
)
def test_how_long_a_429_asks_to_wait(header, body, seconds):
    assert seconds == retry_seconds(Response(429, JSON, body, retry_after=header))
