"""Builds one C++ file against the package's own headers and libraries.

Standard library only: it travels to the machine and runs in the environment that is looked at.
Arguments: the source, the program to make, and the package's directory. The compiler is the one
that ``CXX`` names, else the first of ``c++``, ``g++`` and ``clang++``; its exit status and what it
says are this program's own, and 127 says that there is none.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

COMPILERS = ("c++", "g++", "clang++")
NO_COMPILER = 127
STANDARD = "-std=c++17"
"""What PyTorch's headers ask for at least (``ATen/ATen.h``)."""
HEADERS = ("include", "include/torch/csrc/api/include")
CUDA_HEADERS = "/usr/local/cuda/include"


def main(arguments: list[str]) -> int:
    """Build; return the exit status unless the compiler takes this process over."""
    source, program, package = arguments
    compiler = find()
    if compiler is None:
        sys.stderr.write("there is no C++ compiler\n")
        return NO_COMPILER
    Path(program).parent.mkdir(parents=True, exist_ok=True)
    argv = [*compiler, STANDARD, source, "-o", program, *flags(Path(package))]
    sys.stderr.flush()
    os.execvp(argv[0], argv)  # noqa: S606 -- the bot's own words, and no shell
    return 1


def find() -> list[str] | None:
    """Return the words that start the compiler."""
    named = shlex.split(os.environ.get("CXX", ""))
    names = [named[0]] if named else list(COMPILERS)
    found = next((name for name in names if shutil.which(name)), None)
    return None if found is None else (named or [found])


def flags(package: Path) -> list[str]:
    """Return where headers and libraries are; nothing for a package that brings none."""
    includes = [package / name for name in HEADERS]
    found = ["-I" + str(path) for path in includes if path.is_dir()]
    if found and Path(CUDA_HEADERS).is_dir():
        found.append("-I" + CUDA_HEADERS)
    libraries = package / "lib"
    names = ("torch", "torch_cpu", "torch_cuda", "c10", "c10_cuda")
    there = ["-l" + name for name in names if (libraries / ("lib" + name + ".so")).exists()]
    if there:
        place = str(libraries)
        # A library that registers its operators is needed although nothing names it.
        found += ["-L" + place, "-Wl,-rpath," + place, "-Wl,--no-as-needed", *there]
    return [*found, "-pthread", "-ldl"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
