"""A real kernel to run cells and press Tab in."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import start_new_kernel
from replay import VARIABLES

TIMEOUT = 60
FOLDERS = ("HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")


class Kernel:
    """Runs cells and gives their outputs; completes texts at a mark."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self.client = client

    def run(self, cell: str) -> list[dict[str, Any]]:
        """The outputs of a cell: dicts with `output_type`."""
        outputs: list[dict[str, Any]] = []

        def take(message: dict[str, Any]) -> None:
            if message["msg_type"] in {"display_data", "execute_result", "error", "stream"}:
                outputs.append({"output_type": message["msg_type"], **message["content"]})

        self.client.execute_interactive(
            cell, output_hook=take, allow_stdin=False, timeout=TIMEOUT, stop_on_error=False
        )
        return outputs

    def value(self, expression: str) -> str:
        """The repr of an expression."""
        [shown] = self.run(expression)
        return str(shown["data"]["text/plain"])

    def completion(self, text: str, cursor: int) -> dict[str, Any]:
        """The content of a `complete_reply`."""
        content: dict[str, Any] = self.client.complete(text, cursor, reply=True, timeout=TIMEOUT)[
            "content"
        ]
        assert content["status"] == "ok"
        return content

    def complete(self, marked: str) -> list[tuple[str, str]]:
        """The candidates at the `▲` and their types, in order."""
        content = self.completion(marked.replace("▲", ""), marked.index("▲"))
        types = content["metadata"].get("_jupyter_types_experimental", ())
        return [(one["text"], one["type"]) for one in types]


@contextmanager
def started(home: Path, variables: Mapping[str, str]) -> Iterator[Kernel]:
    """A kernel with the extension loaded, in folders of its own below `home`."""
    with pytest.MonkeyPatch.context() as patch:
        for name in VARIABLES:
            patch.delenv(name, raising=False)
        for name in FOLDERS:
            patch.setenv(name, str(home / name.lower()))
        patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
        for name, value in variables.items():
            patch.setenv(name, value)
        work = home / "work"
        work.mkdir()
        manager, client = start_new_kernel(kernel_name="python3", cwd=os.fspath(work))
    try:
        kernel = Kernel(client)
        assert kernel.run("%load_ext cs_magic") == []
        yield kernel
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
