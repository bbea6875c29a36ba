"""One JupyterLab on a loopback port, in folders of its own: a person's machine, to a test."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from replay import VARIABLES

STARTS = 60  # seconds for the server to answer
ENDS = 15
# Nothing that JupyterLab would look up, offer or move about by itself.
SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    # A busy machine's kernel may take longer than a second to answer; JupyterLab drops that.
    "@jupyterlab/completer-extension/manager": {"providerTimeout": 30_000},
}
WIDGETS = "@jupyter-widgets/jupyterlab-manager/plugin"
OPTIONS = (
    "--no-browser",
    "--allow-root",
    "--ServerApp.ip=127.0.0.1",
    "--ServerApp.port_retries=0",
    "--IdentityProvider.token=",
    "--ServerApp.password=",
    "--ServerApp.disable_check_xsrf=True",  # `ask` is no browser
    "--LabApp.expose_app_in_browser=True",
    "--LabApp.extension_manager=readonly",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
)


class Lab:
    """A JupyterLab whose kernels know the profiles of `configure` only; `with` starts it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.notebooks = root / "notebooks"
        self.kernels = root / "data" / "kernels"
        self.config = root / "home" / "config" / "cs_magic" / "config.toml"
        self.log = root / "lab.log"
        self.url = f"http://127.0.0.1:{_free_port()}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Lab:
        self.notebooks.mkdir(parents=True)
        self.config.parent.mkdir(parents=True)
        for name, settings in SETTINGS.items():
            self._set(name, settings)
        port = self.url.rpartition(":")[2]
        places = (f"--ServerApp.port={port}", f"--ServerApp.root_dir={self.notebooks}")
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jupyterlab", *OPTIONS, *places],
                env=self._environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._wait()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *failure: object) -> None:
        self._end()

    def configure(self, text: str) -> None:
        """What the user's own configuration file holds from now on; kernels read it anew."""
        self.config.touch(0o600)
        self.config.write_text(text, encoding="utf-8")

    def save_widget_state(self, on: bool) -> None:
        """Turn "Save Widget State Automatically" on or off, for pages opened after this."""
        self._set(WIDGETS, {"saveState": on})

    def write(self, name: str, cells: Sequence[str], kernel: str = "python3") -> Path:
        """A notebook file of these code cells."""
        spec = {"name": kernel, "display_name": kernel, "language": "python"}
        notebook = nbformat.v4.new_notebook(metadata={"kernelspec": spec})
        notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
        path = self.notebooks / f"{name}.ipynb"
        nbformat.write(notebook, path)
        return path

    def install_kernel(self, name: str, python: Path) -> None:
        """Offer the ipykernel of that Python under this name."""
        folder = self.kernels / name
        folder.mkdir(parents=True, exist_ok=True)
        argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec = {"argv": argv, "display_name": name, "language": "python"}
        (folder / "kernel.json").write_text(json.dumps(spec))

    def end_kernels(self) -> None:
        """Shut down every kernel, as the running panel's "Shut Down All" does."""
        for session in self.ask("GET", "sessions"):
            self.ask("DELETE", f"sessions/{session['id']}")

    def ask(self, method: str, path: str) -> Any:
        """A request to the server's own API."""
        request = urllib.request.Request(f"{self.url}/api/{path}", method=method)
        with urllib.request.urlopen(request, timeout=STARTS) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    def _set(self, name: str, settings: dict[str, Any]) -> None:
        path = self.root / "settings" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
        home = self.root / "home"
        return {
            **kept,
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_DATA_HOME": str(home / "share"),
            "IPYTHONDIR": str(home / "ipython"),
            "JUPYTER_CONFIG_DIR": str(self.root / "config"),
            "JUPYTER_DATA_DIR": str(self.root / "data"),
            "JUPYTER_RUNTIME_DIR": str(self.root / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(self.root / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(self.root / "workspaces"),
        }

    def _wait(self) -> None:
        """Until the server answers; an error that shows its log where it doesn't."""
        assert self._process is not None
        end = time.monotonic() + STARTS
        while time.monotonic() < end and self._process.poll() is None:
            try:
                self.ask("GET", "status")
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.1)
            else:
                return
        raise RuntimeError(f"JupyterLab did not start:\n{self.log.read_text()}")

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(ENDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(ENDS)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
