"""Shell lines of an issue: scripts that run something, sessions, files that a session shows."""

from __future__ import annotations

import re
import shlex
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.workspace.repro import launch, versions

if TYPE_CHECKING:
    from collections.abc import Collection

# fmt: off
_COMMANDS = frozenset({
    "python", "pip", "pip3", "conda", "mamba", "git", "cd", "ls", "export", "echo", "torchrun",
    "pytest", "bash", "sh", "cmake", "make", "ninja", "gcc", "g++", "clang", "clang++", "nvcc",
    "docker", "wget", "curl", "unzip", "tar", "mkdir", "cat", "source", "sudo", "apt",
    "apt-get", "uv", "rm", "cp", "mv", "set", "unset", "nsys", "ncu", "compute-sanitizer",
    "gdb", "valgrind", "accelerate", "deepspeed", "mpirun", "srun", "numactl", "nvidia-smi",
    "rocm-smi", "env", "time", "timeout", "touch", "chmod", "which", "ldd", "tail", "head",
    "grep", "sed", "for", "do", "done", "mypy", "lintrunner", "flake8", "pyright", "ruff",
    "vllm", "lm_eval", "tune", ".", "activate", "xcopy", "copy", "call", "bazel",
})
# fmt: on
_DOING = frozenset(
    {
        "mpirun",
        "accelerate",
        "deepspeed",
        "compute-sanitizer",
        "gdb",
        "valgrind",
        "ncu",
        "nsys",
    }
)
_PUBLIC = frozenset({"vllm", "lm_eval", "tune"})
"""Programs of public packages that need no file of anybody's."""
_LOOKERS = frozenset({"nm", "ldd", "objdump", "readelf", "cuobjdump"})
"""They look at what is installed."""
_CHECKERS = frozenset({"mypy", "lintrunner", "flake8", "pyright", "ruff"})
"""They look at PyTorch's own source."""
_INSTALLERS = frozenset({"pip", "venv", "virtualenv", "ensurepip", "build"})
_PYTHON = re.compile(r"^python[\d.]*$")
_VARIABLE = re.compile(r"^[A-Za-z_]\w*=")
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1")
_WRITES = re.compile(r">\s*(?P<file>[\w./-]+\.(?:py|sh|cpp))")
_SHOWS = re.compile(r"^(?:cat|type|more|less|bat)\s+(?P<file>[\w./~-]+\.(?:py|cpp|sh))\s*$")
_SOURCE = re.compile(r"^(?:\./)?(?:pytorch/)?(?:test|benchmarks|tools|torch|examples|scripts)/")
_INSTALLS = re.compile(
    r"(?:\b|-m)(?:pip3?|conda|mamba|uv pip) (?:-\S+ )*install\b|\b(?:conda|mamba) create\b"
)
_OF_TORCH = re.compile(r"torch|requirements|\.whl|(?:^| )\.(?:\[| |$)| -f ", re.IGNORECASE)
_BUILD_TOOLS = re.compile(r"(?:^|&& |; )(?:sudo +)?(?:cmake +\S|make\b|ninja\b|bazel +build\b)")
_BUILDS = re.compile(
    r"(?:\benv +)?(?:\b[A-Z][A-Z0-9_]*=(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s`'\"]+) +){0,40}"
    r"(?:(?:[\w.~-]{0,40}/){0,20}\bpython[\d.]* setup\.py"
    r" (?:develop|install|build\w*|bdist_wheel|rebuild\w*)"
    r"|\bpip3? install (?:--?[\w-]+ ){0,4}\.(?=[\s`]|$)"
    r"|(?:\./)?scripts/build_\w+\.sh)"
    r"(?: +--?\w[\w=-]*){0,9}"
)
"""How PyTorch is built from its source."""
_STEP = re.compile(r"^ {0,3}(?:\d{1,2}[.)] *(?=[A-Za-z./])|[-*] +)(\S.*)$")
"""An entry of a list."""
_WRAPPED = re.compile(r"(?<=[^\n]{60})\n(?=([^\n-]{0,12}) --\w[^\n]*$)", re.MULTILINE)
"""Where a terminal broke a long command, maybe inside a word: options follow."""
_MAX_OWN = 50
"""Packages of one block of which the commands are known."""
_INSTALLED = re.compile(r"\bpip3? install ((?:[\w=.\[\],-]+ ?){1,20})")
_CLONED = re.compile(r"\bgit clone (?:-\S+ )*\S*?/([\w.-]+?)(?:\.git)?(?:\s|$)")
_BOILERPLATE = re.compile(r"collect_env|For security purposes|setup\.py")
_REMARK = re.compile(r"\s+\([^()]{3,}\)$")
_STARTS_PYTHON = re.compile(r"(?:[A-Za-z_]\w*=\S* +){0,20}python")
_OWN_PROGRAM = re.compile(r"\S+\.py -")
_ENVIRONMENT = re.compile(r"\bpython[\d.]* \S*\bcollect_env(?:\.py)?\b.*")


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file whose content a session prints, or a script writes."""

    name: str
    text: str


def shown_files(text: str) -> list[ShownFile]:
    """Find the files in a session: ``$ cat repro.py`` and what follows; here-documents."""
    lines = text.split("\n")
    found: list[ShownFile] = []
    number = 0
    while number < len(lines):
        line = lines[number]
        command = launch.lines(line)[0]
        shown, heredoc = _SHOWS.match(command), _HEREDOC.search(command)
        number += 1
        if heredoc is not None:
            start = number
            number = _until(lines, number, heredoc[2])
            target = _WRITES.search(command)
            is_python = _STARTS_PYTHON.match(command) is not None
            if target is not None or is_python:
                name = target["file"] if target is not None else ""
                found.append(ShownFile(name=name, text="\n".join(lines[start:number])))
        elif shown is not None and launch.has_prompt(line):
            start = number
            while number < len(lines) and not launch.has_prompt(lines[number]):
                number += 1
            found.append(ShownFile(name=shown["file"], text="\n".join(lines[start:number])))
    return found


def build(text: str, *, alone: bool = False) -> str | None:
    """Return the command that builds PyTorch's source, with those around it if there is no more.

    ``alone``: only where there is nothing else than commands.
    """
    script = None if "collect_env" in text else _commands(text)
    if script and _BUILDS.search("\n".join(script)):
        return "\n".join(script)
    if alone:
        return None
    steps = [found[1] for line in text.split("\n") if (found := _STEP.match(line))]
    steps = [_REMARK.sub("", step) for step in steps if is_command(step)]
    if _BUILDS.search("\n".join(steps)):
        return "\n".join(steps)
    lines = [line.strip("`") for line in launch.lines(text)]
    for number, line in enumerate(lines):
        found = _BUILDS.search(line[: launch.MAX_LINE])
        if found is not None:
            before = number
            while before and (lines[before - 1].startswith("#") or is_command(lines[before - 1])):
                before -= 1
            return "\n".join([*lines[before:number], found[0]])
    return None


def environment_script(text: str) -> str | None:
    """Return the line that starts the script which collects the environment."""
    lines = [found[0] for line in launch.lines(text) if (found := _ENVIRONMENT.match(line))]
    return lines[0] if lines else None


def script(
    text: str,
    *,
    files: Collection[str],
    fails: bool = False,
    installs: bool = False,
    introduced: bool = False,
) -> str | None:
    """Return a block's commands as a script, if all it needs is there and it runs something.

    ``files`` are the names of the scripts that the issue gives. Where it ``fails`` by the words
    after it, to ask for a version is enough; where the issue is about how PyTorch ``installs``,
    to install it is. Of what is ``introduced`` as the repro, output may follow.
    """
    lines = _commands(text) or (_commands(leading_commands(text)) if introduced else None)
    joined = "\n".join(lines or ())
    if lines is None or _BOILERPLATE.search(joined) or not _is_closed(joined):
        return None
    known = {*files, *(found["file"] for found in _WRITES.finditer(joined))}
    own = _own_commands(joined)
    is_cloned = "git clone" in joined
    is_installed = "pip install" in joined
    does = installs and any(
        (_INSTALLS.search(line) and _OF_TORCH.search(line)) or _BUILD_TOOLS.search(line)
        for line in lines
    )
    for line in lines:
        words = line.split()
        first = next((word for word in words if not _VARIABLE.match(word)), "")
        does = does or first in _LOOKERS | _PUBLIC
        does = does or (first in _CHECKERS and "--version" not in words)
        does = does or (is_cloned and (first in _DOING or first.startswith(("./", *own))))
        for command in launch.of_line(line):
            if command.script and not is_cloned and not _is_known(command.script, known):
                return None
            if not (command.script or is_cloned or is_installed or _is_own(command.module)):
                return None
            is_asking = not fails and command.code != "" and versions.are_asked(command.code)
            does = does or not (is_asking or command.module in _INSTALLERS)
    return joined if does else None


def leading_commands(text: str) -> str:
    """Return the lines before what is no command any more: what the last one printed."""
    lines = text.strip("\n").split("\n")
    own = _own_commands(text)
    end = 0
    while end < len(lines) and (
        lines[end].lstrip().startswith("#")
        or is_command(launch.lines(lines[end])[0])
        or lines[end].lstrip().startswith(own)
        or (end and lines[end - 1].endswith("\\"))
    ):
        end += 1
    return "\n".join(lines[:end])


def _is_closed(text: str) -> bool:
    """Whether every quotation is closed."""
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return "<<" in text  # the text of a here-document is no shell
    return True


def _unwrapped(end: re.Match[str]) -> str:
    return "" if end[1].isalpha() else " "


def is_command(line: str) -> bool:
    """Whether a line begins with the name of a command that reports have in them."""
    words = line.split()
    first = next((word for word in words if not _VARIABLE.match(word)), None)
    if first is None:
        return bool(words)
    name = first.rpartition("/")[2]
    return name in _COMMANDS or bool(_PYTHON.match(name)) or first.startswith("./")


def of_same_program(line: str, script: str) -> bool:
    """Whether a line goes on with a program that a script installs or starts, and it is new."""
    first = line.split(maxsplit=1)[0] if line.split() else ""
    is_named = first in _CHECKERS or first in _own_commands(script)
    return is_named and first in script and line not in script


def as_command(line: str) -> str:
    """Return a line that begins with a program of PyTorch's own source as it can be started."""
    is_program = _SOURCE.match(line) and _OWN_PROGRAM.match(line)
    return f"python {line}" if is_program else line


def starts_source(line: str) -> bool:
    """Whether a line starts a program of PyTorch's own source: a benchmark, a tool."""
    return any(_SOURCE.match(command.script) for command in launch.of_line(line))


def _is_known(name: str, known: Collection[str]) -> bool:
    return name in known or name.rpartition("/")[2] in known or _SOURCE.match(name) is not None


def _is_own(module: str) -> bool:
    """Whether a module that ``-m`` starts is PyTorch's or Python's; none is."""
    top = module.partition(".")[0]
    return (
        not top
        or top in {"torch", "torchgen", "pytest", *_CHECKERS}
        or top in sys.stdlib_module_names
    )


def _commands(text: str) -> list[str] | None:
    """Return the command lines of a block, or None where it is something else."""
    joined = _WRAPPED.sub(_unwrapped, re.sub(r"\\\n\s*(?:> )?", " ", text))
    raw = joined.split("\n")
    if all(line.lstrip().startswith("!") for line in raw if line.strip()):
        raw = [line.lstrip().removeprefix("!").strip() for line in raw]  # of a notebook
    is_session = any(launch.has_prompt(line) for line in raw)
    kept: list[str] = []
    own = _own_commands(joined)
    number = 0
    while number < len(raw):
        line = raw[number]
        number += 1
        command = launch.lines(line)[0]
        if not command or (is_session and not launch.has_prompt(line)):
            continue
        if not (is_session or is_command(command) or command.startswith(("#", *own))):
            return None
        kept.append(command)
        heredoc = _HEREDOC.search(command)
        if heredoc is not None:
            end = min(_until(raw, number, heredoc[2]) + 1, len(raw))
            kept.extend(raw[number:end])
            number = end
    return kept


def _own_commands(text: str) -> tuple[str, ...]:
    """Return the names of what a block installs: their commands begin so (``nequip-train``)."""
    installed = [word for found in _INSTALLED.findall(text) for word in found.split()]
    named = [re.split(r"[=\[]", word)[0] for word in (*installed, *_CLONED.findall(text))]
    return tuple(dict.fromkeys(name for name in named if name[:1].isalpha()))[:_MAX_OWN]


def _until(lines: list[str], number: int, word: str) -> int:
    """Return the number of the line that ends a here-document."""
    while number < len(lines) and lines[number].strip() != word:
        number += 1
    return number
