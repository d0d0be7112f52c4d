"""Runs a Python script or module as ``python`` does, and marks that it ran to its end.

Standard library only: it travels to the machine and runs in the environment that is looked at::

    python run_to_end.py SCRIPT ARGUMENTS…
    python run_to_end.py -m MODULE ARGUMENTS…

A process that a library ends half-way (``sys.exit(0)``, ``os._exit(0)``) looks well from outside.
So each process adds the line ``began`` to the file named by PTQ_MARKS and, once the script's last
line was run or the script itself asked to exit, ``ended``. An exit that comes from below the
directory PTQ_LIBRARY is not the script's own.
"""

from __future__ import annotations

import io
import os
import runpy
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType


def main(words: list[str]) -> None:
    """Run what the command line names, in this process, as the main program."""
    marks, library = (os.environ.pop(name, "") for name in ("PTQ_MARKS", "PTQ_LIBRARY"))
    process = os.getpid()
    _mark(marks, "began")
    try:
        if words[0] == "-m":
            _run_module(words[1], words[2:])
        else:
            _run_script(words)
    except SystemExit as ending:
        if os.getpid() == process and not _is_from(library, ending.__traceback__):
            _mark(marks, "ended")
        raise
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 -- shown as Python shows it, without our frames
        trace = error.__traceback__
        for _ in range(2):
            trace = trace.tb_next if trace else None
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        sys.exit(1)
    if os.getpid() == process:
        _mark(marks, "ended")


def _run_script(words: list[str]) -> None:
    path = os.path.abspath(words[0])  # noqa: PTH100 -- as Python itself tells it, links kept
    sys.argv = words
    sys.path[0] = os.path.dirname(os.path.realpath(path))  # noqa: PTH120 -- as Python itself does
    module = types.ModuleType("__main__")
    module.__dict__.update(__file__=path, __builtins__=__builtins__)
    sys.modules["__main__"] = module
    with io.open_code(path) as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    exec(code, module.__dict__)  # noqa: S102 -- it is what `python SCRIPT` does


def _run_module(name: str, arguments: list[str]) -> None:
    sys.argv = [name, *arguments]
    sys.path[0] = str(Path.cwd())
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def _is_from(library: str, trace: TracebackType | None) -> bool:
    """Whether the innermost frame is one of the library's."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or not library:
        return False
    return trace.tb_frame.f_code.co_filename.startswith(library)


def _mark(path: str, word: str) -> None:
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(word + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
