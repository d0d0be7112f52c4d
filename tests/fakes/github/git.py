"""The git side of a repository on the fake GitHub: a bare repository and the git program."""

from __future__ import annotations

import asyncio
import os
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_NOBODY = {
    "GIT_AUTHOR_NAME": "GitHub",
    "GIT_AUTHOR_EMAIL": "noreply@github.com",
    "GIT_COMMITTER_NAME": "GitHub",
    "GIT_COMMITTER_EMAIL": "noreply@github.com",
}


class GitFailed(Exception):
    """The git program ended with a non-zero exit status; the text is what it said."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Who and when, of a commit."""

    name: str
    email: str
    date: str
    """As GitHub writes it, or as it was given: ISO 8601."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit, read."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a tree; without ``sha`` it is to be taken out."""

    path: str
    mode: str
    type: str
    sha: str | None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class BareRepository:
    """A bare repository in ``directory``."""

    directory: Path

    @classmethod
    async def copied(cls, source: Path, directory: Path) -> BareRepository:
        """Make one from a local repository, with all of its branches."""
        await _git(None, "clone", "--quiet", "--bare", str(source), str(directory))
        return cls(directory)

    @classmethod
    async def created(cls, directory: Path, *, files: Mapping[str, str]) -> BareRepository:
        """Make one whose branch ``main`` has one commit with these files."""
        await _git(None, "init", "--quiet", "--bare", "--initial-branch=main", str(directory))
        repository = cls(directory)
        entries = [
            Entry(path, "100644", "blob", await repository.write_blob(content.encode()))
            for path, content in files.items()
        ]
        tree = await repository.write_tree(None, entries)
        commit = await repository.write_commit("Initial commit", tree=tree, parents=())
        await repository.set_branch("main", commit)
        return repository

    async def head(self) -> str:
        """Return the default branch's name."""
        return (await self._run("symbolic-ref", "--short", "HEAD")).strip()

    async def kind(self, sha: str) -> str | None:
        """Return ``commit``, ``tree``, ``blob`` or ``tag``; None when there is no such object."""
        try:
            return (await self._run("cat-file", "-t", sha)).strip()
        except GitFailed:
            return None

    async def branch(self, name: str) -> str | None:
        """Return the commit that a branch points to."""
        try:
            ref = f"refs/heads/{name}"
            return (await self._run("rev-parse", "--verify", "--quiet", ref)).strip()
        except GitFailed:
            return None

    async def branches(self) -> dict[str, str]:
        """Return every branch with its commit."""
        listed = await self._run(
            "for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads"
        )
        return dict(line.split(" ", 1) for line in listed.splitlines())

    async def set_branch(self, name: str, sha: str) -> None:
        """Point a branch to a commit."""
        await self._run("update-ref", f"refs/heads/{name}", sha)

    async def is_ancestor(self, old: str, new: str) -> bool:
        """Whether going from ``old`` to ``new`` goes forwards."""
        try:
            await self._run("merge-base", "--is-ancestor", old, new)
        except GitFailed:
            return False
        return True

    async def write_blob(self, content: bytes) -> str:
        """Store a file's content."""
        return (await self._run("hash-object", "-w", "--stdin", stdin=content)).strip()

    async def read_blob(self, sha: str) -> bytes:
        """Read a blob's content."""
        return await _git_bytes(self.directory, "cat-file", "blob", sha)

    async def write_tree(self, base: str | None, entries: Sequence[Entry]) -> str:
        """Store a tree: ``base`` with the entries put in or taken out."""
        index = self.directory / f"index-{uuid.uuid4()}"
        variables = {"GIT_INDEX_FILE": str(index)}
        lines = [
            f"{entry.mode} {entry.sha}\t{entry.path}\0"
            if entry.sha is not None
            else f"0 {'0' * 40}\t{entry.path}\0"
            for entry in entries
        ]
        try:
            await self._run("read-tree", base or "--empty", variables=variables)
            stdin = "".join(lines).encode()
            await self._run("update-index", "-z", "--index-info", stdin=stdin, variables=variables)
            return (await self._run("write-tree", variables=variables)).strip()
        finally:
            await asyncio.to_thread(index.unlink, missing_ok=True)

    async def write_commit(
        self,
        message: str,
        *,
        tree: str,
        parents: Sequence[str],
        author: Signature | None = None,
        committer: Signature | None = None,
    ) -> str:
        """Store a commit, whose sha depends on nothing but the arguments where both are given."""
        variables: dict[str, str] = {}
        for role, who in (("AUTHOR", author), ("COMMITTER", committer or author)):
            if who is not None:
                variables[f"GIT_{role}_NAME"] = who.name
                variables[f"GIT_{role}_EMAIL"] = who.email
                variables[f"GIT_{role}_DATE"] = who.date
        named = [argument for parent in parents for argument in ("-p", parent)]
        written = await self._run(
            "commit-tree", tree, *named, "-F", "-", stdin=message.encode(), variables=variables
        )
        return written.strip()

    async def commit(self, sha: str) -> Commit:
        """Read a commit."""
        form = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B"
        told = await self._run("show", "--no-patch", f"--format={form}", sha)
        full, tree, parents, name, email, date, by, by_email, by_date, message = told.split("\0", 9)
        return Commit(
            sha=full,
            tree=tree,
            parents=tuple(parents.split()),
            author=Signature(name, email, date),
            committer=Signature(by, by_email, by_date),
            message=message.rstrip("\n"),
        )

    async def entries(self, tree: str) -> list[Entry]:
        """List a tree, without going into its folders."""
        listed = await self._run("ls-tree", "-z", "--long", tree)
        found: list[Entry] = []
        for line in filter(None, listed.split("\0")):
            about, path = line.split("\t", 1)
            mode, kind, sha, size = about.split()
            found.append(Entry(path, mode, kind, sha, int(size) if size.isdecimal() else None))
        return found

    async def file(self, revision: str, path: str) -> str:
        """Read a file of a revision; raise GitFailed when it is not there."""
        return await self._run("show", f"{revision}:{path}")

    async def diff(self, base: str, head: str) -> str:
        """Return what a pull request from ``head`` into ``base`` changes."""
        return await self._run("diff", "--no-color", "--no-ext-diff", f"{base}...{head}")

    async def count(self, base: str, head: str) -> int:
        """Return how many commits ``head`` has that ``base`` has not."""
        return int(await self._run("rev-list", "--count", f"{base}..{head}"))

    async def sizes(self, base: str, head: str) -> dict[str, tuple[int, int]]:
        """Return lines added and removed by file."""
        told = await self._run("diff", "--numstat", "--no-renames", f"{base}...{head}")
        sizes: dict[str, tuple[int, int]] = {}
        for line in told.splitlines():
            added, removed, path = line.split("\t", 2)
            sizes[path] = (int(added.replace("-", "0")), int(removed.replace("-", "0")))
        return sizes

    async def _run(
        self, *argv: str, stdin: bytes = b"", variables: Mapping[str, str] | None = None
    ) -> str:
        return await _git(self.directory, *argv, stdin=stdin, variables=variables)


async def _git(
    directory: Path | None,
    *argv: str,
    stdin: bytes = b"",
    variables: Mapping[str, str] | None = None,
) -> str:
    told = await _git_bytes(directory, *argv, stdin=stdin, variables=variables)
    return told.decode(errors="replace")


async def _git_bytes(
    directory: Path | None,
    *argv: str,
    stdin: bytes = b"",
    variables: Mapping[str, str] | None = None,
) -> bytes:
    where = [] if directory is None else [f"--git-dir={directory}"]
    process = await asyncio.create_subprocess_exec(
        "git",
        *where,
        *argv,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": "/nonexistent",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            **_NOBODY,
            **(variables or {}),
        },
    )
    stdout, stderr = await process.communicate(stdin)
    if process.returncode != 0:
        raise GitFailed(f"git {argv[0]}: {stderr.decode(errors='replace').strip()}")
    return stdout
