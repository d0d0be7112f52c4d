"""The options of a job on a command line: those of the catalogue, checked by the same grammar."""

from __future__ import annotations

import functools
import inspect
import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.commands import OPTIONS, Investigate, Mistake, OptionChanges
from bot.commands.grammar import parse_line
from bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bot.commands import OptionEntry

Said = dict[str, str | None]
"""What was written after each option of the catalogue; None after one that takes no value."""

JOB_PANEL = "Options of the job"
_SAID = "said"
JOB_OPTIONS = tuple(entry for entry in OPTIONS if entry.kind == "job")


def with_job_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command every option of a job; it gets what was written as its argument ``said``."""

    @functools.wraps(command)
    def run(**values: Any) -> None:  # noqa: ANN401 -- what the command's other parameters take
        said: Said = {}
        for entry in JOB_OPTIONS:
            value = values.pop(_parameter(entry))
            if value is not None and value is not False:
                said[entry.name] = None if value is True else value
        command(**values, said=said)

    own = inspect.signature(command, eval_str=True).parameters.values()
    parameters = [parameter for parameter in own if parameter.name != _SAID]
    parameters += [_declared(entry) for entry in JOB_OPTIONS]
    run.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportAttributeAccessIssue] -- what inspect and Typer look at
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def changes_of(said: Mapping[str, str | None], words: Sequence[str] = ()) -> OptionChanges:
    """Return the checked options; raise InputError in the words that a comment would get.

    ``words`` are ``@agent-NAME``, which ask for specialists.
    """
    wrong = [word for word in words if not word.lower().startswith("@agent-")]
    if wrong:
        raise InputError(f"`{wrong[0]}` is no option: a task goes behind --message, in quotes.")
    written = [part for name, value in said.items() for part in (name, value) if part is not None]
    read = parse_line(shlex.join(["investigate", *words, *written]))
    match read:
        case Investigate():
            return read.changes
        case Mistake():
            raise InputError(read.text.partition("\n")[0])
        case _:
            raise InputError("that is not understood: see --help")


def _declared(entry: OptionEntry) -> inspect.Parameter:
    names = [entry.name] if entry.short is None else [entry.name, entry.short]
    default = f" (default: {entry.default})" if entry.default else ""
    does = f"{entry.does[0].upper()}{entry.does[1:]}{default}.".replace("`", "")
    # Without a value it is a flag; both are None when nothing was written.
    kind = bool if entry.value is None else str
    option = typer.Option(
        *names,
        help=does,
        metavar=entry.value,
        show_default=False,
        rich_help_panel=JOB_PANEL,
    )
    return inspect.Parameter(
        _parameter(entry),
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[kind | None, option],
    )


def _parameter(entry: OptionEntry) -> str:
    return entry.name.lstrip("-").replace("-", "_")
