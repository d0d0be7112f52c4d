"""Whoever runs ptq in a terminal, by a token of their own, or nobody."""

from __future__ import annotations


class PersonalToken:
    """A person's own token; an empty one is nobody, who may read what is public."""

    def __init__(self, token: str) -> None:
        """Speak with this token."""
        self._token = token

    @property
    def account(self) -> str:
        """Whose rate limit counts."""
        return "your token" if self._token else "requests without a token"

    async def token(self) -> str:
        """Return the token, or nothing."""
        return self._token

    def forget(self, token: str) -> bool:  # noqa: ARG002 -- as Bearer wants it
        """There is no other one."""
        return False
