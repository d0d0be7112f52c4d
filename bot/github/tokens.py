"""The App's own token (a JWT) and the tokens of its installations."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt
import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from pydantic import AwareDatetime

from bot.errors import ConfigurationError
from bot.github.answers import Answer, read
from bot.github.calls import Call, Calls

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.models import RepositoryName
    from bot.settings import GitHubSettings

GITHUB_TOKEN_MINTED = "github_token_minted"  # noqa: S105 -- an event, no token

RENEW_BEFORE = timedelta(minutes=5)
"""A token this close to its end is not used any more."""

_BACKDATED = timedelta(seconds=60)
"""GitHub's advice against clocks that differ."""
_LIFETIME = timedelta(minutes=9)
"""GitHub refuses a JWT that ends more than ten minutes from now."""

_log = structlog.stdlib.get_logger(__name__)


class AppToken:
    """The App itself, by a JWT signed with its private key."""

    account = "app"

    def __init__(self, settings: GitHubSettings, *, clock: Callable[[], datetime]) -> None:
        """Read nothing yet: the key's file is read when first needed, off the event loop."""
        self._settings = settings
        self._now = clock
        self._key: str | None = None
        self._signed: tuple[str, datetime] | None = None

    @property
    def app_id(self) -> int:
        """The App's number; raise ConfigurationError when it is not set."""
        if self._settings.app_id is None:
            message = "PTQ_GITHUB__APP_ID is missing: the App's settings page shows it"
            raise ConfigurationError(message)
        return self._settings.app_id

    async def token(self) -> str:
        """Return a JWT; raise ConfigurationError when the key is missing or is no key."""
        now = self._now()
        if self._signed is not None and now < self._signed[1] - RENEW_BEFORE:
            return self._signed[0]
        if self._key is None:
            self._key = await asyncio.to_thread(lambda: self._settings.key)
        claims = {
            "iat": int((now - _BACKDATED).timestamp()),
            "exp": int((now + _LIFETIME).timestamp()),
            "iss": str(self.app_id),
        }
        try:
            signed = jwt.encode(claims, self._key, algorithm="RS256")
        except (ValueError, TypeError, UnsupportedAlgorithm, jwt.InvalidKeyError) as error:
            message = "PTQ_GITHUB__PRIVATE_KEY is not an RSA private key in PEM form"
            raise ConfigurationError(message) from error
        self._signed = signed, now + _LIFETIME
        return signed

    def forget(self, token: str) -> bool:  # noqa: ARG002 -- as Bearer wants it
        """Another JWT from the same key and clock would be refused too."""
        return False


class _Minted(Answer):
    token: str
    expires_at: AwareDatetime


class InstallationToken:
    """One installation, by a token for one repository and a few permissions; an hour long.

    Without a repository it is for all that the installation reaches.
    """

    def __init__(
        self,
        calls: Calls,
        app: AppToken,
        *,
        installation_id: int,
        repository: RepositoryName | None,
        permissions: Mapping[str, str],
    ) -> None:
        """Ask for nothing yet: the token is minted when first needed."""
        self._calls = calls
        self._app = app
        self._installation_id = installation_id
        self._wanted: dict[str, Any] = {"permissions": dict(permissions)}
        if repository is not None:
            self._wanted["repositories"] = [repository.name]
        self._minted: _Minted | None = None
        self._minting = asyncio.Lock()

    @property
    def account(self) -> str:
        """The installation: its tokens share one rate limit."""
        return f"installation {self._installation_id}"

    async def token(self) -> str:
        """Return the cached token, or a new one close to its end; raise GitHubError."""
        async with self._minting:
            if self._minted is None or self._ends_soon(self._minted):
                self._minted = await self._mint()
            return self._minted.token

    def forget(self, token: str) -> bool:
        """Drop the token, unless another call has renewed it already."""
        if self._minted is not None and self._minted.token == token:
            self._minted = None
        return True

    def _ends_soon(self, minted: _Minted) -> bool:
        return self._calls.now() >= minted.expires_at - RENEW_BEFORE

    async def _mint(self) -> _Minted:
        call = Call(
            method="POST",
            url="/app/installations/{installation_id}/access_tokens",
            fields={"installation_id": self._installation_id},
            data=self._wanted,
            bearer=self._app,
            repeatable=True,
            passes_fence=True,
        )
        minted = read(_Minted, await self._calls.send(call))
        _log.info(
            GITHUB_TOKEN_MINTED,
            installation_id=self._installation_id,
            permissions=self._wanted["permissions"],
            expires_at=minted.expires_at.isoformat(),
        )
        return minted
