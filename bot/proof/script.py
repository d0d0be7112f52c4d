"""What a repro says of itself: whether it fails by its own judgement, and where. Pure."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass

MAX_SOURCE = 2_000_000
"""Characters of a file that are parsed."""

_CHECKS = re.compile(r"assert\w*|gradcheck|gradgradcheck|opcheck|fail")
_EXITS = frozenset({"exit", "quit", "_exit"})
_NO_JUDGEMENT = frozenset({"NotImplementedError", "StopIteration", "StopAsyncIteration"})
"""Raised by programs that mean something else by it."""


@dataclass(frozen=True, slots=True)
class Script:
    """A Python program as far as it was understood."""

    checks: frozenset[int] = frozenset()
    """Lines of the statements by which it fails on purpose: assertions and their like."""
    exits: bool = False
    """Whether it ends itself by an exit status."""
    last: tuple[int, int] = (0, 0)
    """First and last line of its last statement."""

    @property
    def has_oracle(self) -> bool:
        """Whether it tells by itself whether the bug is there."""
        return bool(self.checks) or self.exits

    @classmethod
    def read(cls, text: str) -> Script:
        """Parse a program; what is no Python says nothing of itself."""
        tree = parse(text)
        if tree is None or not tree.body:
            return cls()
        checks: set[int] = set()
        exits = False
        for node in ast.walk(tree):
            if not isinstance(node, ast.Assert | ast.Raise | ast.Call):
                continue
            if _is_check(node):
                checks.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
            exits = exits or _is_exit(node)
        last = tree.body[-1]
        return cls(
            checks=frozenset(checks),
            exits=exits,
            last=(last.lineno, last.end_lineno or last.lineno),
        )


def parse(text: str) -> ast.Module | None:
    """Parse hostile Python; None where that is not possible."""
    if len(text) > MAX_SOURCE:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a stranger's escapes deserve
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _is_check(node: ast.Assert | ast.Raise | ast.Call) -> bool:
    match node:
        case ast.Assert():
            return True
        case ast.Raise(exc=ast.Call() as made):
            return called(made) not in _NO_JUDGEMENT
        case ast.Raise(exc=ast.Name(id=name)):
            return name not in _NO_JUDGEMENT
        case ast.Raise():
            return False
        case ast.Call():
            return _CHECKS.fullmatch(called(node)) is not None


def _is_exit(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and called(node) in _EXITS and bool(node.args)


def called(node: ast.Call) -> str:
    """Return the last name of what is called: ``exit`` of ``sys.exit(1)``."""
    match node.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""
