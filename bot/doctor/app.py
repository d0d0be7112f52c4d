"""The GitHub App: its key, what it may do, where it is installed, and GitHub's clock."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.doctor.finding import Finding, fine, note, wrong
from bot.errors import ConfigurationError, GitHubError, GitHubNotFound, GitHubRejected
from bot.github import GitHub
from bot.github.clock import ahead_of_github
from bot.models import RepositoryName

if TYPE_CHECKING:
    import aiohttp

    from bot.github import AppIdentity
    from bot.settings import GitHubSettings, Settings

PART = "GitHub App"
SECRET = "webhook secret"  # noqa: S105 -- its name
CLOCK = "clock"

NEEDED = {"contents": "write", "issues": "write", "metadata": "read", "pull_requests": "write"}
"""Permissions of the App (docs.github.com, "Permissions required for GitHub Apps")."""
EVENTS = ("issue_comment", "issues")
_LEVELS = ("read", "write", "admin")
_SHORTEST_SECRET = 16
_TOLERATED = timedelta(seconds=30)
"""GitHub refuses a token that was made in its future; ours are backdated by a minute."""


async def look(settings: Settings, session: aiohttp.ClientSession) -> list[Finding]:
    """Look at everything about GitHub; a part that rests on a broken one is left out."""
    clock = await _clock(settings, session)
    if not _has_any(settings.github):
        says = "none is set up: `ptq serve` needs one, and `ptq auto` and `ptq run` need none"
        return [clock, note(PART, says)]
    findings = [clock, _secret(settings)]
    github = GitHub(settings.github, session)
    try:
        identity = await github.app()
    except ConfigurationError as error:
        return [*findings, wrong(PART, str(error))]
    except GitHubRejected as error:
        return [
            *findings,
            wrong(
                PART,
                f"GitHub does not take the App's key: {error}",
                mend="PTQ_GITHUB__APP_ID and the private key must be those of one App; and the "
                "clock must be right",
            ),
        ]
    except GitHubError as error:
        mend = "see PTQ_GITHUB__API_URL, and the network"
        return [*findings, wrong(PART, f"GitHub does not answer: {error}", mend=mend)]
    findings.append(
        fine(PART, f"{identity.name} (number {identity.id}) at {settings.github.api_url}")
    )
    findings += _rights(identity)
    for name in settings.github.repositories:
        findings.append(await _installed(github, name, slug=identity.slug))
    if not settings.github.repositories:
        mend = "set PTQ_GITHUB__REPOSITORIES"
        findings.append(wrong("repositories", "none is served", mend=mend))
    return findings


def _has_any(github: GitHubSettings) -> bool:
    """Whether somebody began to set up an App: then it is wrong to lack a part of it."""
    parts = (github.app_id, github.private_key, github.private_key_file, github.webhook_secret)
    return any(part is not None for part in parts)


async def _clock(settings: Settings, session: aiohttp.ClientSession) -> Finding:
    ahead = await ahead_of_github(settings.github, session)
    if ahead is None:
        return note(CLOCK, "GitHub does not answer, so it was not compared")
    seconds = abs(ahead.total_seconds())
    if abs(ahead) <= _TOLERATED:
        return fine(CLOCK, f"as GitHub's, within {max(seconds, 1):.0f} s")
    which = "ahead of" if ahead > timedelta(0) else "behind"
    says = f"{seconds:.0f} s {which} GitHub's: it will refuse the App's tokens"
    return wrong(CLOCK, says, mend="set it, or have it set by NTP (`timedatectl set-ntp true`)")


def _secret(settings: Settings) -> Finding:
    secret = settings.github.webhook_secret
    if secret is None or not secret.get_secret_value():
        return wrong(
            SECRET,
            "it is missing, and without it anybody could give commands",
            mend="set PTQ_GITHUB__WEBHOOK_SECRET to that of the App's webhook",
        )
    if len(secret.get_secret_value()) < _SHORTEST_SECRET:
        mend = f"take a random one of {_SHORTEST_SECRET} characters or more"
        return wrong(SECRET, "it is so short that it can be guessed", mend=mend)
    return fine(SECRET, "it is set; a delivery shows whether it is GitHub's too")


def _rights(identity: AppIdentity) -> list[Finding]:
    lacking = [
        f"{name} ({level})"
        for name, level in NEEDED.items()
        if not _covers(identity.permissions.get(name), level)
    ]
    missed = [event for event in EVENTS if event not in identity.events]
    mend = "change it on the App's settings page; each installation has to accept that"
    return [
        wrong("permissions", f"the App lacks {', '.join(lacking)}", mend=mend)
        if lacking
        else fine("permissions", ", ".join(f"{name} ({level})" for name, level in NEEDED.items())),
        wrong("events", f"the App does not hear of {', '.join(missed)}", mend=mend)
        if missed
        else fine("events", ", ".join(EVENTS)),
    ]


def _covers(had: str | None, level: str) -> bool:
    return had in _LEVELS and _LEVELS.index(had) >= _LEVELS.index(level)


async def _installed(github: GitHub, name: str, *, slug: str) -> Finding:
    part = f"installation on {name}"
    try:
        if "/" in name:
            await github.installation_id(RepositoryName.parse(name))
            is_there = True
        else:
            owners = {one.owner.lower() for one in await github.installations()}
            is_there = name.lower() in owners
    except GitHubNotFound:
        is_there = False
    except GitHubError as error:
        return wrong(part, f"GitHub does not say: {error}")
    if not is_there:
        mend = f"install it from its page (/apps/{slug}), or leave {name} out of the settings"
        return wrong(part, "the App is not installed there", mend=mend)
    return fine(part, "there")
