"""Variables of a program that nobody makes, and of which everybody knows how they begin."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

DEVICE = 'torch.device("cuda" if torch.cuda.is_available() else "cpu")'
"""What everybody means by ``device``."""


def only_filled(tree: ast.Module, names: Collection[str]) -> dict[str, str]:
    """Return which of these names are only used to put a value into them, and how they begin.

    A dictionary gets values under texts, a list gets them with ``append``. So is ``device`` known.
    """
    made = {"{}": {*_filled_by_key(tree)}, "[]": {*_filled_by_append(tree)}}
    filled = set[ast.Name]().union(*made.values())
    others = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node not in filled
    }
    found = {
        name: begins
        for begins, nodes in made.items()
        for name in {node.id for node in nodes} & set(names) - others
    }
    return found | ({"device": DEVICE} if "device" in names else {})


def _filled_by_key(tree: ast.Module) -> Iterator[ast.Name]:
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(
                value=ast.Name() as name, slice=ast.Constant(value=str()), ctx=ast.Store()
            ):
                yield name
            case _:
                pass


def _filled_by_append(tree: ast.Module) -> Iterator[ast.Name]:
    for node in ast.walk(tree):
        match node:
            case ast.Expr(
                value=ast.Call(func=ast.Attribute(value=ast.Name() as name, attr="append"))
            ):
                yield name
            case _:
                pass
