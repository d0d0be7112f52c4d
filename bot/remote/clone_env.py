"""Copy a virtual environment to another place, so that it works there and shares nothing.

Standard library only: it travels to the machine. Arguments: the environment, its copy, and the
directory that the copy's Python finds modules in before its own packages.

How files are copied: as clones where the file system can (btrfs, XFS: instant, nothing shared
once written to). Elsewhere everything is copied but large libraries (`.so`, `.a` of 1 MiB and
more): these are most of PyTorch's 7 GB, so they are hard links, made read-only. That keeps one
job's mistake from another's files; installing another version replaces links, it does not write
through them. It is no wall against an agent that means harm, and none is possible between
processes of one user, who can write to the original just as well.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import sys
from pathlib import Path

FICLONE = 0x40049409
LARGE = 1 << 20
LIBRARY = re.compile(r"\.(so(\.\d+)*|a)$")
TEXT_LIMIT = 1 << 20


def main(source: str, target: str, first: str) -> int:
    """Copy the environment, replacing what is at ``target``; whole or not at all."""
    partial = target + ".partial"
    old = target + ".old"
    for path in (partial, old):
        shutil.rmtree(path, ignore_errors=True)
    copy_tree(source, partial, target)
    for path in [Path(partial, "pyvenv.cfg"), *Path(partial, "bin").iterdir()]:
        move_prefix(path, source, target)
    put_first(partial, first)
    if os.path.lexists(target):
        Path(target).rename(old)
    Path(partial).rename(target)
    shutil.rmtree(old, ignore_errors=True)
    return 0


def copy_tree(source: str, target: str, final: str) -> None:
    """Copy a directory with its times and modes; links into it point into the copy."""
    top = source
    pending = [(source, target)]
    while pending:
        origin, copy = pending.pop()
        Path(copy).mkdir()
        with os.scandir(origin) as entries:
            for entry in entries:
                path = copy + "/" + entry.name
                if entry.is_symlink():
                    link = os.readlink(entry.path)  # noqa: PTH115 -- keeps the text as it is
                    if link == top or link.startswith(top + "/"):
                        link = final + link[len(top) :]
                    Path(path).symlink_to(link)
                elif entry.is_dir():
                    pending.append((entry.path, path))
                elif entry.is_file():
                    copy_file(entry, path)
        shutil.copystat(origin, copy)


def copy_file(entry: os.DirEntry[str], target: str) -> None:
    """Clone, link or copy one file."""
    large = entry.stat().st_size >= LARGE
    if large and clone(entry.path, target):
        shutil.copystat(entry.path, target)
        return
    if large and LIBRARY.search(entry.name):
        try:
            os.link(entry.path, target)
        except OSError:  # another file system, or too many links: a copy does as well
            pass
        else:
            Path(target).chmod(0o555 if os.access(target, os.X_OK) else 0o444)
            return
    shutil.copy2(entry.path, target)


def clone(source: str, target: str) -> bool:
    """Share the blocks until one side is written to; False where the file system cannot."""
    with Path(source).open("rb") as reader, Path(target).open("wb") as writer:
        try:
            fcntl.ioctl(writer, FICLONE, reader.fileno())
        except OSError:
            pass
        else:
            return True
    Path(target).unlink()
    return False


def move_prefix(path: Path, source: str, target: str) -> None:
    """Replace the environment's own path in a script or in ``pyvenv.cfg``."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > TEXT_LIMIT:
        return
    data = path.read_bytes()
    if b"\0" in data:
        return
    old = re.compile(re.escape(os.fsencode(source)) + rb"(?![A-Za-z0-9._-])")
    moved = old.sub(lambda _: os.fsencode(target), data)
    if moved != data:
        path.write_bytes(moved)


def put_first(environment: str, directory: str) -> None:
    """Let the environment's Python find ``directory`` before its packages, also without PYTHONPATH.

    A line of a ``.pth`` file that begins with ``import`` is run by ``site``
    (https://docs.python.org/3/library/site.html). It goes behind the standard library, which
    the directory's ``test`` would hide otherwise.
    """
    line = (
        "import sys; d = {!r}; p = sys.path; d in p or p.insert(next("
        "(i for i, e in enumerate(p) if e.endswith('site-packages')), len(p)), d)\n"
    )
    for packages in Path(environment).glob("lib/python3*/site-packages"):
        Path(packages, "_ptq_worktree.pth").write_text(line.format(directory), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
