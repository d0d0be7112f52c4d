"""Link what a wheel has and the source has not into a worktree, so that it can be imported.

Standard library only: it travels to the machine. Arguments: the job's environment, the worktree,
the wheel's commit, the base commit, the module, and the file to write the links' names to, as
ignore patterns.

A directory in which the source tracks nothing is one link, anything else is linked file by file,
so the patterns are few and `git status` stays quick.
"""

from __future__ import annotations

import glob
import os
import subprocess
import sys
from pathlib import Path

SKIPPED = ("__pycache__",)
SIBLINGS = ("nvidia", "cusparselt")
"""Libraries that PyTorch's own find beside its directory, through their run path."""


def main(argv: list[str]) -> int:
    """Make the links and write down their names."""
    environment, worktree, wheel, base, module, ignored = argv
    packages = site_packages(environment, module)
    if wheel not in Path(packages, module, "version.py").read_text(encoding="utf-8"):
        sys.exit("the environment holds another build: prepare the workspace again")
    files, directories = tracked(worktree, base, module)
    links: list[str] = []
    link_directory(packages, worktree, module, (files, directories, links))
    for sibling in SIBLINGS:
        if Path(packages, sibling).is_dir() and not os.path.lexists(Path(worktree, sibling)):
            links.append(sibling)
            Path(worktree, sibling).symlink_to(Path(packages, sibling))
        elif Path(worktree, sibling).is_symlink():
            links.append(sibling)
    text = "".join(f"/{escape(link)}\n" for link in links)
    partial = Path(ignored + ".partial")
    partial.parent.mkdir(parents=True, exist_ok=True)
    partial.write_text(text, encoding="utf-8", errors="surrogateescape")
    partial.replace(ignored)
    return 0


def site_packages(environment: str, module: str) -> str:
    """Return the directory that holds the installed module."""
    pattern = glob.escape(environment) + "/lib/python3*/site-packages"
    for packages in sorted(glob.glob(pattern)):  # noqa: PTH207 -- the pattern is absolute
        if Path(packages, module).is_dir():
            return packages
    sys.exit(module + " is not a package of the environment")


def tracked(worktree: str, base: str, module: str) -> tuple[set[str], set[str]]:
    """Return the source's files under the module at the base commit, and their directories."""
    listing = subprocess.run(
        ["/usr/bin/env", "git", "ls-tree", "-rz", "--name-only", "--full-tree", base, module + "/"],
        cwd=worktree,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    files = {os.fsdecode(name) for name in listing.split(b"\0") if name}
    directories: set[str] = set()
    for name in files:
        parent = name.rpartition("/")[0]
        while parent and parent not in directories:
            directories.add(parent)
            parent = parent.rpartition("/")[0]
    return files, directories


def link_directory(
    packages: str, worktree: str, name: str, known: tuple[set[str], set[str], list[str]]
) -> None:
    """Link what one directory of the wheel has and the source has not."""
    files, directories, links = known
    Path(worktree, name).mkdir(exist_ok=True)
    with os.scandir(Path(packages, name)) as entries:
        for entry in entries:
            path = name + "/" + entry.name
            if entry.name in SKIPPED or entry.name.endswith(".pyc") or path in files:
                continue
            if path in directories:
                if entry.is_dir():
                    link_directory(packages, worktree, path, known)
                continue
            links.append(path)
            target = Path(worktree, path)
            if target.is_symlink():
                target.unlink()
            if not target.exists():
                target.symlink_to(entry.path)


def escape(name: str) -> str:
    """Return a path as an ignore pattern that fits it alone."""
    escaped = "".join(
        "\\" + character if character in "\\*?[ " else character for character in name
    )
    return escaped.replace("\n", "?")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
