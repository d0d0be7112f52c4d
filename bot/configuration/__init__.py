"""What a repository's own file says: ``.github/ptq.yml`` on its default branch."""

from __future__ import annotations

from bot.configuration.configurations import PATH, Configurations, InForce
from bot.configuration.model import Limits, Outcomes, Paths, RepositoryConfiguration
from bot.configuration.patch_rules import patch_rules
from bot.configuration.problem import Problem
from bot.configuration.reading import decode, read, schema
from bot.configuration.rules import label_command

__all__ = [
    "PATH",
    "Configurations",
    "InForce",
    "Limits",
    "Outcomes",
    "Paths",
    "Problem",
    "RepositoryConfiguration",
    "decode",
    "label_command",
    "patch_rules",
    "read",
    "schema",
]
