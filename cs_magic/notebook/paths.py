"""The files and folders that a path may go on to."""

from __future__ import annotations

import os
import re

_MOST = 200


def paths(typed: str) -> list[tuple[str, str]]:
    """Pairs of a path and `file` or `folder`; a folder ends in a slash, hidden ones are left out.

    A path with a blank or a quote in it can't be written behind `@`, and is left out.
    """
    folder, slash, part = typed.rpartition("/")
    where = os.path.expanduser(folder + slash) or "."
    try:
        with os.scandir(where) as entries:
            found = [
                (one.name, one.is_dir())
                for one in entries
                if one.name.lower().startswith(part.lower()) and _shown(one.name, part)
            ]
    except OSError:
        return []
    return [
        (folder + slash + name + ("/" if is_folder else ""), "folder" if is_folder else "file")
        for name, is_folder in sorted(found, key=lambda one: (not one[1], one[0]))[:_MOST]
    ]


def _shown(name: str, part: str) -> bool:
    hidden = name.startswith(".") and not part.startswith(".")
    return not hidden and name.isprintable() and not re.search(r"[\s;#]", name)
