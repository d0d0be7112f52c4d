"""Write down what a worktree changes against its base commit, whatever was done to git there.

Standard library only: it travels to the machine. The plan is JSON on stdin::

    {"objects": the clone's object directory, "worktree": path, "base": commit,
     "ignored": file of patterns of what we put there, "out": path, "largest": bytes of a new file}

The index and git's directory are ours and new each time, with the clone's objects beside them: a
commit, a stash, hooks, filters, `info/exclude` or any setting in the worktree changes nothing.
What counts as an ignored new file is what the `.gitignore` files said at the base commit. Prints
`{"size": bytes, "left_out": [paths]}`; the names left out end the patch as lines that make it
unfit to be applied.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

JUNK = ("__pycache__/", "*.py[cod]", ".pytest_cache/", ".hypothesis/", ".mypy_cache/")
SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.excludesFile=/dev/null",
    "core.attributesFile=/dev/null",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.autocrlf=false",
    "core.safecrlf=false",
    "core.quotePath=false",
    "core.fileMode=true",
    "core.symlinks=true",
    "gc.auto=0",
    "maintenance.auto=false",
)


def main() -> int:
    """Read the plan from stdin and write the patch; return the exit status."""
    plan = json.load(sys.stdin)
    out = Path(plan["out"])
    with tempfile.TemporaryDirectory(prefix="ptq-diff-") as scratch:
        git = Git(scratch, plan)
        git.run("read-tree", plan["base"])
        rules = Path(scratch, "rules")
        rules.write_bytes(ignore_rules(git, plan))
        git.run("add", "--update", "--", ".")
        left_out = add_new_files(git, plan, rules)
        patch = Path(scratch, "patch")
        tree = git.run("write-tree", "--missing-ok").decode().strip()
        # Between trees and without a worktree, its `.gitattributes` have no say either.
        git.run(*diff(plan["base"], tree), into=patch, work_tree=False)
        with patch.open("ab") as end:
            end.writelines(b"left out: " + ascii(path).encode() + b"\n" for path in left_out)
        size = patch.stat().st_size
        put(patch, out)
    sys.stdout.write(json.dumps({"size": size, "left_out": left_out}) + "\n")
    return 0


def put(patch: Path, out: Path) -> None:
    """Put the patch in its place, whatever an agent left there."""
    with tempfile.NamedTemporaryFile(dir=str(out.parent), delete=False) as partial:
        partial.write(patch.read_bytes())
    if out.is_dir() and not out.is_symlink():
        shutil.rmtree(out)
    Path(partial.name).replace(out)


class Git:
    """A git directory of our own over somebody else's worktree."""

    def __init__(self, scratch: str, plan: dict[str, Any]) -> None:
        """Make the directory; its objects are the clone's and what is added here."""
        directory = Path(scratch, "git")
        self.worktree = plan["worktree"]
        self.environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": scratch,
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_DIR": str(directory),
        }
        self.run("init", "--quiet", "--bare", "--template=", str(directory), work_tree=False)
        # What a file is like (line ends) is what the base commit says (git 2.43 and newer).
        self.environment["GIT_ATTR_SOURCE"] = plan["base"]
        alternates = directory / "objects" / "info" / "alternates"
        alternates.parent.mkdir(exist_ok=True)
        alternates.write_bytes(os.fsencode(plan["objects"]) + b"\n")

    def run(
        self,
        *argv: str,
        stdin: bytes = b"",
        into: Path | None = None,
        work_tree: bool = True,
    ) -> bytes:
        """Run git at the top of the worktree; end the program when it fails."""
        settings = [word for setting in SETTINGS for word in ("-c", setting)]
        place = {"GIT_WORK_TREE": self.worktree} if work_tree else {}
        done = subprocess.run(
            ["/usr/bin/env", "git", *settings, *argv],
            cwd=self.worktree if work_tree else self.environment["HOME"],
            env={**self.environment, **place},
            input=stdin,
            stdout=into.open("wb") if into else subprocess.PIPE,
            stderr=subprocess.PIPE,
            check=False,
        )
        if done.returncode:
            sys.stderr.write("git {}: {}".format(argv[0], done.stderr.decode(errors="replace")))
            sys.exit(1)
        return done.stdout or b""


def diff(base: str, tree: str) -> tuple[str, ...]:
    """Return git's arguments for a patch that depends on no setting."""
    return (
        *("diff", "--binary", "--full-index", "--no-ext-diff", "--no-textconv"),
        *("--no-renames", "--no-color", "--no-relative", "--ignore-submodules=all"),
        *("--diff-algorithm=myers", "--unified=3", "--inter-hunk-context=0"),
        *("--src-prefix=a/", "--dst-prefix=b/", "--submodule=short", base, tree),
    )


def ignore_rules(git: Git, plan: dict[str, Any]) -> bytes:
    """Return one list of patterns: the base commit's, then what we put there ourselves."""
    names = git.run("ls-tree", "-rz", "--name-only", "--full-tree", plan["base"]).split(b"\0")
    files = [name for name in names if name.rpartition(b"/")[2] == b".gitignore"]
    rules = [rule.encode() for rule in JUNK]
    for name in sorted(files, key=lambda name: name.count(b"/")):
        text = git.run("cat-file", "blob", plan["base"] + ":" + os.fsdecode(name))
        rules += [lift(line, name.rpartition(b"/")[0]) for line in text.splitlines()]
    return b"\n".join(rules) + b"\n" + Path(plan["ignored"]).read_bytes()


def lift(rule: bytes, directory: bytes) -> bytes:
    """Write a pattern of a directory's `.gitignore` as one of the top's (gitignore(5))."""
    if not directory or not rule.strip() or rule.startswith(b"#"):
        return rule
    negation = b"!" if rule.startswith(b"!") else b""
    pattern = rule[len(negation) :]
    anchored = b"/" in pattern.rstrip()[:-1]
    between = b"/" if anchored else b"/**/"
    place = re.sub(rb"([\\*?\[])", rb"\\\1", directory)
    return negation + b"/" + place + between + pattern.lstrip(b"/")


def add_new_files(git: Git, plan: dict[str, Any], rules: Path) -> list[str]:
    """Put the new files into the index; return those that cannot be part of a patch."""
    listing = git.run("ls-files", "-z", "--others", "--exclude-from=" + str(rules))
    new: list[bytes] = []
    left_out: list[str] = []
    for name in filter(None, listing.split(b"\0")):
        path = os.path.join(os.fsencode(plan["worktree"]), name)  # noqa: PTH118 -- bytes
        if name.endswith(b"/") or os.lstat(path).st_size > plan["largest"]:
            left_out.append(os.fsdecode(name))
        else:
            new.append(name)
    git.run("update-index", "-z", "--add", "--stdin", stdin=b"\0".join(new) + b"\0" if new else b"")
    return left_out


if __name__ == "__main__":
    sys.exit(main())
