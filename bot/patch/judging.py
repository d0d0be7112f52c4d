"""Whether a patch may be published, by the operator's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import PatchRefused
from bot.models import DiffStat
from bot.patch.paths import matches, shown

if TYPE_CHECKING:
    from bot.patch.reading import Patch
    from bot.settings import PatchSettings


def judge(patch: Patch, settings: PatchSettings) -> DiffStat:
    """Return the patch's size; raise PatchRefused, naming file and reason, when it may not be."""
    if not patch.files:
        raise PatchRefused("the patch is empty")
    if patch.size > settings.max_bytes:
        raise PatchRefused(f"the patch has {patch.size:,} bytes, more than {settings.max_bytes:,}")
    if len(patch.files) > settings.max_files:
        raise PatchRefused(
            f"the patch touches {len(patch.files)} files, more than {settings.max_files}"
        )
    for file in patch.files:
        _check_allowed(file.path, settings)
    return DiffStat(
        files=tuple(file.path for file in patch.files),
        added=sum(file.added for file in patch.files),
        removed=sum(file.removed for file in patch.files),
    )


def _check_allowed(path: str, settings: PatchSettings) -> None:
    for pattern in settings.deny:
        if matches(path, pattern, ignore_case=True):
            raise PatchRefused(f"{shown(path)}: changes of {pattern} are not allowed here")
    if not any(matches(path, pattern) for pattern in settings.allow):
        raise PatchRefused(f"{shown(path)}: not one of the files that may change here")
