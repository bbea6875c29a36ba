"""What connections are, one or several: closed at the end of a `with`, and never pickled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import NoReturn, Self

from cs_magic.api.values import unwritten


class Closing(ABC):
    """A base of what holds secrets and connections to a server until it is closed."""

    @abstractmethod
    def close(self) -> None:
        """Let go of all that is held."""

    def __reduce__(self) -> NoReturn:
        raise unwritten(type(self).__name__)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
