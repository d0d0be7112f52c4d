"""What must be set before anything starts, and the secret that many starts share."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from bot.errors import ConfigurationError
from bot.gateway import kept_secret
from bot.store import make_state_directory

if TYPE_CHECKING:
    from bot.settings import Settings


def check(settings: Settings) -> str:
    """Return the webhook secret; raise ConfigurationError for what must be set and is not."""
    github = settings.github
    if github.webhook_secret is None or not github.webhook_secret.get_secret_value():
        raise ConfigurationError(
            "PTQ_GITHUB__WEBHOOK_SECRET is missing: without it anybody could give commands. "
            "Set the secret of the App's webhook."
        )
    if github.app_id is None:
        raise ConfigurationError("PTQ_GITHUB__APP_ID is missing: the App's settings page shows it")
    if not github.key.strip():
        raise ConfigurationError("PTQ_GITHUB__PRIVATE_KEY is empty")
    if not github.repositories:
        raise ConfigurationError(
            "PTQ_GITHUB__REPOSITORIES is empty: list what is served, as owner/name or owner, "
            "separated by commas"
        )
    return github.webhook_secret.get_secret_value()


def check_worker(settings: Settings) -> str:
    """Do the same as ``check`` for a process that shares the work with others."""
    if settings.is_sqlite:
        raise ConfigurationError(
            "PTQ_DATABASE_URL: a worker shares its database with `ptq serve` and other workers, "
            "which takes Postgres (postgresql://…); on SQLite `ptq serve` is the whole service"
        )
    if settings.provider == "local":
        raise ConfigurationError(
            "PTQ_PROVIDER: 'local' lends the host that `ptq serve` runs on, so no other process "
            "could go on with its jobs: a worker needs a provider whose machines all can reach"
        )
    return check(settings)


def own_secret(settings: Settings) -> bytes:
    """Return the gateway's secret where no webhook has one: made once, and kept for a restart."""
    webhook_secret = settings.github.webhook_secret
    if webhook_secret is not None and webhook_secret.get_secret_value():
        return gateway_secret(webhook_secret.get_secret_value())
    make_state_directory(settings.state)
    return kept_secret(settings.state / "gateway.secret")


def gateway_secret(webhook_secret: str) -> bytes:
    """Derive the gateway's secret: the same after a restart, and on every host."""
    return hmac.new(webhook_secret.encode(), b"ptq model gateway", hashlib.sha256).digest()
