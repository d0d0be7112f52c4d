"""The App on the fake GitHub: its key, its installations and the tokens that they are given."""

from __future__ import annotations

import functools
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.fakes.github.replies import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.fakes.github.memory import Account

LEVELS = ("read", "write", "admin")
TOKEN_LIFETIME = timedelta(hours=1)
JWT_LIFETIME = timedelta(minutes=10)


@functools.cache
def _key() -> rsa.RSAPrivateKey:
    """Return this process's key, made once since that takes a moment."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@functools.cache
def private_key() -> str:
    """Return this process's RSA private key as PEM."""
    written = _key().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return written.decode()


@dataclass(slots=True, eq=False)
class Installation:
    """The App on one account's repositories."""

    id: int
    account: Account
    permissions: Mapping[str, str]


@dataclass(slots=True, eq=False)
class Token:
    """An installation's token."""

    text: str
    installation: Installation
    expires_at: datetime
    permissions: Mapping[str, str]
    repositories: frozenset[str]
    """Full names, in lower case."""

    def grants(self, permission: str, level: str) -> bool:
        """Whether the token has at least this level of a permission."""
        had = "read" if permission == "metadata" else self.permissions.get(permission)
        return had is not None and LEVELS.index(had) >= LEVELS.index(level)


@dataclass(slots=True, eq=False)
class App:
    """The App, and who holds its tokens."""

    id: int
    slug: str
    name: str
    owner: Account
    bot: Account
    created_at: datetime
    permissions: Mapping[str, str]
    installations: dict[int, Installation] = field(default_factory=dict[int, Installation])
    tokens: dict[str, Token] = field(default_factory=dict[str, Token])

    @property
    def private_key(self) -> str:
        """The App's private key as PEM."""
        return private_key()

    def mint(
        self,
        installation: Installation,
        *,
        permissions: Mapping[str, str],
        repositories: frozenset[str],
        now: datetime,
    ) -> Token:
        """Make a token; raise Refused when more is asked for than the installation has."""
        for name, level in permissions.items():
            had = installation.permissions.get(name)
            if had is None or LEVELS.index(level) > LEVELS.index(had):
                message = "The permissions requested are not granted to this installation."
                raise Refused(422, message)
        token = Token(
            text=f"ghs_{secrets.token_hex(18)}",
            installation=installation,
            expires_at=(now + TOKEN_LIFETIME).replace(microsecond=0),
            permissions=dict(permissions or installation.permissions),
            repositories=repositories,
        )
        self.tokens[token.text] = token
        return token

    def check_jwt(self, text: str, *, now: datetime) -> None:
        """Raise Refused, in GitHub's words, unless the JWT is the App's and of this moment."""
        undecodable = "A JSON web token could not be decoded"
        try:
            claims: dict[str, Any] = jwt.decode(
                text,
                _key().public_key(),
                algorithms=["RS256"],
                # Against this server's own clock, below.
                options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
        except jwt.InvalidTokenError as error:
            raise Refused(401, undecodable) from error
        expires, issued = claims.get("exp"), claims.get("iat")
        if str(claims.get("iss")) != str(self.id):
            raise Refused(404, "Integration not found")
        if not isinstance(issued, int) or issued > (now + timedelta(seconds=1)).timestamp():
            message = (
                "'Issued at' claim ('iat') must be an Integer representing the time that "
                "the assertion was issued"
            )
            raise Refused(401, message)
        if not isinstance(expires, int) or expires <= now.timestamp():
            message = (
                "'Expiration time' claim ('exp') must be a numeric value representing the "
                "future time at which the assertion expires"
            )
            raise Refused(401, message)
        if expires > (now + JWT_LIFETIME).timestamp():
            raise Refused(401, "'Expiration time' claim ('exp') is too far in the future")

    def holder(self, text: str, *, now: datetime) -> Token:
        """Return the token of this text; raise Refused when it is unknown or has ended."""
        token = self.tokens.get(text)
        if token is None or token.expires_at <= now:
            raise Refused(401, "Bad credentials")
        return token
