"""Where profiles come from: our files, the environment, and the files of `cs` and cmk.

The first source that has a name gives the whole profile; an address from one never goes
with keys from another. A file in the working folder may have come with somebody else's
repository, so it stands behind all of the user's own and may add profiles, nothing more.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cs_magic.api.formats import (
    TOP,
    Unreadable,
    of_cmk,
    of_cs,
    of_toml,
    settings_of_cmk,
    settings_of_cs,
    unread_of_cs,
)
from cs_magic.api.profile import ENVIRONMENT, ca_path
from cs_magic.errors import harmless

OURS = "cs_magic.toml"
LARGEST = 1_000_000  # bytes of a configuration file: a link to /dev/zero has no end
_NOT_HERE = "for the user's own configuration, not for the working folder"


@dataclass(frozen=True, slots=True)
class Found:
    """A profile as a source has it, not yet checked.

    `kind` is toml, env, cs, cmk, or connect (what a call of `connect` gave); `source` is
    what is shown of it; `foreign` says that it comes from a file in the working folder.
    `settings` may hold secrets.
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
    files with secrets that others on this machine can read; `broken` are the files, and
    parts of files, that can't be read, with the reason. Two of these reasons count:
    `config_unread` where our own configuration can't be read, so that nobody knows what
    it says, and `own_unread` where that is true of any file of the user's.
    """

    found: tuple[Found, ...]
    default: str | None = None
    last: str | None = None
    open_to_others: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    config_unread: str = ""
    own_unread: str = ""


@dataclass(frozen=True, slots=True)
class Places:
    """Where to look: the user's config folder, home, and the folder of the notebook."""

    config: Path
    home: Path
    working: Path


def read(places: Places, environment: Mapping[str, str]) -> Sources:
    """Everything that the sources hold. Nothing is checked, nothing raises for one bad file."""
    reader = _Reader(places, environment)
    config = list(reader.config())
    config_unread = next(iter(reader.unread), "")
    own = [*config, *reader.from_environment(), *reader.cs(), *reader.cmk()]
    own_unread = next(iter(reader.unread), "")
    return Sources(
        (*own, *reader.foreign()),
        reader.default,
        reader.last,
        tuple(reader.open_to_others),
        (*reader.unread, *reader.odd),
        config_unread,
        own_unread,
    )


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    text: str = field(repr=False)
    shown: str
    readable_by_others: bool
    foreign: bool


class _Reader:
    def __init__(self, places: Places, environment: Mapping[str, str]) -> None:
        self._places = places
        self._environment = environment
        self._read: set[Path] = set()
        self.default: str | None = None
        self.last: str | None = None
        self.open_to_others: list[str] = []
        self.unread: list[str] = []
        self.odd: list[str] = []

    def config(self) -> Iterator[Found]:
        """The profiles of our own configuration."""
        yield from self._toml(self._places.config / "config.toml", foreign=False)

    def from_environment(self) -> Iterator[Found]:
        """The whole set of one spelling, else the half of one; halves are never mixed."""
        texts = {name: text.strip() for name, text in self._environment.items()}
        sets = [
            {setting: texts[name] for setting, name in spelling.items() if texts.get(name)}
            for spelling in ENVIRONMENT
        ]
        given = next((one for one in sets if len(one) == len(ENVIRONMENT[0])), None)
        given = given or next((one for one in sets if one), None)
        if given:
            for name in ("username", "password", "domain"):
                # As it is: a password may begin or end with a blank.
                if self._environment.get(f"CLOUDSTACK_{name.upper()}"):
                    given[name] = self._environment[f"CLOUDSTACK_{name.upper()}"]
            yield Found("env", "env", "the environment", given)

    def cs(self) -> Iterator[Found]:
        """Each file's sections are whole profiles; cs itself would mix them key by key."""
        chosen = self._chosen()
        if chosen is not None and not self._in_working_folder(chosen):
            yield from self._cs_file(chosen, foreign=False)
        yield from self._cs_file(self._places.home / ".cloudstack.ini", foreign=False)

    def cmk(self) -> Iterator[Found]:
        """The profiles of cmk; what stands above them in its file holds for all of them."""
        file = self._file(self._places.home / ".cmk" / "config", foreign=False)
        if file is None:
            return
        sections = self._parsed(file, of_cmk)
        top = sections.pop(TOP, {})
        self.last = top.get("profile") or None
        for name, section in sections.items():
            yield self._profile(name, "cmk", file, settings_of_cmk(section, top))

    def foreign(self) -> Iterator[Found]:
        """The profiles of the files in the working folder."""
        yield from self._toml(self._places.working / OURS, foreign=True)
        chosen = self._chosen()
        if chosen is not None and self._in_working_folder(chosen):
            yield from self._cs_file(chosen, foreign=True)
        yield from self._cs_file(self._places.working / "cloudstack.ini", foreign=True)

    # -- one file -------------------------------------------------------------------

    def _toml(self, path: Path, foreign: bool) -> Iterator[Found]:
        file = self._file(path, foreign)
        if file is None:
            return
        document = self._parsed(file, of_toml)
        default = document.pop("default", None)
        if isinstance(default, str) and not foreign:
            self.default = default
        elif default is not None:
            self.odd.append(f"{file.shown}: default is {_NOT_HERE if foreign else 'no name'}")
        for name, settings in document.items():
            if isinstance(settings, dict):
                yield self._profile(name, "toml", file, settings)
            else:
                self.odd.append(harmless(f"{file.shown}: {name} stands outside a profile"))

    def _cs_file(self, path: Path, foreign: bool) -> Iterator[Found]:
        file = self._file(path, foreign)
        if file is None:
            return
        for name, section in self._parsed(file, of_cs).items():
            unknown = unread_of_cs(section)
            if unknown:
                named = ", ".join(unknown)
                self.odd.append(harmless(f"{file.shown}: [{name}] {named}: nothing reads this"))
            yield self._profile(name, "cs", file, settings_of_cs(section))

    def _profile(self, name: str, kind: str, file: _File, settings: dict[str, Any]) -> Found:
        if isinstance(settings.get("verify"), str):
            settings["verify"] = ca_path(settings["verify"], file.path.parent)
        secret = settings.get("secret_key") or settings.get("password")
        if secret and file.readable_by_others and file.shown not in self.open_to_others:
            self.open_to_others.append(file.shown)
        return Found(name, kind, file.shown, settings, file.foreign)

    def _parsed(self, file: _File, parse: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
        try:
            return parse(file.text)
        except Unreadable as error:
            self.unread.append(f"{file.shown}: {error}")
            return {}

    def _file(self, path: Path, foreign: bool) -> _File | None:
        """The file; None where there is none, where it was read before, or can't be."""
        shown = _shown(path, self._places, foreign)
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
                self.unread.append(f"{shown}: no plain file of less than {LARGEST} bytes")
                return None
            text = path.read_text(encoding="utf-8-sig")
            others = _others_can_read(path, status)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self.unread.append(f"{shown}: {error.strerror}")
            return None
        except ValueError:
            self.unread.append(f"{shown}: not UTF-8")
            return None
        if _real(path) in self._read:
            return None
        self._read.add(_real(path))
        return _File(path, text, shown, others, foreign)

    def _chosen(self) -> Path | None:
        chosen = self._environment.get("CLOUDSTACK_CONFIG")
        return self._places.working / os.path.expanduser(chosen) if chosen else None

    def _in_working_folder(self, path: Path) -> bool:
        """Whether a file came with the working folder; below home stand the user's own files."""
        working, home = self._places.working, self._places.home
        if _real(path) == _real(home / ".cloudstack.ini"):
            return False
        ways = ((path, working), (_real(path), _real(working)))
        if _real(home).is_relative_to(_real(working)):
            return any(file.parent == folder for file, folder in ways)
        return any(file.is_relative_to(folder) for file, folder in ways)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _others_can_read(path: Path, status: os.stat_result) -> bool:
    """Whether the file and its folder let others in. Windows has no such bits."""
    if os.name != "posix":
        return False
    folder = path.parent.stat().st_mode
    group = status.st_mode & stat.S_IRGRP and folder & stat.S_IXGRP
    return bool(group or (status.st_mode & stat.S_IROTH and folder & stat.S_IXOTH))


def _shown(path: Path, places: Places, foreign: bool) -> str:
    """The path as people write it: `./` in the working folder, `~/` below home."""
    if foreign and path.parent == places.working:
        return f"./{path.name}"
    if path.is_relative_to(places.home):
        return f"~/{path.relative_to(places.home).as_posix()}"
    return str(path)
