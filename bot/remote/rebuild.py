"""Build what a worktree changes in compiled code, and let the worktree import what was built.

Standard library only: it travels to the machine. Its argument is JSON::

    {"worktree": path, "base": commit, "python": path, "module": name, "ignored": file of patterns
     of what we put into the worktree, "build": directory of this build, "cache": ccache's
     directory, "uv": program or ""}

The build has a checkout of its own, so the worktree gets links and nothing else, and a second
build does again only what changed. Compilers run through ccache where that is installed, with
paths that are the same for every job, so that one job's work serves the next.
"""

from __future__ import annotations

import filecmp
import glob
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

COMPILERS = ("cc", "c++", "gcc", "g++", "clang", "clang++")
KEPT = ("version.py",)
"""Generated files that go on saying which wheel this is."""
BYTES_PER_COMPILER = 3 << 30
"""Memory that one compiler of PyTorch's larger files takes, and some to spare."""
CACHE_SIZE = "30G"


def main(argument: str) -> int:
    """Bring the checkout up to date, build, link; return the exit status of what failed."""
    plan = json.loads(argument)
    build = Build(plan)
    build.check_out()
    build.synchronize()
    if not (build.source / "setup.py").exists():
        sys.stdout.write("nothing is built: the source has no setup.py\n")
        return 0
    python = build.prepare()
    environment = build.variables()
    status = run([python, "setup.py", "build"], cwd=build.source, environment=environment)
    if status:
        return status
    linked = build.link()
    sys.stdout.write(f"built; {linked} files of it are linked into the worktree\n")
    return 0


def run(argv: list[str], *, cwd: Path, environment: dict[str, str] | None = None) -> int:
    """Run a step with its output as ours."""
    sys.stdout.flush()
    return subprocess.run(argv, cwd=cwd, env=environment, check=False).returncode


def must(argv: list[str], *, cwd: Path) -> bytes:
    """Run a step and return what it printed; end this program when it fails."""
    done = subprocess.run(argv, cwd=cwd, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        sys.exit("{} {} ended with exit status {}".format(*argv[:2], done.returncode))
    return done.stdout


class Build:
    """One build of one worktree."""

    def __init__(self, plan: dict[str, Any]) -> None:
        """Know where everything is."""
        self.plan = plan
        self.worktree = Path(plan["worktree"])
        self.top = Path(plan["build"])
        self.source = self.top / "source"
        self.module: str = plan["module"]

    def check_out(self) -> None:
        """Check the base commit out, with its submodules where it has some; once."""
        if (self.top / "checked-out").exists():
            return
        shutil.rmtree(self.top, ignore_errors=True)
        self.top.mkdir(parents=True)
        add = ["worktree", "add", "--force", "--detach", str(self.source), self.plan["base"]]
        must(git(*add), cwd=self.worktree)
        if (self.source / ".gitmodules").exists():
            fetch = ("update", "--init", "--recursive", "--depth=1", "--jobs=8")
            must(git("submodule", *fetch), cwd=self.source)
        (self.top / "checked-out").touch()

    def synchronize(self) -> None:
        """Give the checkout the worktree's files: only those that differ are written."""
        state = self.top / "changed.json"
        before = set(json.loads(state.read_text())) if state.exists() else set[str]()
        changed = self.changed()
        for name in sorted(before | changed):
            theirs, ours = self.worktree / name, self.source / name
            if name not in changed:
                show = git("show", "{}:{}".format(self.plan["base"], name))
                was = subprocess.run(show, cwd=self.source, stdout=subprocess.PIPE, check=False)
                remove(ours)
                if was.returncode == 0:
                    ours.write_bytes(was.stdout)
            elif theirs.is_symlink() or not theirs.is_file():
                remove(ours)
            elif not ours.is_file() or not filecmp.cmp(theirs, ours, shallow=False):
                ours.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(theirs, ours)
        state.write_text(json.dumps(sorted(changed)))

    def changed(self) -> set[str]:
        """Return the worktree's files that differ from the base commit, new ones too."""
        tracked = must(git("diff", "--name-only", "-z", self.plan["base"]), cwd=self.worktree)
        others = ("ls-files", "-z", "--others", "--exclude-standard")
        new = must(git(*others, "--exclude-from=" + self.plan["ignored"]), cwd=self.worktree)
        return {os.fsdecode(name) for name in (tracked + new).split(b"\0") if name}

    def prepare(self) -> str:
        """Return the Python that builds: with what the source asks for, where it says that."""
        wanted = self.source / "requirements-build.txt"
        uv = self.plan["uv"]
        if not wanted.exists() or not uv:
            return str(self.plan["python"])
        environment = self.top / "venv"
        python = str(environment / "bin" / "python")
        if not (self.top / "prepared").exists():
            must(
                [uv, "venv", "--clear", "--python", self.plan["python"], str(environment)],
                cwd=self.top,
            )
            must([uv, "pip", "install", "--python", python, "-r", str(wanted)], cwd=self.source)
            (self.top / "prepared").touch()
        return python

    def variables(self) -> dict[str, str]:
        """Return the environment of the build."""
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        jobs = max(1, min(os.cpu_count() or 1, memory // BYTES_PER_COMPILER))
        own = {"MAX_JOBS": str(jobs), "BUILD_TEST": "0", **os.environ}
        own["PATH"] = str(self.top / "venv" / "bin") + os.pathsep + own.get("PATH", os.defpath)
        ccache = shutil.which("ccache")
        if ccache is None:
            return own
        masks = self.top / "compilers"
        masks.mkdir(exist_ok=True)
        for name in COMPILERS:
            if shutil.which(name) and not (masks / name).exists():
                (masks / name).symlink_to(ccache)
        own.update(
            PATH=str(masks) + os.pathsep + own["PATH"],
            CMAKE_CUDA_COMPILER_LAUNCHER=ccache,
            CCACHE_DIR=self.plan["cache"],
            CCACHE_BASEDIR=str(self.source),
            CCACHE_NOHASHDIR="1",
            CCACHE_MAXSIZE=CACHE_SIZE,
        )
        return own

    def link(self) -> int:
        """Link what was built, and is no source, into the worktree's package."""
        found = glob.glob(glob.escape(str(self.source)) + "/build/lib*/" + self.module)  # noqa: PTH207 -- the pattern is absolute
        if not found:
            sys.exit(f"setup.py built no {self.module}")
        built = Path(max(found, key=os.path.getmtime))
        listing = must(git("ls-files", "-z", "--", self.module + "/"), cwd=self.worktree)
        sources = {os.fsdecode(name) for name in listing.split(b"\0") if name}
        count = 0
        for directory, _, files in os.walk(built):
            for name in files:
                path = Path(directory, name)
                place = Path(self.module) / path.relative_to(built)
                if str(place) in sources or name in KEPT or name.endswith(".pyc"):
                    continue
                self.put(place, path)
                count += 1
        return count

    def put(self, place: Path, target: Path) -> None:
        """Make one link, in a directory of its own where that was a link to the wheel's."""
        for parent in reversed(place.parents[:-1]):
            self.own(self.worktree / parent)
        path = self.worktree / place
        if path.exists() and not path.is_symlink():
            return  # somebody's own file
        remove(path)
        path.symlink_to(target)

    def own(self, directory: Path) -> None:
        """Turn a link to a directory into a directory of links to what is in it."""
        if not directory.is_symlink():
            directory.mkdir(exist_ok=True)
            return
        target = directory.resolve()
        directory.unlink()
        directory.mkdir()
        for entry in target.iterdir():
            (directory / entry.name).symlink_to(entry)


def git(*argv: str) -> list[str]:
    """Return git's argv: no hook of the checkout runs."""
    return ["git", "-c", "core.hooksPath=/dev/null", *argv]


def remove(path: Path) -> None:
    """Remove a file or a link; fine when it is gone."""
    path.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
