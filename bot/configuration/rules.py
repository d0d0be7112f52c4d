"""What the keys of a file must not say together, and what its labels must stand for."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bot.commands import Investigate, Mistake
from bot.commands.code import code
from bot.commands.grammar import parse_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.commands import Command
    from bot.configuration.document import Place
    from bot.configuration.model import RepositoryConfiguration


def label_command(text: str) -> Command | Mistake:
    """Read a label's command: its first line, and the lines under it as guidance."""
    line, _, below = text.strip().partition("\n")
    return parse_line(line, below=below)


def contradictions(configuration: RepositoryConfiguration) -> Iterator[tuple[Place, str]]:
    """Yield where something is wrong that no key shows alone, and what."""
    yield from _labels(configuration)
    yield from _outcomes(configuration)
    yield from _defaults(configuration)


def _labels(configuration: RepositoryConfiguration) -> Iterator[tuple[Place, str]]:
    count = Counter(name.casefold() for name in configuration.labels)
    for name, text in configuration.labels.items():
        place = ("labels", name)
        read = label_command(text)
        if count[name.casefold()] > 1:
            yield place, f"{code(name)} stands here twice: GitHub's labels count in any case."
        elif isinstance(read, Mistake):
            yield place, read.text.partition("\n")[0]
        elif not isinstance(read, Investigate):
            yield place, "a label can stand for `investigate` and its options only."


def _outcomes(configuration: RepositoryConfiguration) -> Iterator[tuple[Place, str]]:
    for key in type(configuration.outcomes).model_fields:
        name = getattr(configuration.outcomes, key)
        if name is not None and configuration.command_of(name) is not None:
            yield ("outcomes", key), f"the label {code(name)} stands for a command in `labels`."


def _defaults(configuration: RepositoryConfiguration) -> Iterator[tuple[Place, str]]:
    defaults, limits = configuration.defaults, configuration.limits
    said = defaults.model_fields_set
    for name, value, limit in (
        ("hours", defaults.hours, limits.hours),
        ("gpus", defaults.gpus, limits.gpus),
        ("max_usd", defaults.max_usd, limits.usd),
    ):
        if name in said and value is not None and limit is not None and value > limit:
            yield ("defaults", name), f"{value:g} is more than the {limit:g} of `limits`."
    types = configuration.gpu_types
    if "gpu_type" in said and types is not None and defaults.gpu_type not in types:
        yield ("defaults", "gpu_type"), f"{code(defaults.gpu_type)} is not among `gpu_types`."
    if "include_comments" in said and "comments" in configuration.model_fields_set:
        yield ("defaults", "include_comments"), "this is said by `comments` already."
