"""One JupyterLab and one Chromium; a test has a page, a kernel and a configuration of its own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from form import HOLDS
from ipykernels import other_python
from lab import Lab
from page import SIZE, Page
from playwright.sync_api import BrowserContext, sync_playwright

from cs_magic.demo.server import Demo, serving
from cs_magic.demo.wire import Reply

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = (
    "There is no Chromium, and without a browser nobody knows whether the form works:"
    " apt-get install chromium"
)
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
FAILED = pytest.StashKey[bool]()

Open = Callable[..., Page]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Remember which test failed, so that its page is photographed before it is closed."""
    report: pytest.TestReport = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab, running."""
    with Lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(None, id="this"),
        pytest.param("6.31.0", id="ipykernel-6.31", marks=pytest.mark.long),
        pytest.param("7.3.0", id="ipykernel-7.3", marks=pytest.mark.long),
    ],
)
def kernel(
    lab: Lab, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The name of the kernel that notebooks run with: ours, or that of another ipykernel."""
    if request.param is None:
        return "python3"
    name = f"ipykernel-{request.param}"
    lab.install_kernel(name, other_python(tmp_path_factory.mktemp(name), request.param))
    return name


# Not for the whole session: Playwright's event loop would run while other tests want their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[BrowserContext]:
    """Chromium, which can reach nothing but this machine, and keeps JupyterLab's code."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.fail(MISSING)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        try:
            yield chromium.new_context(viewport=SIZE)
        finally:
            chromium.close()


@pytest.fixture
def demo() -> Iterator[Demo]:
    """A small demo cloud, served from here; nobody has signed in to it."""
    with serving(machines=200) as running:
        yield running


@pytest.fixture
def sent(demo: Demo) -> list[str]:
    """The commands that the demo was asked for from here on."""
    commands: list[str] = []
    serve = demo.app._command

    def watched(method: str, parameters: Mapping[str, str], cookies: Mapping[str, str]) -> Reply:
        commands.append(parameters.get("command", ""))
        return serve(method, parameters, cookies)

    demo.app._command = watched  # type: ignore[method-assign]
    return commands


@pytest.fixture
def open_notebook(
    lab: Lab, browser: BrowserContext, kernel: str, request: pytest.FixtureRequest
) -> Iterator[Open]:
    """Opens a notebook of the given cells; kernels and configuration end with the test."""
    pages: list[Page] = []
    name = re.sub(r"\W+", "-", request.node.name).strip("-")

    def opened(*cells: str) -> Page:
        path = lab.write(f"{name}-{len(pages)}", cells, kernel)
        pages.append(Page(lab, browser, path, kernel))
        pages[-1].goto("?reset")
        return pages[-1]

    try:
        yield opened
    finally:
        if request.node.stash.get(FAILED, False):
            for number, page in enumerate(pages):
                page.screenshot(f"failed-{name}-{number}")
        for page in pages:
            page.tab.close()
        lab.end_kernels()
        lab.config.unlink(missing_ok=True)
        lab.save_widget_state(False)


@pytest.fixture
def asks(lab: Lab, demo: Demo) -> None:
    """A profile that holds no credentials: somebody has to sign in."""
    lab.configure(f'[prod]\nendpoint = "{demo.endpoint}"\n')


@pytest.fixture
def gate(tmp_path: Path) -> tuple[str, Callable[[], None]]:
    """A cell that runs until the test lets it end, and what lets it end."""
    flag = tmp_path / "open"
    return HOLDS.format(flag), flag.touch
