"""What configuration files say: our toml, the ini files of `cs`, and those of cmk. Pure.

Those of others are read as their own programs read them, and come out in our words.
"""

from __future__ import annotations

import configparser
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from cs_magic.api.profile import BOOLEANS
from cs_magic.errors import harmless

TOP = ""  # the section of cmk's that has no header
# What others call our settings.
CS = {
    "endpoint": "endpoint",
    "key": "api_key",
    "secret": "secret_key",
    "method": "method",
    "timeout": "timeout",
    "job_timeout": "job_timeout",
    "verify": "verify",
}
# What else may stand in a file of cs; of ours it is read_only.
_OF_CS = {*CS, "read_only"}.union(
    "cert cert_key dangerous_no_tls_verify expiration name poll_interval retry retry_backoff"
    " theme trace".split()
)
CMK = {
    "url": "endpoint",
    "apikey": "api_key",
    "secretkey": "secret_key",
    "username": "username",
    "password": "password",
    "domain": "domain",
    "signaturealgorithm": "signature_algorithm",
}


class Unreadable(Exception):
    """A file's text makes no sense; the reason holds nothing of the text."""


def of_toml(text: str) -> dict[str, Any]:
    """The document; Unreadable where it is none."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason = harmless(str(error))
    except (ValueError, RecursionError):  # a number of thousands of digits, as many brackets
        reason = "too long a number, or too deep"
    raise Unreadable(reason)


def of_cs(text: str) -> dict[str, dict[str, str]]:
    """The sections as cs reads them: names in any case, [DEFAULT] for all, %% for one %."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error as error:
        reason = type(error).__name__.removesuffix("Error")
    else:
        return {
            name: {key: value.replace("%%", "%") for key, value in parser.items(name)}
            for name in parser.sections()
        }
    raise Unreadable(f"no ini file ({reason})")


def settings_of_cs(section: Mapping[str, str]) -> dict[str, Any]:
    """The settings of a profile that a section of cs is."""
    settings: dict[str, Any] = _renamed(section, CS)
    if BOOLEANS.get(section.get("dangerous_no_tls_verify", "").lower()):
        settings.setdefault("verify", False)
    if section.get("read_only"):  # it is ours, and who writes it means it
        said = section["read_only"]
        settings["read_only"] = BOOLEANS.get(said.lower(), said)
    return settings


def unread_of_cs(section: Mapping[str, str]) -> list[str]:
    """What stands in a section of cs and nothing reads."""
    return [key for key in section if key not in _OF_CS and not key.startswith("header_")]


def of_cmk(text: str) -> dict[str, dict[str, str]]:
    """The sections as cmk's Go library reads and writes them; the first has no header."""
    section: dict[str, str] = {}
    sections = {TOP: section}
    lines = iter(enumerate(text.split("\n"), 1))
    for number, line in ((number, line.strip()) for number, line in lines):
        key, delimiter, value = line.partition("=")
        if line.startswith("[") and "]" in line:
            section = sections.setdefault(line[1 : line.rindex("]")], {})
        elif delimiter and line[0] not in "[#;":
            section[key.rstrip()] = _unquoted(value.strip(), lines)
        elif line and line[0] not in "#;":
            raise Unreadable(f"line {number} is neither [profile] nor name = value")
    return sections


def settings_of_cmk(section: Mapping[str, str], top: Mapping[str, str]) -> dict[str, Any]:
    """The settings of a profile of cmk; what stands at the `top` of its file holds for all."""
    settings: dict[str, Any] = _renamed(section, CMK)
    if BOOLEANS.get(top.get("verifycert", "").lower()) is False:
        settings["verify"] = False
    if BOOLEANS.get(top.get("postrequest", "").lower()) is False:
        settings["method"] = "get"
    waits = top.get("timeout", "")
    if waits.isdecimal() and len(waits) < 8 and int(waits):
        settings["job_timeout"] = int(waits)
    return settings


def _renamed(section: Mapping[str, str], names: Mapping[str, str]) -> dict[str, Any]:
    return {ours: section[theirs] for theirs, ours in names.items() if section.get(theirs)}


def _unquoted(value: str, lines: Iterator[tuple[int, str]]) -> str:
    '''ini.v1 puts values with line feeds or backticks into """, with outer blanks into ".'''
    if value.startswith('"""') and value.count('"""') == 1:
        for _, line in lines:
            value += f"\n{line}"
            if '"""' in line:
                return value[3 : value.rindex('"""')]
        raise Unreadable('a """ is not closed')
    for quote in ('"""', '"', "'", "`"):
        inner = value[len(quote) : -len(quote)]
        if value == f"{quote}{inner}{quote}" and (len(quote) > 1 or quote not in inner):
            return inner
    return value
