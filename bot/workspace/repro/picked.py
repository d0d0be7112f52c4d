"""The command line that runs picked tests of PyTorch, whether their file is known or not."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MADE_FOR = re.compile(r"(?:CPU|CUDA|XPU|MPS|HPU|META)$")
"""How the name of a class ends that was made for a device."""
_OF_DEVICE = re.compile(r"_(?:cpu|cuda|xpu|mps|hpu|meta)(?:_\w+)?$")
"""How the name of a test ends that was made for a device, and a type."""


def in_files(files: Sequence[str], words: str) -> str:
    """Return the line that runs the tests of these files for which pytest's expression holds."""
    return shlex.join(["python", "-m", "pytest", *files, "-k", words])


def of(files: Sequence[str], tests: Iterable[tuple[str, str]], words: str) -> str:
    """Return the line for these files, or for wherever the tests (class or nothing, name) are."""
    return in_files(files, words) if files else anywhere(tests, words)


def anywhere(tests: Iterable[tuple[str, str]], words: str) -> str:
    """Return a line that looks for the file of each test, by its class or its name, and runs it.

    All of ``test/`` at once cannot be collected: several files there have the same name. Where no
    file has them it ends with pytest's own status for no tests, 5.
    """
    sought = [_class(group) if group else _function(test) for group, test in tests]
    pattern = "|".join(dict.fromkeys(name for names in sought for name in names))
    find = f'grep -rlE "^ *(class|def) ({pattern})\\b" test --include="*.py"'
    return shlex.join(
        ["bash", "-c", f'files=$({find}) || exit 5; python -m pytest $files -k "{words}"']
    )


def _class(name: str) -> list[str]:
    return list(dict.fromkeys([name, _MADE_FOR.sub("", name)]))


def _function(name: str) -> list[str]:
    return list(dict.fromkeys([name, _OF_DEVICE.sub("", name)]))
