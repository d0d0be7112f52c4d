"""Python code that was pasted among sentences, without a fence."""

from __future__ import annotations

import ast
import re
import textwrap

from bot.workspace.repro import python, salvage

_BEGIN = re.compile(r"^\s*`?(?:import [A-Za-z_][\w.]*|from [A-Za-z_][\w.]* import )")
_CALL = re.compile(r"^\s*(?:torch\.\w[\w.]*\(|[A-Za-z_]\w* ?= ?(?:torch|nn|F)\.\w[\w.]*\()[^\n]*$")
_OPENS = re.compile(
    r"^\s*`?(?:with torch\.\w[\w.]*\(.*:|@torch\.\w.*|class \w+\((?:torch\.)?nn\.Module\):)\s*$"
)
"""A line that begins a block of code and uses PyTorch."""
_ASSIGNS = re.compile(r"^\s*[A-Za-z_][\w, ]*= ?\S[^\n]{0,300}$")
_FEW_LINES = 3
"""So many lines begin a program that imports nothing; fewer are an example in a sentence."""
_KEYWORD = re.compile(
    r"^(?:import \w|from \S+ import|def \w|class \w|async |for .* in |while |if |elif |else:|try:"
    r"|except\b|finally:|with |return\b|assert |raise |del |global |pass$|[#@)\]}]|\"\"\"|''')"
)
_STEP = re.compile(r"^[ ]{0,3}\d{1,2}[.)] +(\S.*)$")
"""A step of a list with numbers, as the form for a report asks for."""
_BRACKET = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}


def find(text: str, *, is_announced: bool = False) -> list[python.Program]:
    """Return the runs of lines that are Python code and begin with an import, or use PyTorch.

    Under a heading that announces a repro one line of code is enough.
    """
    lines = _without_numbers(text.split("\n"))
    found: list[python.Program] = []
    number = found_until = 0
    while number < len(lines):
        imports = _BEGIN.match(lines[number]) is not None
        is_quoted = number and salvage.FRAME.match(lines[number - 1])  # by a traceback
        if is_quoted or not (imports or _is_call(lines[number]) or _OPENS.match(lines[number])):
            number += 1
            continue
        number = max(found_until, _beginning(lines, number))
        end = _end(lines, number)
        count = sum(map(bool, map(str.strip, lines[number:end])))
        if not imports and not is_announced and count < _FEW_LINES:
            number = found_until = end
            continue
        code = textwrap.dedent("\n".join(lines[number:end])).strip().strip("`")
        program = salvage.salvage(code)
        if program is not None:
            found.append(program)
        number = found_until = end
    return found


def _without_numbers(lines: list[str]) -> list[str]:
    """Leave the numbers out of steps that are a line of code each."""
    steps = [_STEP.match(line) for line in lines]
    codes = [
        step[1].removeprefix(">>>").strip().strip("`") if step is not None else "" for step in steps
    ]
    return [
        code if code and python.parse(code) is not None and _is_code(code) else line
        for line, code in zip(lines, codes, strict=True)
    ]


def _beginning(lines: list[str], start: int) -> int:
    """Return the number of the first of the assignments that stand right before a line."""
    while (
        start
        and _ASSIGNS.match(lines[start - 1])
        and python.parse(lines[start - 1].strip()) is not None
    ):
        start -= 1
    return start


def _end(lines: list[str], start: int) -> int:
    """Return the number of the first line that is a sentence again, or indented less."""
    indentation = lines[start][: len(lines[start]) - len(lines[start].lstrip())]
    depth = 0
    end = start
    for number in range(start, len(lines)):
        line = lines[number].rstrip("`")
        if depth <= 0 and line.strip() and number > start:
            code = line.removeprefix(indentation)
            if not line.startswith(indentation) or not _is_code(code):
                break
        if not line.lstrip().startswith("#"):
            depth += sum(_BRACKET.get(character, 0) for character in line)
        end = number + 1
    return end


def _is_call(line: str) -> bool:
    return _CALL.match(line) is not None and python.parse(line.strip()) is not None


def _calls(value: ast.expr) -> bool:
    """Whether it is a call, a part of what one returns, or several of these."""
    if isinstance(value, ast.Tuple):
        return any(map(_calls, value.elts))
    while isinstance(value, (ast.Attribute, ast.Subscript)):
        value = value.value
    return isinstance(value, ast.Call)


def _is_code(line: str) -> bool:
    if line[0].isspace() or _KEYWORD.match(line):
        return True
    tree = python.parse(line)
    if tree is None:
        return bool(re.match(r"^[\w.]+(?:\[[^\]]*\])?\s*=(?!=)|^[\w.]+\(", line))
    return any(
        not isinstance(statement, ast.Expr) or _calls(statement.value) for statement in tree.body
    )
