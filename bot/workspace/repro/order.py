"""Names that a program takes before it has given them: it was copied from the middle of another."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_LENIENT = (ast.For, ast.AsyncFor, ast.While, ast.Try, ast.TryStar)
"""What comes later inside of these may all the same come first when they run."""


def taken_too_early(tree: ast.Module) -> set[str]:
    """Return the names that lines outside of functions use above the line that assigns them."""
    given: set[str] = set()
    early: set[str] = set()
    for statement in _in_order(tree.body):
        if isinstance(statement, _LENIENT):
            given |= _stored(statement)
            continue
        early |= {name for name in _taken(statement) if name not in given}
        given |= _given(statement)
    return early


def _in_order(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Walk the statements as they stand, without those of functions and classes."""
    waiting = list(reversed(body))
    while waiting:
        statement = waiting.pop()
        yield statement
        if isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
            continue
        nested = [
            child
            for field in ("body", "handlers", "orelse", "finalbody")
            for child in getattr(statement, field, ())
        ]
        for child in reversed(nested):
            waiting += reversed(child.body) if isinstance(child, ast.ExceptHandler) else [child]


def _taken(statement: ast.stmt) -> set[str]:
    """Return the names that one statement reads when it is reached, without its body."""
    names: set[str] = set()
    waiting: list[ast.AST] = _heads(statement)
    while waiting:
        node = waiting.pop()
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                names.add(name)
            case ast.Lambda(args=arguments):
                waiting += _defaults(arguments)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                waiting.append(node.generators[0].iter)
            case _:
                waiting += ast.iter_child_nodes(node)
    if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
        names.add(statement.target.id)
    return names


def _heads(statement: ast.stmt) -> list[ast.AST]:
    """Return the expressions of a statement that come before its body."""
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return [*statement.decorator_list, *_defaults(statement.args)]
        case ast.ClassDef():
            return [*statement.decorator_list, *statement.bases]
        case ast.If(test=test):
            return [test]
        case ast.With(items=items) | ast.AsyncWith(items=items):
            return list(items)
        case ast.Match(subject=subject):
            return [subject]
        case _:
            return [statement]


def _defaults(arguments: ast.arguments) -> list[ast.AST]:
    return [default for default in (*arguments.defaults, *arguments.kw_defaults) if default]


def _given(statement: ast.stmt) -> set[str]:
    """Return the names that one statement assigns, without those of its body."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Match():
            return _stored(statement)
        case _:
            return {name for head in _heads(statement) for name in _stored(head)}


def _stored(node: ast.AST) -> set[str]:
    names: set[str] = set()
    for inner in ast.walk(node):
        match inner:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                names.add(name)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.alias(name=name, asname=alias):
                names.add(alias or name.partition(".")[0])
            case ast.ExceptHandler(name=str() as name):
                names.add(name)
            case ast.MatchAs(name=str() as name) | ast.MatchStar(name=str() as name):
                names.add(name)
            case _:
                pass
    return names
