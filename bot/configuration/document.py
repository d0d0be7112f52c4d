"""YAML as plain values, each with its line; no tag makes anything but text, numbers and booleans.

Anchors and aliases, which let a small file grow without end, are refused before anything is built,
and so is deep nesting, on which the parser's time grows with the square of the depth.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from bot.commands.code import code
from bot.configuration.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from yaml.error import Mark

Place = tuple[str | int, ...]
"""The keys and indexes that lead to a value."""

DEEPEST = 6
"""Levels of nesting that are read; the format itself has three."""

_PLAIN = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null"))
_NULL = "tag:yaml.org,2002:null"
_SURROGATES = re.compile("[\ud800-\udfff]")
_LARGEST = 2**53
"""Beyond it JSON and YAML do not mean the same number everywhere."""
_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says."""

    values: Mapping[str, Any]
    """Text, numbers, booleans, None, and lists and mappings of these; keys are text."""
    lines: Mapping[Place, int]
    """Where each value stands, counted from 1."""

    def line(self, place: Place) -> int | None:
        """Return the line of a value, or of the nearest one around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place)


def load(text: str) -> Document | tuple[Problem, ...]:
    """Return what the text says, or what is wrong with it as YAML."""
    try:
        if (problem := _hostile(text)) is not None:
            return (problem,)
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None or node.tag == _NULL:
            return Document(values={}, lines={})
        if not isinstance(node, yaml.MappingNode):
            return (Problem(line=_line(node.start_mark), text="it holds no keys with values."),)
        walk = _Walk(loader)
        values = walk.mapping(node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        told = code(error.problem or "it cannot be read", limit=_SHOWN)
        return (Problem(line=mark and _line(mark), text=f"this is not YAML: {told}."),)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return (Problem(line=line, text="there is a character that YAML does not allow."),)
    return tuple(walk.problems) or Document(values=values, lines=walk.lines)


def _hostile(text: str) -> Problem | None:
    depth = 0
    for event in _events(text):
        is_alias = isinstance(event, yaml.AliasEvent)
        if is_alias or (isinstance(event, yaml.NodeEvent) and event.anchor is not None):
            return Problem(
                line=_line(event.start_mark), text="anchors (`&`) and aliases (`*`) are not taken."
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            return Problem(line=_line(event.start_mark), text="this is nested too deeply.")
    return None


def _events(text: str) -> Iterator[yaml.Event]:
    """Parse lazily: what follows a refused event is never looked at."""
    loader: Any = yaml.SafeLoader(text)
    while loader.check_event():
        yield loader.get_event()


class _Walk:
    """Goes through the nodes once; notes lines and problems as it goes."""

    def __init__(self, loader: yaml.SafeLoader) -> None:
        self._loader: Any = loader
        self.lines: dict[Place, int] = {}
        self.problems: list[Problem] = []

    def mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._wrong(key_node, "a key is a word, not a list or a mapping.")
                continue
            # As it was written: `404` and `on` are names of labels too.
            key = key_node.value
            if _SURROGATES.search(key):
                self._wrong(key_node, "a key holds half a character.")
                continue
            if key in values:
                self._wrong(key_node, f"{code(key)} stands here twice.")
                continue
            inside = (*place, key)
            self.lines[inside] = _line(key_node.start_mark)
            values[key] = self._value(value_node, inside)
        return values

    def _value(self, node: yaml.Node, place: Place) -> Any:  # noqa: ANN401 -- YAML holds anything
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return self._sequence(node, place)
        return self._scalar(node)

    def _sequence(self, node: yaml.SequenceNode, place: Place) -> list[Any]:
        values: list[Any] = []
        for index, item in enumerate(node.value):
            inside = (*place, index)
            self.lines[inside] = _line(item.start_mark)
            values.append(self._value(item, inside))
        return values

    def _scalar(self, node: yaml.Node) -> Any:  # noqa: ANN401 -- one of the plain kinds
        if node.tag not in _PLAIN:
            # A date, say, which YAML reads where people mean text.
            self._wrong(node, f"{code(str(node.value))} is no text to YAML: put it in quotes.")
            return None
        try:
            value: object = self._loader.construct_object(node)
        except (ValueError, KeyError, OverflowError):
            value = math.nan
        if _is_odd(value):
            self._wrong(node, f"{code(str(node.value))} cannot be read as what it should be.")
            return None
        return value

    def _wrong(self, node: yaml.Node, text: str) -> None:
        self.problems.append(Problem(line=_line(node.start_mark), text=text))


def _is_odd(value: object) -> bool:
    """Whether a value has no equal in JSON."""
    if isinstance(value, str):
        return _SURROGATES.search(value) is not None
    # Not a number, in whatever way: no comparison with it holds.
    return isinstance(value, float | int) and not abs(value) <= _LARGEST


def _line(mark: Mark) -> int:
    return int(mark.line) + 1
