"""A profile, or an endpoint with keys → a `Connection`."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from cs_magic.api.catalogues import Catalogues
from cs_magic.api.client import Client
from cs_magic.api.gate import gate_of
from cs_magic.api.profile import Profile, check_scheme, checked
from cs_magic.api.profiles import Profiles
from cs_magic.api.settings import adjusted, given
from cs_magic.api.transport import HttpTransport
from cs_magic.connection import Connection
from cs_magic.errors import ProfileError

P = ParamSpec("P")
R = TypeVar("R")


def unseen(function: Callable[P, R]) -> Callable[P, R]:
    """The function, so that no traceback of its errors shows what it was given, keys among it."""

    @wraps(function)
    def called(*given: P.args, **named: P.kwargs) -> R:
        try:
            return function(*given, **named)
        except BaseException as error:  # noqa: BLE001 - raised again
            problem = error
        problem.__context__ = None
        del given, named
        raise problem.with_traceback(None) from None

    return called


@unseen
def connect(
    profile: str | None = None,
    *,
    endpoint: str | None = None,
    api_key: str | None = None,
    secret_key: str | None = None,
    **settings: Any,
) -> Connection:
    """A connection to a profile, or to an endpoint with API keys given here. Nothing is sent yet.

    Args:
        profile: its name; without one, and without an endpoint, the current profile (the
            environment's, the configuration's default, the only one there is).
        endpoint, api_key, secret_key: instead of a profile, and only together: an endpoint
            given here never goes with keys found elsewhere.
        settings: `verify`, `allow_http`, `method`, `timeout`, `job_timeout`, `workers`,
            `scope`, `read_only`, `catalogue`, `signature_version`, `signature_algorithm`, as in a
            profile, and stronger.

    Raises:
        ProfileError: there is no such profile, or it is incomplete or unsafe; or there is
            no such setting, or its value is wrong.
        Refused: plain HTTP to another machine without `allow_http`.
    """
    if endpoint is None and api_key is None and secret_key is None:
        profiles = Profiles()
        found = profiles.current() if profile is None else profiles.get(profile)
    elif profile is not None or not (endpoint and api_key and secret_key):
        raise ProfileError("endpoint, api_key and secret_key go together, without a profile")
    else:
        found = given(endpoint, api_key, secret_key)
    return opened(adjusted(found, settings))


def opened(profile: Profile, ending: Callable[[], None] | None = None) -> Connection:
    """A connection for a profile; `ending` is called when it is closed.

    Raises:
        Refused: it is plain HTTP to another machine.
        ProfileError: CS_MAGIC_CATALOGUE, which is stronger than the profile's, is no mode.
    """
    check_scheme(profile)
    mode = _catalogue_of_the_environment() or profile.catalogue
    client = Client(profile, HttpTransport(profile), gate=gate_of(profile.endpoint))
    return Connection(client, Catalogues(client, mode), ending)


def _catalogue_of_the_environment() -> str:
    said = os.environ.get("CS_MAGIC_CATALOGUE", "").strip()
    try:
        return checked("catalogue", said) if said else ""
    except ValueError as error:
        wanted = str(error)
    raise ProfileError(f"CS_MAGIC_CATALOGUE is {wanted}, not {said}")
