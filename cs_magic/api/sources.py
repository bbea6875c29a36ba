"""Where profiles come from: our files, the environment, and the files of `cs` and cmk.

The first source that has a name gives the whole profile; an address from one never goes
with keys from another. A file in the working folder may have come with somebody else's
repository, so it may add profiles and nothing more.
"""

from __future__ import annotations

import configparser
import stat
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cs_magic.api.profile import ENVIRONMENT, completed, is_loopback
from cs_magic.errors import ProfileError

OURS = "cs_magic.toml"
_SETTINGS = frozenset(
    "from endpoint api_key secret_key username password domain keyring verify allow_http method"
    " timeout job_timeout workers scope signature_version signature_algorithm read_only".split()
)


@dataclass(frozen=True, slots=True)
class Found:
    """A profile as a source has it, not yet checked.

    `kind` is toml, env, cs or cmk; `source` is what is shown of it; `foreign` says that
    it comes from a file in the working folder. `settings` may hold secrets.
    """

    name: str
    kind: str
    source: str
    settings: Mapping[str, Any] = field(repr=False)
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Sources:
    """All profiles found, the stronger source first, with what else the sources say.

    `default` is the name that our own configuration calls the default; `last` is cmk's
    current profile, which serves where nothing else decides; `open_to_others` are the
    files with secrets that others on this machine can read; `broken` are the files that
    can't be read, with the reason.
    """

    found: tuple[Found, ...]
    default: str | None = None
    last: str | None = None
    open_to_others: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Places:
    """Where to look: the user's config folder, home, and the folder of the notebook."""

    config: Path
    home: Path
    working: Path


def read(places: Places, environment: Mapping[str, str]) -> Sources:
    """Everything that the sources hold. Nothing is checked, nothing raises for one bad file."""
    reader = _Reader(places, environment)
    found = tuple(reader.all())
    return Sources(
        found, reader.default, reader.last, tuple(reader.open_to_others), tuple(reader.broken)
    )


class _Reader:
    def __init__(self, places: Places, environment: Mapping[str, str]) -> None:
        self._places = places
        self._environment = environment
        self.default: str | None = None
        self.last: str | None = None
        self.open_to_others: list[str] = []
        self.broken: list[str] = []

    def all(self) -> Iterator[Found]:
        """Every profile, the stronger source first."""
        yield from self._toml(self._places.config / "config.toml", foreign=False)
        yield from self._toml(self._places.working / OURS, foreign=True)
        yield from self._from_environment()
        yield from self._cs()
        yield from self._cmk()

    def _toml(self, path: Path, foreign: bool) -> Iterator[Found]:
        text = self._text(path)
        if text is None:
            return
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            self.broken.append(f"{_shown(path, self._places)}: {error}")
            return
        default = document.pop("default", None)
        if isinstance(default, str) and not foreign:
            self.default = default
        for name, settings in document.items():
            if isinstance(settings, dict):
                self._note_openness(path, settings, ("secret_key", "password"))
                yield Found(name, "toml", _shown(path, self._places), settings, foreign)
            else:
                self.broken.append(f"{_shown(path, self._places)}: {name} stands outside a profile")

    def _from_environment(self) -> Iterator[Found]:
        """The whole set of one spelling, else the half of one; halves are never mixed."""
        sets = [
            {
                setting: self._environment[variable].strip()
                for setting, variable in spelling.items()
                if self._environment.get(variable)
            }
            for spelling in ENVIRONMENT
        ]
        given = next((one for one in sets if len(one) == len(ENVIRONMENT[0])), None)
        given = given or next((one for one in sets if one), None)
        if given:
            yield Found("env", "env", "the environment", given)

    # -- the cs client: ~/.cloudstack.ini, ./cloudstack.ini, $CLOUDSTACK_CONFIG ---------

    def _cs(self) -> Iterator[Found]:
        """Each file's sections are whole profiles; cs itself would mix them key by key."""
        chosen = self._environment.get("CLOUDSTACK_CONFIG")
        paths = [Path(chosen).expanduser()] if chosen else []
        paths.append(self._places.home / ".cloudstack.ini")
        for path in paths:
            yield from self._cs_file(path, foreign=False)
        yield from self._cs_file(self._places.working / "cloudstack.ini", foreign=True)

    def _cs_file(self, path: Path, foreign: bool) -> Iterator[Found]:
        for name, section in self._ini(path):
            settings: dict[str, Any] = {
                ours: section[theirs] for theirs, ours in _CS.items() if section.get(theirs)
            }
            if _true(section.get("dangerous_no_tls_verify")):
                settings["verify"] = False
            self._note_openness(path, settings, ("secret_key",))
            yield Found(name, "cs", _shown(path, self._places), settings, foreign)

    # -- cmk: ~/.cmk/config ---------------------------------------------------------

    def _cmk(self) -> Iterator[Found]:
        path = self._places.home / ".cmk" / "config"
        sections = dict(self._ini(path))
        top = sections.pop(_TOP, {})
        self.last = top.get("profile") or None
        for name, section in sections.items():
            settings: dict[str, Any] = {
                ours: section[theirs] for theirs, ours in _CMK.items() if section.get(theirs)
            }
            if top.get("verifycert", "true").lower() == "false":
                settings["verify"] = False
            if top.get("postrequest", "true").lower() == "false":
                settings["method"] = "get"
            if top.get("timeout", "").isdigit():
                settings["job_timeout"] = int(top["timeout"])
            self._note_openness(path, settings, ("secret_key", "password"))
            yield Found(name, "cmk", _shown(path, self._places), settings)

    def _ini(self, path: Path) -> Iterator[tuple[str, dict[str, str]]]:
        """The sections of an ini file as Go's ini.v1 and Python's configparser write them."""
        text = self._text(path)
        if text is None:
            return
        parser = configparser.RawConfigParser(default_section="\0", strict=False, delimiters=("=",))
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        try:
            parser.read_string(f"[{_TOP}]\n{text}")
        except configparser.Error as error:
            self.broken.append(f"{_shown(path, self._places)}: {_without_lines(error)}")
            return
        for name in parser.sections():
            section = {key: _unquoted(value or "") for key, value in parser.items(name)}
            if section or name != _TOP:
                yield name, section

    # -- files ----------------------------------------------------------------------

    def _text(self, path: Path) -> str | None:
        try:
            return path.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            self.broken.append(f"{_shown(path, self._places)}: {reason}")
            return None

    def _note_openness(
        self, path: Path, settings: Mapping[str, Any], secrets: tuple[str, ...]
    ) -> None:
        readable = path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH)
        shown = _shown(path, self._places)
        if readable and any(settings.get(name) for name in secrets):
            self.open_to_others += [] if shown in self.open_to_others else [shown]


_TOP = "the top of the file"
_CS = {
    "endpoint": "endpoint",
    "key": "api_key",
    "secret": "secret_key",
    "method": "method",
    "timeout": "timeout",
    "verify": "verify",
}
_CMK = {
    "url": "endpoint",
    "apikey": "api_key",
    "secretkey": "secret_key",
    "username": "username",
    "password": "password",
    "domain": "domain",
    "signaturealgorithm": "signature_algorithm",
}


def merged(found: Found, sources: Sources) -> Found:
    """The settings of a profile with `from = "cmk:prod"`: the foreign profile's, ours on top.

    Raises:
        ProfileError: there is no such profile, or ours would send its keys elsewhere.
    """
    origin = found.settings.get("from")
    if origin is None:
        return found
    kind, _, name = str(origin).partition(":")
    base = next((one for one in sources.found if (one.kind, one.name) == (kind, name)), None)
    if base is None or kind not in {"cmk", "cs"}:
        raise ProfileError(f'{found.name} says from = "{origin}", and there is no such profile')
    own = {key: value for key, value in found.settings.items() if key != "from"}
    if "endpoint" in own or (found.foreign and own):
        raise ProfileError(
            f"{found.name} ({found.source}) would use the keys of {origin} in its own way",
            "A profile with from adds settings; its address and keys are those of the other.",
        )
    settings = {**base.settings, **own}
    return Found(found.name, found.kind, f"{found.source}, from {base.source}", settings)


def check_foreign(found: Found) -> None:
    """Refuse what a file in the working folder may not say.

    Raises:
        ProfileError: it turns off TLS checks or allows plain HTTP to another machine, or
            names a keyring entry.
    """
    if not found.foreign:
        return
    settings = found.settings
    if settings.get("keyring"):
        raise ProfileError(f"{found.name}: {found.source} may not name a keyring entry", _OWN)
    address = str(settings.get("endpoint", ""))
    loopback = bool(address) and is_loopback(_hostname(address))
    for setting, bad in (("verify", False), ("allow_http", True)):
        if settings.get(setting) is bad and not loopback:
            said = f"{setting} = {str(bad).lower()}"
            raise ProfileError(f"{found.name}: {found.source} may not say {said}", _OWN)


_OWN = "It stands in the working folder, and may have come with somebody else's files."


def unknown_setting(found: Found) -> str | None:
    """A setting of ours that doesn't exist, for a refusal that names it; None where all do."""
    if found.kind != "toml":
        return None
    return next((name for name in found.settings if name not in _SETTINGS), None)


def settings_known() -> frozenset[str]:
    """The settings that a profile of ours may have."""
    return _SETTINGS


def _hostname(address: str) -> str:
    return urlsplit(completed(address)).hostname or ""


def _shown(path: Path, places: Places) -> str:
    """The path as people write it: below home with `~`, in the working folder as it is."""
    if path.parent == places.working:
        return f"./{path.name}"
    if path.is_relative_to(places.home):
        return f"~/{path.relative_to(places.home)}"
    return str(path)


def _true(text: str | None) -> bool:
    return (text or "").strip().lower() in {"1", "true", "yes", "on"}


def _unquoted(value: str) -> str:
    """ini.v1 puts values with blanks at the ends, line feeds or backticks into quotes."""
    for quote in ('"""', '"', "`"):
        if len(value) >= 2 * len(quote) and value.startswith(quote) and value.endswith(quote):
            return value[len(quote) : -len(quote)]
    return value


def _without_lines(error: configparser.Error) -> str:
    """What is wrong with an ini file, without the line itself: it may hold a secret."""
    return type(error).__name__.removesuffix("Error") + " error"
