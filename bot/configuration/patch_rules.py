"""What a patch may hold, by the operator and by the repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.configuration.model import RepositoryConfiguration
    from bot.settings import PatchSettings


def patch_rules(settings: PatchSettings, configuration: RepositoryConfiguration) -> PatchSettings:
    """Return what both allow: the repository may choose other files, and forbid more."""
    paths = configuration.paths
    allow = settings.allow if paths.allow is None else paths.allow
    return settings.model_copy(update={"allow": allow, "deny": (*settings.deny, *paths.deny)})
