"""Python code of an issue: whether it is a program, and what it lacks to be a whole one."""

from __future__ import annotations

import ast
import builtins
import symtable
import sys
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.workspace.repro import statements
from bot.workspace.repro.filled import only_filled
from bot.workspace.repro.imports import IMPORTS, only_handed_on
from bot.workspace.repro.order import taken_too_early
from bot.workspace.repro.saved import saved_and_loaded
from bot.workspace.repro.taken import taken_from

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_CODE = 200_000
"""Characters of one program."""

_TORCH_NAMES = frozenset({"torch", "nn", "F", "optim", "dist", "DDP", "FSDP", "make_fx", "tl"})
_KNOWN = frozenset(dir(builtins)) | {
    "__file__",
    "__annotations__",
    "__spec__",
    "exit",
    "quit",
    "WindowsError",
    "reveal_type",
}
_BROKEN = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)


@dataclass(frozen=True, slots=True)
class Program:
    """Python code that parses."""

    text: str
    defines: frozenset[str]
    lacks: frozenset[str]
    """Names it uses and nobody gives it."""
    collects: Mapping[str, str]
    """What it fills and nobody makes, with its beginning: ``results["cpu"] = …`` has ``{}``."""
    unclear: frozenset[str]
    """Those of them that could be imports by their name, but are used as variables are."""
    modules: frozenset[str]
    """The top-level names of the modules it imports."""
    acts: bool
    """Whether running it does anything."""
    has_tests: bool
    """Whether pytest would find a test in it."""
    is_code: bool
    """Whether it has a statement that prose could not be."""
    is_elided: bool
    """Whether its writer left parts out with ``...``."""
    shows_values: bool
    """Whether values that were printed stand between its lines: ``tensor([1])``."""
    sets_up: bool
    """Whether all that it does is to set something up, such as the group of processes."""
    uncalled: str
    """The one function without parameters that it only defines; empty where there is more."""
    methods: tuple[str, ...]
    """Tests that take ``self``: they were copied without their class."""
    is_mended: bool = False
    """Whether lines of it were changed so that it can be read."""
    taken_from: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """The names that it takes of each module."""
    saved: frozenset[str] = frozenset()
    """The files it leaves."""
    loaded: frozenset[str] = frozenset()
    """The files it takes and does not make."""

    @property
    def is_about_torch(self) -> bool:
        """Whether it uses a library that PyTorch could break."""
        foreign = self.modules - sys.stdlib_module_names - {"numpy"}
        return bool(foreign) or bool(self.lacks & _TORCH_NAMES)

    @property
    def asks_for(self) -> frozenset[str]:
        """The modules that it imports, and those of the imports that it leaves out."""
        added = [IMPORTS[name].split() for name in self.lacks & IMPORTS.keys()]
        names = (words[1].partition(".")[0] for words in added if words[0] in {"import", "from"})
        return self.modules | frozenset(names)

    @property
    def is_whole(self) -> bool:
        """Whether it does something, and lacks nothing but imports that everybody means."""
        is_part = self.is_elided or (self.sets_up and bool(self.lacks))
        does = (self.acts or self.has_tests or bool(self.uncalled)) and not is_part
        can_be_given = self.lacks <= IMPORTS.keys() and not self.unclear
        return does and self.is_about_torch and can_be_given


def read(text: str) -> Program | None:
    """Return the program, or None where the text is no Python."""
    tree = parse(text)
    if tree is None or not tree.body:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = symtable.symtable(text, "repro.py", "exec")
            compile(text, "repro.py", "exec", dont_inherit=True)
        lacks = set[str]() if _has_star(tree) else _lacking(table, tree)
        collects = only_filled(tree, lacks)
        lacks -= collects.keys()
        does = any(statements.acts(statement) for statement in tree.body)
        does = does or (
            not lacks and any(statements.looks_up(statement) for statement in tree.body)
        )
        saved, loaded = saved_and_loaded(tree)
        return Program(
            text=text,
            defines=frozenset(_defined(table)),
            lacks=frozenset(lacks),
            collects=collects,
            unclear=only_handed_on(tree, lacks),
            modules=frozenset(_modules(tree)),
            acts=does,
            has_tests=any(statements.is_test(statement) for statement in tree.body),
            is_code=any(statements.is_code(statement) for statement in tree.body),
            is_elided=any(statements.is_elided(statement) for statement in tree.body),
            shows_values=any(statements.is_value(statement) for statement in tree.body),
            sets_up=does and all(statements.sets_up(statement) for statement in tree.body),
            uncalled="" if does else statements.only_function(tree),
            methods=tuple(
                found.name
                for found in statements.test_functions(tree)
                if statements.takes_self(found)
            ),
            taken_from=taken_from(tree),
            saved=saved,
            loaded=loaded,
        )
    except _BROKEN:
        return None


def parse(text: str) -> ast.Module | None:
    """Parse without a word: strange escapes in strangers' code are no warnings of ours."""
    tree = parse_or_break(text)
    return tree if isinstance(tree, ast.Module) else None


def parse_or_break(text: str) -> ast.Module | int:
    """Return the tree, or the line where it breaks."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text[: MAX_CODE + 1])
    except SyntaxError as error:
        return error.lineno or 1
    except (ValueError, RecursionError, MemoryError, OverflowError):
        return 1


def with_prelude(program: Program) -> str:
    """Return the program's text with the imports it lacks in front, and a class for methods."""
    added = [IMPORTS[name] for name in IMPORTS if name in program.lacks]
    if "device" in program.collects and "torch" not in program.lacks:
        added.append("import torch")
    added += [f"{name} = {value}" for name, value in sorted(program.collects.items())]
    text = "\n".join([*added, "", program.text]) if added else program.text
    if program.uncalled:
        return f"{text.rstrip()}\n\n\n{program.uncalled}()\n"
    if not program.methods:
        return text
    members = [f"    {name} = {name}" for name in program.methods]
    head = ["from torch.testing._internal.common_utils import TestCase", "", ""]
    tail = ["", "", f"del {', '.join(program.methods)}"]
    return "\n".join([text.rstrip(), "", "", *head, "class TestRepro(TestCase):", *members, *tail])


def _defined(table: symtable.SymbolTable) -> set[str]:
    names = {
        symbol.get_name()
        for symbol in table.get_symbols()
        if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()
    }
    return names | _declared_global(table)


def _declared_global(table: symtable.SymbolTable) -> set[str]:
    return {
        symbol.get_name()
        for scope in _scopes(table)
        for symbol in scope.get_symbols()
        if symbol.is_declared_global() and symbol.is_assigned()
    }


def _lacking(table: symtable.SymbolTable, tree: ast.Module) -> set[str]:
    used = {
        symbol.get_name()
        for scope in _scopes(table)
        for symbol in scope.get_symbols()
        if symbol.is_referenced() and (symbol.is_global() or scope is table)
    }
    early = taken_too_early(tree) - _declared_global(table)
    return (used - _defined(table) | early) - _KNOWN


def _scopes(table: symtable.SymbolTable) -> list[symtable.SymbolTable]:
    found: list[symtable.SymbolTable] = []
    waiting = [table]
    while waiting:
        scope = waiting.pop()
        found.append(scope)
        waiting.extend(scope.get_children())
    return found


def _has_star(tree: ast.Module) -> bool:
    return any(
        alias.name == "*"
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    )


def _modules(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found
