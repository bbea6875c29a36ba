"""The catalogues on disk: one file per endpoint and user, and the one that cmk keeps.

What a server offers depends on who asks, and on its version, so a file is for one of both;
its name tells neither. Two kernels may write at once: a file is replaced as a whole.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from cs_magic.api.apis import Api, parsed
from cs_magic.api.credentials import KeyPair
from cs_magic.api.profile import Profile
from cs_magic.api.profiles import places
from cs_magic.api.settings import endpoint_of
from cs_magic.api.sources import Found, Places, read
from cs_magic.errors import ProfileError

FORMAT = 2  # 1 was read with parameters of root admins for everybody
LARGEST = 64_000_000  # bytes; the root admin's catalogue is 3.5 million


class Kept(msgspec.Struct):
    """A catalogue as it was kept: what listApis said, to whom, of which version, when."""

    format: int
    endpoint: str
    version: str
    time: float
    apis: list[Api]

    @property
    def age(self) -> float:
        """Seconds since it was read; nothing is younger than now."""
        return abs(time.time() - self.time)


class Shelf:
    """The place on disk of one profile's catalogue."""

    def __init__(self, profile: Profile, folder: Path | None = None) -> None:
        self._endpoint = profile.endpoint
        self._name = f"{_digest(profile)}.json"
        self._folder = folder

    @property
    def path(self) -> Path:
        """The file; its folder may not exist yet."""
        if self._folder is None:
            from platformdirs import user_cache_path

            self._folder = user_cache_path("cs_magic") / "catalogues"
        return self._folder / self._name

    def load(self) -> Kept | None:
        """What was kept, or None; a file that is damaged is thrown away."""
        try:
            content = _content(self.path)
        except OSError:
            return None
        try:
            kept = msgspec.json.decode(content, type=Kept)
        except (msgspec.MsgspecError, RecursionError):
            kept = None
        if kept is None or (kept.format, kept.endpoint) != (FORMAT, self._endpoint):
            with suppress(OSError):
                self.path.unlink()
            return None
        return kept

    def keep(self, version: str, apis: list[Api]) -> bool:
        """Keep a catalogue; False where the disk does not take it, and then it is read again."""
        content = msgspec.json.encode(Kept(FORMAT, self._endpoint, version, time.time(), apis))
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _replace(self.path, content)
        except OSError:
            return False
        return True


def from_cmk(
    profile: Profile, where: Places | None = None, environment: Mapping[str, str] | None = None
) -> tuple[list[Api], str] | None:
    """What `cmk sync` kept of the same endpoint for the same user, and the day; or None."""
    where = where or places()
    sources = read(where, os.environ if environment is None else environment)
    for found in sources.found:
        if found.kind == "cmk" and _is_same(found, profile):
            for path in _cmk_files(found.name, where.home / ".cmk" / "profiles"):
                with suppress(OSError, ValueError, msgspec.MsgspecError, RecursionError):
                    inner = msgspec.json.decode(_content(path), type=dict[str, msgspec.Raw])
                    day = datetime.fromtimestamp(path.stat().st_mtime, UTC).date().isoformat()
                    return parsed(bytes(inner.get("api", b""))), day
    return None


def _cmk_files(name: str, folder: Path) -> Iterator[Path]:
    if name == Path(name).name:  # a name is no path
        yield folder / f"{name}.cache"


def _is_same(found: Found, profile: Profile) -> bool:
    """Whether a profile of cmk's leads to the same endpoint, as the same user."""
    said = found.settings
    keys = profile.credentials
    try:
        if endpoint_of(found) != profile.endpoint:
            return False
    except (KeyError, ProfileError):
        return False
    if isinstance(keys, KeyPair):
        return said.get("api_key") == keys.api_key
    user = (said.get("username"), _domain(str(said.get("domain") or "/")))
    return not said.get("api_key") and user == (keys.username, _domain(keys.domain))


def _digest(profile: Profile) -> str:
    """Endpoint and user, of which the name of a file tells neither."""
    keys = profile.credentials
    if isinstance(keys, KeyPair):
        who = ("key", keys.api_key)
    else:
        who = ("user", f"{_domain(keys.domain)}\0{keys.username}")
    said = "\0".join((profile.endpoint, *who)).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(said, digest_size=16, person=b"cs_magic").hexdigest()


def _domain(path: str) -> str:
    return f"/{path.strip('/')}".lower()


def _content(path: Path) -> bytes:
    if not path.is_file():  # a pipe would be waited for, for ever
        raise OSError(f"{path} is no file")
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise OSError(f"{path} is too large")
    return content


def _replace(path: Path, content: bytes) -> None:
    """Write a file, for its owner only, in one step; OSError, and then nothing is left."""
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(aside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(aside)
        raise
