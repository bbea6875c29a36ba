"""The report: Markdown that reads well, and names nothing of anybody's cloud."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

from cs_magic.verify.findings import Finding, Section, those


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found; `facts` are what it was about, `seconds` how long it took."""

    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    when: datetime
    seconds: float

    @property
    def problems(self) -> list[Finding]:
        """Everything that is wrong."""
        return [one for part in self.sections for one in those(part.findings, "problem")]

    def markdown(self) -> str:
        """The whole report."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield "# What cs_magic and this CloudStack make of each other"
        yield ""
        yield f"**{self.verdict()}.**"
        yield ""
        yield "A note tells of something odd that is read rightly all the same. No host, account,"
        yield "name, id or value of yours is in here: attach it to a bug report as it is."
        yield ""
        yield from _table(("", ""), [*self.facts, *self._circumstances()])
        yield ""
        heads = ("part", "result", "")
        yield from _table(
            heads, [(part.title, part.verdict, part.summary) for part in self.sections]
        )
        for part in self.sections:
            yield from _part(part)

    def verdict(self) -> str:
        """The whole in a few words."""
        number = len(self.problems)
        if not number:
            return "No problem was found"
        return "1 problem was found" if number == 1 else f"{number} problems were found"

    def _circumstances(self) -> list[tuple[str, str]]:
        python = f"cs_magic {version('cs-magic')}, Python {platform.python_version()}"
        libraries = " ".join(
            f"{name} {version(name)}" for name in ("pandas", "pyarrow", "requests")
        )
        return [
            ("here", f"{python}, {platform.system()}; {libraries}"),
            ("run", f"{self.when:%Y-%m-%d %H:%M} UTC, {self.seconds:.0f} s"),
        ]


def _part(part: Section) -> Iterator[str]:
    problems, notes = (list(those(part.findings, which)) for which in ("problem", "note"))
    if not (problems or notes or part.listed):
        return
    yield from ("", f"## {part.title}", "")
    for one in problems:
        yield f"- **problem** {_line(one)}"
    for one in notes:
        yield f"- {_line(one)}"
    if part.listed:
        yield ""
        yield from _table(("list", "rows", "count", ""), part.listed)


def _line(finding: Finding) -> str:
    return f"{finding.about}: {finding.text}" if finding.about else finding.text


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "| " + " | ".join("---" for _ in heads) + " |"
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
