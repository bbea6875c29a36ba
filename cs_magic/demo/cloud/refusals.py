"""How the cloud says no, in CloudStack's words and with its two codes."""

from __future__ import annotations

# Codes of CloudStack: of the API layer itself, of an invalid value, of a lack of permission.
GENERAL = 9999
INVALID = 4350
FORBIDDEN = 4365

NOT_YOURS = "Caller does not have permission to operate with provided resource."


class Refused(Exception):
    """A command that is not carried out: what the error document says."""

    def __init__(self, errorcode: int, errortext: str, cserrorcode: int = GENERAL) -> None:
        super().__init__(errortext)
        self.errorcode = errorcode
        self.errortext = errortext
        self.cserrorcode = cserrorcode


def unavailable(command: str, account: str) -> Refused:
    """A command that the account's role does not have, or that does not exist."""
    return Refused(
        432, f"The API [{command}] does not exist or is not available for the account {account}."
    )


def bad_value(command: str, parameter: str, value: str) -> Refused:
    """A value of the wrong type."""
    return Refused(
        431,
        f"Unable to execute API command {command.lower()} due to invalid value {value} "
        f"for parameter {parameter}",
    )


def no_such_entity(command: str, parameter: str, value: str) -> Refused:
    """An id that is malformed or nobody's."""
    return Refused(
        431,
        f"Unable to execute API command {command.lower()} due to invalid value. "
        f"Invalid parameter {parameter} value={value} due to incorrect long value format, "
        "or entity does not exist or due to incorrect parameter annotation for the field "
        "in api cmd class.",
    )
