"""A reply's bytes → page, document or job reply, or the error that it is. No I/O.

CloudStack answers with one top-level key whose name can't be computed (95 of 973
commands break the rule), so it is taken as it comes (`ApiResponseSerializer`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from cs_magic.api import elsewhere
from cs_magic.api.elsewhere import REPLACED, may_tell, not_cloudstack, text_of
from cs_magic.api.lenient import documents, loads, strictly
from cs_magic.api.masks import masked_message
from cs_magic.api.values import Document, JobReply, Page, Payload, Response, Secret
from cs_magic.errors import ApiError, CloudStackError, TransportError, Unauthorized

_split = msgspec.json.Decoder(dict[str, dict[str, msgspec.Raw]])
_NO_NUMBER = "NaN, which is no JSON, became null; an infinite number a text"
_REPAIRED = "invalid JSON was repaired"
_SURROGATE = re.compile("[\ud800-\udfff]")


def read(command: str, response: Response) -> Payload:
    """What a reply says, or the error that it is.

    Raises:
        ApiError: CloudStack refused; Unauthorized for 401.
        TransportError: the reply is no CloudStack answer (HTML, empty, broken).
    """
    try:
        return _read(command, response)
    except UNREADABLE as error:
        problem: CloudStackError = unreadable(error)
    except CloudStackError as error:
        problem = _without(error, response.secrets)
    raise problem


# What a parser raises over JSON that is written to break it: levels, digits, constants.
UNREADABLE = (RecursionError, ValueError, OverflowError, msgspec.MsgspecError)


def unreadable(error: Exception) -> TransportError:
    """The error of JSON that no parser takes."""
    if isinstance(error, RecursionError):
        return TransportError("The reply is nested too deeply to be read")
    return TransportError("The reply holds a number that is too long, or a text that is no JSON")


def _without(error: CloudStackError, secrets: Iterable[Secret]) -> CloudStackError:
    """The error, what it says of the request's own secrets replaced."""
    error.message = masked_message(error.message, secrets)
    error.hints = tuple(masked_message(hint, secrets) for hint in error.hints)
    error.args = (error.message, *error.hints)
    if isinstance(error, ApiError):
        error.errortext = error.message
    return error


def _read(command: str, response: Response) -> Payload:
    if 300 <= response.status < 400:
        raise elsewhere.redirected(response)
    if response.status == 407 and not holds_refusal(response):
        raise elsewhere.by_a_proxy()
    if not response.body.strip():
        raise _empty(command, response)
    if elsewhere.is_html(response):
        raise elsewhere.html(response)
    if response.status == 200:
        return _success(command, response.body)
    raise _refusal(command, response)


def holds_refusal(response: Response) -> bool:
    """Whether there is an error document of CloudStack's in it, not a web server's words."""
    text, _ = text_of(response.body)
    return any(
        isinstance(document, dict)
        and any(isinstance(one, dict) and "errortext" in one for one in document.values())
        for document in documents(text)
    )


def retry_seconds(response: Response, now: datetime | None = None) -> float | None:
    """How long a 429 asks to wait: `Retry-After`, or CloudStack's "retry after [N] ms".

    `Retry-After` is of seconds or of a date, which is held against `now`.
    """
    asked = (response.retry_after or "").strip()
    if re.fullmatch("[0-9]+", asked):
        return float(asked[:10])
    found = re.search(rb"retry after \[(\d{1,10})\] ms", response.body)
    return int(found[1]) / 1000 if found else _until(asked, now or datetime.now(UTC))


def _until(date: str, now: datetime) -> float | None:
    """The seconds until an HTTP date, which is in GMT; None where it is none."""
    with suppress(ValueError, OverflowError):
        return max(0.0, (parsedate_to_datetime(date).replace(tzinfo=UTC) - now).total_seconds())
    return None


def _success(command: str, body: bytes) -> Payload:
    try:
        if not body.isascii():
            body.decode()
        if b"\\ud" in body or b"\\uD" in body:  # perhaps half a surrogate pair
            return _slowly(command, body)
        return _payload(command, _split.decode(body), ())
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _slowly(command, body)


def _slowly(command: str, body: bytes) -> Payload:
    text, notes = text_of(body)
    try:
        document = strictly(text)
        notes += [_NO_NUMBER] if "NaN" in text or "Infinity" in text else []
    except ValueError:
        document = _repaired(text, body)
        notes.append(_REPAIRED)
    inner = next(iter(document.values()), None) if isinstance(document, dict) else None
    if not isinstance(document, dict) or len(document) != 1 or not isinstance(inner, dict):
        raise not_cloudstack(f"a reply to {command} that is none of CloudStack's", body)
    encoded = json.dumps(inner, ensure_ascii=False)
    if _SURROGATE.search(encoded):
        encoded = _SURROGATE.sub("\ufffd", encoded)
        notes.append(REPLACED)
    raws = {key: msgspec.Raw(_compact(value)) for key, value in strictly(encoded).items()}
    return _payload(command, {next(iter(document)): raws}, tuple(dict.fromkeys(notes)))


def _compact(value: Any) -> bytes:
    """JSON as CloudStack writes it: rows that say the same are the same."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _repaired(text: str, body: bytes) -> Any:
    try:
        return loads(text)
    except ValueError:
        error = not_cloudstack("a reply that is not JSON, or was cut off", body)
    raise error


def _payload(
    command: str, document: dict[str, dict[str, msgspec.Raw]], notes: tuple[str, ...]
) -> Payload:
    """The four shapes of a success, and what only looks like one."""
    if len(document) != 1:
        raise not_cloudstack(f"a reply to {command} with {len(document)} top-level keys", b"")
    [inner] = document.values()
    if _says_no(inner):
        raise _api_error(command, _plain(inner), status=200)
    names = [name for name in inner if name != "count"]
    count = _count(inner)
    if not names and (count is not None or not inner):
        return Page(None, count, notes=notes)
    lists = [name for name in names if _opens(inner[name], b"[")]
    if len(lists) == 1 and (len(names) == 1 or count is not None):
        left_out = _left_out([name for name in names if name != lists[0]])
        return Page(lists[0], count, bytes(inner[lists[0]]), notes + left_out)
    if "jobid" in inner and set(inner) <= {"id", "jobid"}:
        return _job_reply(command, _plain(inner))
    if command.lower().startswith("list"):
        _check_one(command, inner, len(lists))
    if len(inner) == len(names) == 1 and _opens(inner[names[0]], b"{"):
        return Document(names[0], bytes(inner[names[0]]), notes)
    return Document(None, msgspec.json.encode(inner), notes)


def _says_no(inner: dict[str, msgspec.Raw]) -> bool:
    """Whether an answer is a refusal: it has its code, or its text."""
    code, text = (bytes(inner.get(name, b"null")) for name in ("errorcode", "errortext"))
    return code not in {b"null", b"0"} or text not in {b"null", b'""'}


def _job_reply(command: str, facts: dict[str, Any]) -> JobReply:
    if not all(isinstance(one, str | int) and str(one) for one in facts.values()):
        raise TransportError(f"The answer to {command} names no job")
    return JobReply(**{name: str(value) for name, value in facts.items()})


def _check_one(command: str, inner: dict[str, msgspec.Raw], lists: int) -> None:
    """Refuse what would pass for one object, in answer to a list, and is a list that got lost."""
    nothing = all(bytes(value) in {b"null", b"{}"} for n, value in inner.items() if n != "count")
    if "count" in inner and lists != 1:
        problem = f"a count and {lists or 'no'} lists"
    elif nothing:
        problem = "nothing where a list should be"
    else:
        return
    raise TransportError(f"A reply to {command} with {problem}: its rows can't be told")


def _left_out(names: list[str]) -> tuple[str, ...]:
    return (f"beside the list the reply holds {', '.join(names)}: left out",) if names else ()


def _opens(raw: msgspec.Raw, bracket: bytes) -> bool:
    return bytes(memoryview(raw)[:1]) == bracket


def _count(inner: dict[str, msgspec.Raw]) -> int | None:
    text = bytes(inner.get("count", b"")).strip(b'"')
    return int(text) if text.isdigit() else None


def _plain(inner: dict[str, msgspec.Raw]) -> dict[str, Any]:
    return {name: strictly(bytes(raw)) for name, raw in inner.items()}


def _refusal(command: str, response: Response) -> CloudStackError:
    text, _ = text_of(response.body)
    found = documents(text)
    # A two-factor validation may send two documents, the error last (FINDINGS 1.19).
    for document in reversed(found):
        inner = next(iter(document.values()), None) if isinstance(document, dict) else None
        if isinstance(inner, dict) and "errortext" in inner:
            return _api_error(command, inner, response.status)
    if found and found[0] is not None:
        return not_cloudstack(f"HTTP {response.status} without an error document", response.body)
    said = "" if found or may_tell(text) else text.strip()
    return _api_error(command, {"errortext": said[:500]}, response.status)


def _api_error(command: str, inner: dict[str, Any], status: int) -> ApiError:
    errorcode = _code(inner.get("errorcode"))
    errortext = _unwrapped(str(inner.get("errortext") or ""))
    if not errortext:
        said = f"errorcode {errorcode}" if errorcode and status == 200 else f"HTTP {status}"
        errortext = f"{said}, without a text"
    errorcode = status if errorcode is None else errorcode
    kind = Unauthorized if errorcode == 401 else ApiError
    return kind(
        errortext,
        *_hints(errorcode, errortext, command),
        command=command,
        errorcode=errorcode,
        cserrorcode=_code(inner.get("cserrorcode")),
    )


def _code(value: Any) -> int | None:
    """An error's number, or None where it is none, or none that anybody could have meant."""
    return value if isinstance(value, int) and abs(value) < 10**9 else None


def _unwrapped(errortext: str) -> str:
    """A 511 carries a whole error document as its text (FINDINGS, 2.4)."""
    start = errortext.find('{"')
    for document in documents(errortext[start:]) if start >= 0 else []:
        inner = next(iter(document.values()), None) if isinstance(document, dict) else None
        if isinstance(inner, dict) and "errortext" in inner:
            return str(inner["errortext"])
    return errortext


def _hints(errorcode: int, errortext: str, command: str) -> list[str]:
    if errorcode == 401:
        return [
            "CloudStack doesn't say which: a wrong or disabled key, a wrong secret key,"
            f" a clock that is off, or a command ({command}) that it doesn't have."
        ]
    if errorcode == 432:
        return ["The role of this account doesn't have the command, or the server doesn't."]
    if errorcode == 429:
        return ["The account's API limit is reached: fewer workers, or wait a moment."]
    if errorcode == 431 and "entity does not exist" in errortext:
        return ["No such id, or not of that kind, or not yours to see."]
    return []


def _empty(command: str, response: Response) -> CloudStackError:
    if response.status in {200, 502, 503, 504}:
        return TransportError(
            f"HTTP {response.status} with nothing in it, in answer to {command}",
            "CloudStack answers so when it fails inside; its log says more.",
        )
    return _api_error(command, {}, response.status)
