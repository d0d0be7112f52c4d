"""What a program takes from each module that it imports."""

from __future__ import annotations

import ast


def taken_from(tree: ast.Module) -> dict[str, frozenset[str]]:
    """Return the names that are taken of each module: ``from a import b``, ``import a; a.b``."""
    taken: dict[str, set[str]] = {}
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            taken.setdefault(node.module, set()).update(alias.name for alias in node.names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = modules.get(node.value.id)
            if module is not None:
                taken.setdefault(module, set()).add(node.attr)
    return {module: frozenset(names) for module, names in taken.items()}
