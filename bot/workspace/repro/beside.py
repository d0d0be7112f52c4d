"""The files that a program needs beside it, of those that the text gives: it writes them first."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from bot.workspace.repro.data_files import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence, Set as AbstractSet

    from bot.workspace.repro import python
    from bot.workspace.repro.pieces import Piece

_SOURCE = re.compile(r"""['"](?:\./)?(\w+\.(?:cpp|cc|cu|cxx|json|ya?ml|toml))['"]""")
_EXTENSION = re.compile(r"""Extension\(\s*(?:name\s*=\s*)?['"](\w+)['"]""")
_IS_FILE = re.compile(r"\s*#[^\n]*\b(?:file|module|one)\b", re.IGNORECASE)
"""A remark at the beginning: ``# the second file``."""
_BUILD = """\
subprocess.run(
    [sys.executable, "setup.py", "build_ext", "--inplace"],
    cwd=pathlib.Path(__file__).parent,
    check=True,
)"""


def imported(
    found: Sequence[Piece], program: python.Program, used: Sequence[int]
) -> dict[str, int]:
    """Return the named pieces that a program and its files import, by the names of the files."""
    by_module = {
        piece.name.rpartition("/")[2].removesuffix(".py"): place
        for place, piece in enumerate(found)
        if piece.name and place not in used
    }
    files: dict[str, int] = {}
    taken_from = program.taken_from
    waiting = sorted(program.modules)
    while waiting:
        module = waiting.pop()
        place = by_module.pop(module, None)
        if place is None and module not in sys.stdlib_module_names:
            place = _by_what_it_defines(found, taken_from.get(module), {*used, *files.values()})
        if place is not None:
            files[f"{module}.py"] = place
            waiting.extend(sorted(found[place].program.modules))
    return files


def _by_what_it_defines(
    found: Sequence[Piece], taken: frozenset[str] | None, used: AbstractSet[int]
) -> int | None:
    """Return the one piece that only defines things, all that are taken, and is called a file.

    Without that remark it may quote the source of a package that is to be installed.
    """
    fitting = [
        place
        for place, piece in enumerate(found)
        if taken
        and place not in used
        and taken <= piece.program.defines
        and _IS_FILE.match(piece.program.text)
    ]
    return fitting[0] if len(fitting) == 1 and not found[fitting[0]].program.acts else None


def named(program: python.Program, sources: Mapping[str, str]) -> dict[str, str]:
    """Return the sources that a program names: ``load("x", sources=["x.cpp"])``."""
    names = sorted({found[1] for found in _SOURCE.finditer(program.text)})
    named = {name: sources[name] for name in names if name in sources}
    in_cpp = [content for name, content in sources.items() if not name.endswith(SUFFIXES)]
    if not named and len(names) == 1 and len(in_cpp) == 1 and not names[0].endswith(SUFFIXES):
        return dict.fromkeys(names, in_cpp[0])
    return named


def built(
    found: Sequence[Piece], modules: AbstractSet[str], sources: Mapping[str, str]
) -> tuple[dict[str, str], int | None]:
    """Return a ``setup.py`` that builds one of the modules with its sources, and its place.

    Nothing, where not all of its sources are given.
    """
    for place, piece in enumerate(found):
        text = piece.program.text
        if not modules & set(_EXTENSION.findall(text)) or "setup(" not in text:
            continue
        names = {match[1] for match in _SOURCE.finditer(text)}
        if names and names <= sources.keys():
            return {"setup.py": text, **{name: sources[name] for name in names}}, place
    return {}, None


def with_files(text: str, files: dict[str, str], *, builds: bool) -> str:
    """Let the program write the files that it needs, and build what is to be built, before all."""
    if not files:
        return text
    modules = ["pathlib", "subprocess", "sys"] if builds else ["pathlib"]
    head = [*(f"import {module}" for module in modules), ""]
    for name, content in sorted(files.items()):
        raw = f"r'''\n{content}\n'''"
        quoted = raw if "'''" not in content and not content.endswith("\\") else repr(content)
        head.append(f"pathlib.Path(__file__).with_name({name!r}).write_text({quoted})")
    if builds:
        head.append(_BUILD)
    return "\n".join([*head, "", text])
