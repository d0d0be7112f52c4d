"""Single statements of Python code: whether they do something, and what they look like."""

from __future__ import annotations

import ast
import re

_DEFINITIONS = (ast.AsyncFunctionDef, ast.Import, ast.ImportFrom)
_ACTIONS = (ast.Call, ast.BinOp, ast.Subscript, ast.Await, ast.Delete, ast.AugAssign)
_COMPILING = re.compile(r"\bjit\.(?:script|interface)\b|\blibrary\.\w+|\bcustom_op\b")
"""Decorators that do the work of PyTorch when the function is defined."""
_SETTING_UP = re.compile(
    r"\b(?:init_process_group|init_rpc|set_\w+|device|allow_in_graph|disallow_in_graph)$"
)


def acts(statement: ast.stmt) -> bool:
    """Whether running it does anything."""
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return any(_COMPILING.search(ast.unparse(one)) for one in statement.decorator_list)
    if isinstance(statement, _DEFINITIONS):
        return False
    return any(isinstance(node, _ACTIONS) for node in ast.walk(statement))


def only_function(tree: ast.Module) -> str:
    """Return the name of the one function without parameters that is all there is; else nothing."""
    others = [one for one in tree.body if not isinstance(one, (ast.Import, ast.ImportFrom))]
    function = others[0] if len(others) == 1 else None
    if not isinstance(function, ast.FunctionDef):
        return ""
    given = function.args
    takes = given.posonlyargs or given.args or given.kwonlyargs or given.vararg or given.kwarg
    return "" if takes or is_test(function) else function.name


def looks_up(statement: ast.stmt) -> bool:
    """Whether it is a name with dots alone: it may not be there."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Attribute)


def test_functions(tree: ast.Module) -> list[ast.FunctionDef]:
    """Return the functions that pytest takes for tests."""
    functions = [statement for statement in tree.body if isinstance(statement, ast.FunctionDef)]
    return [function for function in functions if is_test(function)]


def takes_self(function: ast.FunctionDef) -> bool:
    """Whether a function was copied without its class."""
    return [argument.arg for argument in function.args.args] == ["self"]


def is_test(statement: ast.stmt) -> bool:
    """Whether pytest would find a test in it."""
    if isinstance(statement, ast.FunctionDef):
        return statement.name.startswith("test_")
    if not isinstance(statement, ast.ClassDef):
        return False
    return any("Test" in ast.unparse(base) for base in statement.bases)


def is_code(statement: ast.stmt) -> bool:
    """Whether prose could not be it."""
    if not isinstance(statement, ast.Expr):
        return not isinstance(statement, ast.AnnAssign) or statement.value is not None
    return any(isinstance(node, (ast.Call, ast.Await)) for node in ast.walk(statement.value))


def is_value(statement: ast.stmt) -> bool:
    """Whether it is a value that was printed: ``tensor([1])``."""
    if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)):
        return False
    return ast.unparse(statement.value.func) in {"tensor", "torch.Size", "array"}


def sets_up(statement: ast.stmt) -> bool:
    """Whether it does nothing, or only sets something up."""
    if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)):
        return not acts(statement)
    return _SETTING_UP.search(ast.unparse(statement.value.func)) is not None


def is_elided(statement: ast.stmt) -> bool:
    """Whether its writer left parts out with ``...``."""
    match statement:
        case ast.Expr(value=value) | ast.Assign(value=value):
            arguments = value.args if isinstance(value, ast.Call) else ()
            return any(_is_dots(node) for node in (value, *arguments))
        case _:
            return False


def _is_dots(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...
