"""A large list reply → its page, the rows cut out at sight: they are read once, not twice.

A reply that begins as a list does and ends as one is taken for one. Whoever reads the rows
finds out whether it is: then `Page.again` reads the reply with care.
"""

from __future__ import annotations

import re
from functools import partial

from cs_magic.api import envelope
from cs_magic.api.values import Document, Page, Payload, Response
from cs_magic.errors import TransportError

# Below this it isn't worth it.
LARGE = 16_384
_LIST = re.compile(rb'\{"\w+":\{(?:"count":(\d+),)?"(?!count")(\w+)":(?=\[\{)')


def read(command: str, response: Response) -> Payload:
    """What a reply says, or the error that it is: as `envelope.read`, for who takes `again`.

    Raises:
        ApiError, TransportError: as `envelope.read`.
    """
    body = response.body
    found = _LIST.match(body)
    plain = response.status == 200 and "html" not in response.content_type.lower()
    if found is None or not plain or len(body) < LARGE or not body.endswith(b"}]}}"):
        return envelope.read(command, response)
    count, key = found.groups()
    return Page(
        key.decode(),
        None if count is None else int(count),
        body[found.end() : -2],
        again=partial(_with_care, command, response),
    )


def _with_care(command: str, response: Response) -> Page:
    payload = envelope.read(command, response)
    if isinstance(payload, Page):
        return payload
    if isinstance(payload, Document):
        return Page(payload.key, 1, b"[" + payload.fields + b"]", payload.notes)
    raise TransportError(f"A reply to {command} that is none of CloudStack's")
