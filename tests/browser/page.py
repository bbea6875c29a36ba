"""A notebook in a real browser: what a person does and sees. All of it has deadlines."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab import Lab
from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Locator, expect

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
SIZE = {"width": 1280, "height": 1000}
PATIENCE = 30_000  # milliseconds for anything that a person waits for
STARTS = 60_000  # the first kernel reads everything from the disk
expect.set_options(timeout=PATIENCE)

PANEL = "window.jupyterapp.shell.currentWidget"
# The indicator that a person looks at says idle before there is a kernel: ask the session.
READY = """() => {
    const kernel = window.jupyterapp?.shell?.currentWidget
        ?.context?.sessionContext?.session?.kernel;
    return kernel?.connectionStatus === 'connected' && kernel?.status === 'idle';
}"""
BUSY = f"() => {PANEL}.context.sessionContext.session.kernel.status === 'busy'"
# Not awaited here: an evaluation has no deadline, waiting for what it leaves behind has one.
START = """([name, number, args]) => {
    window.csRan ??= {};
    window.jupyterapp.commands.execute(name, args).then(
        () => { window.csRan[number] = 'done'; },
        (error) => { window.csRan[number] = String(error); });
}"""
EVALUATE = f"""async (expression) => {{
    const kernel = {PANEL}.context.sessionContext.session.kernel;
    const future = kernel.requestExecute({{
        code: '', silent: true, store_history: false, allow_stdin: false,
        user_expressions: {{ it: expression }} }});
    return (await future.done).content.user_expressions.it;
}}"""
OUTPUTS = f"(cell) => {PANEL}.content.widgets[cell].model.outputs.toJSON()"
# Chromium's and JupyterLab's own, with any notebook, and what other people's extensions of
# JupyterLab complain about, which come with what the reports use.
NOISE = ("favicon", "ResizeObserver", "net::ERR_", "Failed to load resource", "/lab/extensions/")


class Page:
    """One notebook in a tab of its own; `goto` loads it."""

    def __init__(self, lab: Lab, context: BrowserContext, path: Path, kernel: str) -> None:
        self.lab = lab
        self.kernel = kernel
        self.path = path
        self.problems: list[str] = []  # what JavaScript complained about
        self.tab = context.new_page()
        self.tab.set_default_timeout(PATIENCE)
        self.tab.on("console", self._heard)
        self.tab.on("pageerror", self._failed)
        self._numbers = itertools.count()

    # -- the notebook --------------------------------------------------------

    def goto(self, query: str = "") -> None:
        """Load the notebook's address, and wait for its kernel."""
        address = f"{self.lab.url}/lab/tree/{self.path.name}{query}"
        self.tab.goto(address, wait_until="domcontentloaded")
        self.wait()

    def reload(self) -> None:
        """Load the page again; the kernel goes on."""
        self.tab.reload(wait_until="domcontentloaded")
        self.wait()

    def wait(self) -> None:
        """Until the kernel is connected and idle."""
        self.tab.wait_for_function(READY, timeout=STARTS)

    def wait_until_busy(self) -> None:
        """Until the kernel runs something."""
        self.tab.wait_for_function(BUSY)

    def start(self, command: str, **arguments: object) -> int:
        """Give a command of JupyterLab, and don't wait for its end; `finish` takes the number."""
        number = next(self._numbers)
        self.tab.evaluate(START, [command, number, arguments])
        return number

    def finish(self, number: int) -> None:
        """Wait for the end of a command; an assertion holds that it did not break."""
        self.tab.wait_for_function("(number) => window.csRan[number]", arg=number, timeout=STARTS)
        assert self.tab.evaluate("(number) => window.csRan[number]", number) == "done"

    def run_all(self) -> None:
        """Run All Cells, and wait until nothing runs any more."""
        self.finish(self.start("notebook:run-all-cells"))
        self.wait()

    def run(self, *cells: int) -> None:
        """Run these cells, one after the other."""
        for cell in cells:
            self.finish(self.start_cell(cell))
            self.wait()

    def start_cell(self, cell: int) -> int:
        """Run Selected Cell, without waiting for its end."""
        self.tab.evaluate(f"(cell) => {{ {PANEL}.content.activeCellIndex = cell; }}", cell)
        return self.start("notebook:run-cell")

    def save(self) -> dict[str, Any]:
        """Save, and give what the file holds."""
        self.finish(self.start("docmanager:save"))
        saved: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        return saved

    def interrupt(self) -> None:
        """The stop button."""
        self.finish(self.start("notebook:interrupt-kernel"))

    def restart(self) -> None:
        """Restart Kernel…, and yes."""
        number = self.start("notebook:restart-kernel")
        self.tab.locator(".jp-Dialog .jp-mod-accept").click()
        self.finish(number)
        self.wait()

    # -- what is seen --------------------------------------------------------

    def cell(self, number: int) -> Locator:
        """A cell, from 0."""
        return self.tab.locator(".jp-Notebook .jp-Cell").nth(number)

    def outputs(self, number: int) -> Locator:
        """The outputs of a cell as they are drawn; widgets are among them."""
        return self.cell(number).locator(".jp-OutputArea-child")

    def kept(self, number: int) -> list[dict[str, Any]]:
        """The outputs of a cell as they would be saved."""
        kept: list[dict[str, Any]] = self.tab.evaluate(OUTPUTS, number)
        return kept

    def text(self, number: int) -> str:
        """All that a person can read below a cell."""
        return "\n".join(self.outputs(number).all_inner_texts())

    def prompt(self, number: int) -> str:
        """What stands left of the cell: `[3]:` where it ran, `[ ]:` where it didn't."""
        return self.cell(number).locator(".jp-InputPrompt").inner_text().strip()

    def errors(self, number: int | None = None) -> list[str]:
        """The error outputs of a cell, or of all cells, as text."""
        cells = [number] if number is not None else range(len(self.cells))
        every = [output for cell in cells for output in self.kept(cell)]
        return [one["evalue"] for one in every if one["output_type"] == "error"]

    @property
    def cells(self) -> Sequence[Locator]:
        """All cells."""
        return self.tab.locator(".jp-Notebook .jp-Cell").all()

    def value(self, expression: str) -> str:
        """The repr of an expression in the kernel, or the name of the error."""
        answer = self.tab.evaluate(EVALUATE, expression)
        if answer["status"] == "error":
            return str(answer["ename"])
        return str(answer["data"]["text/plain"])

    def screenshot(self, name: str) -> None:
        """A picture of the page, as build/screenshots/NAME.png; another kernel's beside it."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        end = "" if self.kernel == "python3" else f"-{self.kernel}"
        self.tab.screenshot(path=SCREENSHOTS / f"{name}{end}.png")

    def _failed(self, error: Error) -> None:
        if not any(noise in (error.stack or str(error)) for noise in NOISE):
            self.problems.append(str(error))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(noise in message.text for noise in NOISE):
            self.problems.append(message.text)
