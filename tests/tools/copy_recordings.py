"""Copies the recordings of a real management server into tests/recordings/, compacted.

    python tests/tools/copy_recordings.py RECORDINGS_DIR

One file per group, one line per recording. Replies stay as they came, to the byte, but for
the descriptions in listApis replies, which are CloudStack's texts and 60 % of the bytes;
what is left of those is stored compressed (`bodyencoding: gzip+base64`).
"""

from __future__ import annotations

import base64
import gzip
import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent.parent / "recordings"
KEPT = (
    "as",
    "auth",
    "method",
    "call",
    "signed",
    "sent",
    "status",
    "headers",
    "body",
    "bodyencoding",
    "note",
)


def compacted(step: dict[str, Any]) -> dict[str, Any]:
    """A step with what tests need; bulky headers that are the same everywhere left out."""
    kept = {key: step[key] for key in KEPT if key in step}
    kept["headers"] = {
        name: value
        for name, value in step["headers"].items()
        if name.lower()
        not in {"content-security-policy", "x-xss-protection", "x-content-type-options"}
    }
    if step["call"].get("command") == "listApis" and step["status"] == 200:
        bare = without_descriptions(step["body"]).encode()
        kept["body"] = base64.b64encode(gzip.compress(bare, mtime=0)).decode()
        kept["bodyencoding"] = "gzip+base64"
        kept["headers"].pop("Content-Length", None)
    return kept


def without_descriptions(body: str) -> str:
    """A listApis reply without its descriptions."""
    try:
        document = json.loads(body, strict=False)
    except ValueError:
        return body

    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: bare(item) for key, item in value.items() if key != "description"}
        return [bare(item) for item in value] if isinstance(value, list) else value

    return json.dumps(bare(document), separators=(",", ":"), ensure_ascii=False)


def main(source: Path) -> None:
    HERE.mkdir(exist_ok=True)
    for group in sorted(path for path in source.iterdir() if path.is_dir()):
        lines = []
        for path in sorted(group.glob("*.json")):
            recording = json.loads(path.read_text())
            steps = [compacted(step) for step in recording["steps"]]
            entry = {"file": path.stem, "about": recording["about"], "steps": steps}
            lines.append(json.dumps(entry, ensure_ascii=False, separators=(",", ":")))
        (HERE / f"{group.name}.jsonl").write_text("\n".join(lines) + "\n")
    accounts = json.loads((source / "accounts.json").read_text())
    (HERE / "accounts.json").write_text(json.dumps(accounts, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
