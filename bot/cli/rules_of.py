"""What a patch may change in a checkout: the operator's rules, and the repository's own there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.configuration import PATH, Problem, RepositoryConfiguration, decode, patch_rules, read
from bot.errors import InputError
from bot.patch import checkout

if TYPE_CHECKING:
    from pathlib import Path

    from bot.settings import PatchSettings


async def rules_of(directory: Path, commit: str, settings: PatchSettings) -> PatchSettings:
    """Return what both allow, by the file that the commit holds; raise InputError for a wrong one.

    In a thread it is the default branch's file that counts.
    """
    content = await checkout.file(directory, commit, PATH)
    if content is None:
        return settings
    text = decode(content)
    told = (text,) if isinstance(text, Problem) else read(text)
    if isinstance(told, RepositoryConfiguration):
        return patch_rules(settings, told)
    problems = "; ".join(str(problem).rstrip(".") for problem in told)
    raise InputError(f"{PATH} at {commit[:12]}: {problems}")
