"""The README says what is: its generated parts are fresh, its names exist."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import metadata
from pathlib import Path

import pytest

import cs_magic
from cs_magic.notebook.vocabulary import OPTIONS, WORDS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_generated_parts_of_the_readme_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cogapp", "--check", "--diff", "README.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", [name for name in cs_magic.__all__ if name != "Connection"])
def test_every_public_name_is_in_the_readme(name: str) -> None:
    assert re.search(rf"\b{name}\b", README)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_every_option_is_in_the_readme(option: object) -> None:
    assert option.written() in README  # type: ignore[attr-defined]


@pytest.mark.parametrize("word", WORDS)
def test_every_word_is_in_the_readme(word: str) -> None:
    assert f"\n  {word} " in README


@pytest.mark.parametrize(
    "target", re.findall(r"^    ?make ([a-z-]+)|^make ([a-z-]+)", README, re.M)
)
def test_every_make_word_of_the_readme_exists(target: tuple[str, str]) -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(rf"^{''.join(target)}:.*## ", makefile, re.M)


HEADINGS = re.findall(r"^##+ (.*)$", README, re.M)


def anchor(heading: str) -> str:
    """What a link to a heading is called on a page."""
    return "#" + re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("path", re.findall(r"\]\(([^)h][^)]*)\)", README))
def test_every_link_to_a_file_of_ours_leads_somewhere(path: str) -> None:
    assert (ROOT / path).exists() or path in map(anchor, HEADINGS)


def test_the_first_screen_has_the_demo_the_first_call_installing_and_signing_in() -> None:
    first = "\n".join(README.splitlines()[:60])
    for said in (
        "make demo",
        "%cs use demo",
        "listVirtualMachines\n",
        "pip install",
        "#signing-in",
    ):
        assert said in first


def test_the_contents_name_every_part_below_them_in_order() -> None:
    contents, _, rest = README.partition("## What is where\n")[2].partition("\n## ")
    parts = re.findall(r"^## (.*)$", f"## {rest}", re.M)
    assert re.findall(r"^\| \[(.*?)\]\((.*?)\)", contents, re.M) == [
        (part, anchor(part)) for part in parts
    ]


def test_the_licence_of_everything_that_is_installed_is_the_one_that_is_named() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *extras["lab"], *extras["keyring"], *extras["reports"]]
    names = {re.match(r"[\w-]+", one)[0] for one in asked} - {"cs-magic"}  # type: ignore[index]
    licences = README.partition("**Licences.**")[2].partition("[CHANGELOG]")[0]
    words = {"BSD": "BSD", "MIT": "MIT", "Apache 2.0": "Apache", "PSF-like": "Python Software"}
    for name in sorted(names):
        said = re.search(rf"\b{name}\b[^()]*\(([^)]+)\)", licences)
        assert said is not None, name
        assert words[said[1]] in licence_of(name), name


def licence_of(name: str) -> str:
    """All that a package says of its licence in a word or two."""
    facts = metadata(name)
    classifiers = [one for one in facts.get_all("Classifier") or () if "License" in one]
    return "\n".join([facts.get("License-Expression") or "", *classifiers])
