"""The page size that a server takes: 500, or its own where the caller may ask for it."""

from __future__ import annotations

import re
import threading

from cs_magic.api.client import Client
from cs_magic.api.credentials import Session
from cs_magic.api.lenient import loads
from cs_magic.api.values import Call, Page
from cs_magic.errors import ApiError, CloudStackError, Unauthorized

PAGESIZE = 500
_LARGEST_TOLD = re.compile(r"max allowed page size value: (\d+)")
_SETTING = "default.page.size"


def learn(client: Client, stop: threading.Event) -> None:
    """Have `client.pagesize` say what the server's own page size is.

    It is 500 where the caller may not know, and unknown where no answer came, or one which may
    say that the session has ended: then the list that is read meanwhile finds that out.
    """
    wanted: dict[str, str | int] = {"name": _SETTING, "page": 1, "pagesize": 20}
    used = client.access.used()
    try:
        call = Call("listConfigurations").having(**wanted)
        settings = client.exchange(call, is_read=True, stop=stop, beside=True)
    except CloudStackError as problem:
        problem.__traceback__ = None  # it holds the frames, and what they will hold
        in_session = isinstance(used or client.access.used(), Session)
        if not isinstance(problem, ApiError) or (in_session and isinstance(problem, Unauthorized)):
            return
    else:
        if isinstance(settings, Page):
            client.pagesize = _value(settings)
    client.pagesize = client.pagesize or PAGESIZE


def largest_told(refusal: ApiError) -> int | None:
    """The largest page size, where a refusal says that it was exceeded."""
    found = _LARGEST_TOLD.search(refusal.errortext) if refusal.errorcode == 431 else None
    return int(found[1]) if found else None


def even(limit: int | None, most: int) -> int:
    """The size of pages that hold so many rows and hardly one more: 700 are two of 350."""
    return most if limit is None else -(-limit // -(-limit // most))


def _value(settings: Page) -> int | None:
    """The value of the setting; the name is matched by part, so names are compared."""
    for row in loads(settings.rows):
        value = row.get("value") if isinstance(row, dict) else None
        if value is not None and row.get("name") == _SETTING:
            return int(value) if str(value).isdecimal() and len(str(value)) < 10 else None
    return None
