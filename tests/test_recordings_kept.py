"""The copied recordings: small, and without CloudStack's own descriptions."""

from __future__ import annotations

from replay import FOLDER, recorded


def test_they_take_less_than_8_mb():
    sizes = [path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()]
    assert len(sizes) > 20
    assert sum(sizes) < 8_000_000


def test_no_description_is_left_in_what_list_apis_answered():
    replies = [step.body for step in recorded() if step.command == "listApis"]
    lists = [body for body in replies if b'"isasync"' in body]
    assert len(lists) > 10
    assert [body[:80] for body in lists if b'"description":' in body] == []
