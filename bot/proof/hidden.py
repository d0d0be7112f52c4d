"""Whether a patch hides a failure instead of mending it. Pure.

Looked for where the failure came through: a new handler that swallows the exception, a function
that returns before the failing line; and everywhere: an end of the process, a look at the repro.
A reason is found for lies of the simple kind; the tests near the patch are what finds others.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.models import FailureKind
from bot.proof.script import called, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bot.models import Signature
    from bot.proof.tracebacks import Frame

_BROAD = ("Exception", "BaseException", "")
_ENDS = {
    "sys": frozenset({"exit"}),
    "os": frozenset({"_exit", "abort", "kill", "killpg", "execv", "execve"}),
}
_ENDS_ALONE = frozenset({"exit", "quit", "SystemExit", "_exit"})
_REPROS = ("repro.py", "repro_agent", "repro.sh")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Change:
    """One file of Python, before and after; None where it is not there."""

    path: str
    before: str | None
    after: str | None


def reason(
    changes: Sequence[Change], *, signature: Signature | None, frames: Sequence[Frame]
) -> str:
    """Return how the patch hides the failure, as a clause of ours; empty when it does not.

    ``frames`` are those through which the failure came at the base commit, with paths as the
    patch has them.
    """
    for change in changes:
        if change.after is None:
            continue
        if _is_before_all(change.path):
            return "it puts itself before Python's own modules"
        before, after = parse(change.before or ""), parse(change.after)
        if before is None or after is None:
            continue
        found = _ends_process(before, after) or _names_repro(before, after)
        if not found and signature is not None:
            found = _in_functions(change.path, before, after, signature, frames)
        if found:
            return found
    return ""


def _is_before_all(path: str) -> bool:
    """Whether Python would import it instead of a module of its own, or at every start."""
    first, _, rest = path.partition("/")
    if rest not in {"", "__init__.py"} or path == "test/__init__.py":
        return False
    name = first.removesuffix(".py")
    return name in sys.stdlib_module_names or name in {"sitecustomize", "usercustomize"}


def _ends_process(before: ast.Module, after: ast.Module) -> str:
    new = Counter(_endings(after)) - Counter(_endings(before))
    return "it makes the library end the process" if new else ""


def _endings(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)):
                if name in _ENDS.get(owner, ()):
                    yield f"{owner}.{name}"
            case ast.Call(func=ast.Name(id=name)) | ast.Raise(exc=ast.Name(id=name)):
                if name in _ENDS_ALONE:
                    yield name
            case ast.Assign(targets=[ast.Attribute(attr="excepthook")]):
                yield "excepthook"
            case _:
                pass


def _names_repro(before: ast.Module, after: ast.Module) -> str:
    new = Counter(_repros(after)) - Counter(_repros(before))
    return "it makes the library look for the repro" if new else ""


def _repros(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (name for name in _REPROS if name in node.value)


def _in_functions(
    path: str,
    before: ast.Module,
    after: ast.Module,
    signature: Signature,
    frames: Sequence[Frame],
) -> str:
    old, new = dict(_functions(before)), dict(_functions(after))
    passed = {name for frame in frames if frame.path == path for name in _around(old, frame)}
    for name, function in new.items():
        is_new = name not in old
        if not (is_new or name in passed):
            continue
        was = old.get(name)
        if signature.kind is FailureKind.EXCEPTION and _swallows(
            function, was, signature, broad_only=is_new
        ):
            return f"it catches the exception in `{function.name}` and goes on"
        if name in passed and was is not None and _returns_early(function, was):
            return f"it makes `{function.name}` return before the line that fails"
    return ""


def _functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function]]:
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield f"{prefix}{node.name}", node
                yield from _functions(node, f"{prefix}{node.name}.")
            case ast.ClassDef():
                yield from _functions(node, f"{prefix}{node.name}.")
            case _:
                yield from _functions(node, prefix)


def _around(functions: Mapping[str, Function], frame: Frame) -> Iterator[str]:
    for name, function in functions.items():
        if function.lineno <= frame.line <= (function.end_lineno or function.lineno):
            yield name


def _swallows(
    function: Function, was: Function | None, signature: Signature, *, broad_only: bool
) -> bool:
    names = _caught_by(signature, broad_only=broad_only)
    new = Counter(_swallowed(function, names))
    old = Counter(_swallowed(was, names)) if was is not None else Counter[str]()
    return bool(new - old)


def _caught_by(signature: Signature, *, broad_only: bool) -> frozenset[str]:
    """Return the names of the classes whose handlers catch the failure."""
    known = getattr(builtins, signature.exception, None) if signature.exception else None
    parents: tuple[type, ...] = ()
    if isinstance(known, type) and issubclass(known, BaseException) and not broad_only:
        parents = known.__mro__[:-1]
    names = {parent.__name__ for parent in parents}
    return frozenset({*_BROAD, signature.exception or "RuntimeError", *names})


def _swallowed(function: Function, names: frozenset[str]) -> Iterator[str]:
    for node in ast.walk(function):
        match node:
            case ast.ExceptHandler(type=kind):
                caught = set(_classes(kind)) if kind is not None else {""}
                if caught & names and not any(isinstance(one, ast.Raise) for one in ast.walk(node)):
                    yield "handler"
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    made = item.context_expr
                    if isinstance(made, ast.Call) and called(made) == "suppress":
                        caught = {name for one in made.args for name in _classes(one)}
                        if caught & names:
                            yield "suppress"
            case _:
                pass


def _classes(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name
        case ast.Tuple(elts=elements):
            for element in elements:
                yield from _classes(element)
        case _:
            yield ""


def _returns_early(function: Function, was: Function) -> bool:
    """Whether a function's own statements now end with others behind them."""
    return _unreachable(function) and not _unreachable(was)


def _unreachable(function: Function) -> bool:
    return any(isinstance(statement, ast.Return) for statement in function.body[:-1])
