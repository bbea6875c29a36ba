"""A profile from its settings as a source has them: every one checked, secrets in no text."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from cs_magic.api.credentials import Asked, KeyPair, Password
from cs_magic.api.formats import CMK, CS
from cs_magic.api.profile import (
    CHECKS,
    ENVIRONMENT,
    Keyring,
    Profile,
    checked,
    completed,
    host_of,
    keyring_secret,
)
from cs_magic.api.sources import Found
from cs_magic.errors import ProfileError

_NEEDED = ("endpoint", "api_key", "secret_key")
_OF_THE_KEYS = {"signature_algorithm": "algorithm", "signature_version": "signature_version"}
_LOGIN = ("username", "password", "domain")
_SETTINGS = [name for name in CHECKS if name not in (*_NEEDED, *_LOGIN, "keyring")]
_IN_A_FILE = ("from", *CHECKS)


def built(found: Found, keyring: Keyring = keyring_secret) -> Profile:
    """The profile, every setting checked.

    Raises:
        ProfileError: naming profile, source and setting, where one is wrong or missing.
    """
    if found.kind == "toml":
        _check_names(found, _IN_A_FILE)
    if not found.settings.get("endpoint"):
        raise incomplete(found)
    endpoint = endpoint_of(found)
    bare = Profile(found.name, endpoint, _credentials(found, endpoint, keyring), found.source)
    return _adjusted(bare, found)


def given(endpoint: str, api_key: str, secret_key: str) -> Profile:
    """A profile of what a call of `connect` gave; ProfileError where that is wrong."""
    settings = {"endpoint": endpoint, "api_key": api_key, "secret_key": secret_key}
    return built(Found("connect", "connect", "connect()", settings))


def adjusted(profile: Profile, settings: Mapping[str, Any]) -> Profile:
    """The profile with settings that a call of `connect` gave; they are stronger.

    Raises:
        ProfileError: there is no such setting, or its value is wrong.
    """
    found = Found(profile.name, "connect", "connect()", settings)
    _check_names(found, _SETTINGS)
    return _adjusted(profile, found)


def _adjusted(profile: Profile, found: Found) -> Profile:
    given = {name: _setting(found, name) for name in _SETTINGS if name in found.settings}
    keys = {short: given.pop(name) for name, short in _OF_THE_KEYS.items() if name in given}
    credentials = profile.credentials
    if isinstance(credentials, KeyPair):
        credentials = replace(credentials, **keys)
    return replace(profile, credentials=credentials, **given)


def _credentials(found: Found, endpoint: str, keyring: Keyring) -> KeyPair | Password | Asked:
    """API keys where there are some, else what `login` takes; what isn't there is asked for."""
    if _has(found, "api_key") or _has(found, "secret_key"):
        return _keys(found, endpoint, keyring)
    username = _setting(found, "username") if _has(found, "username") else ""
    domain = _setting(found, "domain") if _has(found, "domain") else "/"
    if _has(found, "password") and username:
        return Password(username, _setting(found, "password"), domain)
    if username and "keyring" in found.settings and _setting(found, "keyring"):
        given = Password(username, keyring(_service(endpoint), username) or "", domain)
        if not given.password:
            raise _not_in_keyring(found, endpoint, "password for its user", "USERNAME")
        return given
    return Asked(username, domain)


def _has(found: Found, *names: str) -> bool:
    # No local holds the settings: a traceback that shows locals would show the secrets.
    return all(found.settings.get(name) for name in names)


def _keys(found: Found, endpoint: str, keyring: Keyring) -> KeyPair:
    asked = "keyring" in found.settings and _setting(found, "keyring")
    if not found.settings.get("api_key") or not (found.settings.get("secret_key") or asked):
        raise incomplete(found)
    if found.settings.get("secret_key"):
        return KeyPair(_setting(found, "api_key"), _setting(found, "secret_key"))
    secret = keyring(_service(endpoint), _setting(found, "api_key")) or ""
    pair = KeyPair(_setting(found, "api_key"), secret)
    if not pair.secret_key:
        raise _not_in_keyring(found, endpoint, "secret for its API key", "API_KEY")
    return pair


def _service(endpoint: str) -> str:
    """Bound to the host: the same entry never serves another endpoint."""
    return f"cs_magic:{host_of(endpoint)}"


def _not_in_keyring(found: Found, endpoint: str, what: str, entry: str) -> ProfileError:
    return ProfileError(
        f"{found.name} ({found.source}): the keyring has no {what}",
        f"keyring set {_service(endpoint)} {entry}",
    )


def endpoint_of(found: Found) -> str:
    """The endpoint that a source names, completed; ProfileError where it is no address."""
    _setting(found, "endpoint")
    try:
        return completed(found.settings["endpoint"])
    except ProfileError as error:
        message, hints = error.message, error.hints
    raise ProfileError(f"{found.name} ({found.source}): {message}", *hints)


def _setting(found: Found, name: str) -> Any:
    try:
        return checked(name, found.settings[name])
    except ValueError as error:
        wanted = str(error)
    raise ProfileError(f"{found.name} ({found.source}): {_written(found, name)} is {wanted}")


def _check_names(found: Found, known: Collection[str]) -> None:
    odd = next((name for name in found.settings if name not in known), None)
    if odd is not None:
        theirs = {**CMK, **CS}.get(odd)
        near = [theirs] if theirs in known else get_close_matches(odd, known, 1)
        meant = f": did you mean {near[0]}?" if near else ""
        raise ProfileError(f"{found.name} ({found.source}) has an unknown setting {odd}{meant}")


def is_whole(found: Found) -> bool:
    """Whether there is an endpoint, and keys or user credentials for it."""
    keys = _has(found, "api_key", "secret_key")
    return _has(found, "endpoint") and (keys or _has(found, "username", "password"))


def incomplete(found: Found) -> ProfileError:
    """The error that names the first setting that is missing, as its source calls it."""
    missing = next(name for name in _NEEDED if not found.settings.get(name))
    return ProfileError(
        f"The profile {found.name} ({found.source}) has no {_written(found, missing)}"
    )


def _written(found: Found, name: str) -> str:
    """A setting as the source itself calls it."""
    if found.kind == "env" and name in ENVIRONMENT[0]:
        return " or ".join(spelling[name] for spelling in ENVIRONMENT)
    names = {"cs": CS, "cmk": CMK}.get(found.kind, {})
    return next((theirs for theirs, ours in names.items() if ours == name), name)
