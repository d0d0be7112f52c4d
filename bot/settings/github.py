"""The settings of the GitHub App."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from bot.errors import ConfigurationError
from bot.settings.section import Duration, Section


class GitHubSettings(Section):
    """The GitHub App."""

    app_id: int | None = None
    private_key: SecretStr | None = None
    """PEM text; or name its file in ``private_key_file``."""
    private_key_file: Path | None = None
    webhook_secret: SecretStr | None = None
    api_url: str = "https://api.github.com"
    repositories: tuple[str, ...] = ()
    """``owner/name`` or ``owner``: what is served."""
    timeout: Duration = timedelta(seconds=30)
    """Of one request."""
    max_wait: Duration = timedelta(minutes=15)
    """The longest wait on a rate limit before a step gives up (and is retried later)."""

    @property
    def has_app(self) -> bool:
        """Whether the App is set up: a terminal does without."""
        has_key = self.private_key is not None or self.private_key_file is not None
        return self.app_id is not None and has_key

    @property
    def key(self) -> str:
        """The App's private key as PEM text."""
        if self.private_key is not None:
            return self.private_key.get_secret_value()
        if self.private_key_file is not None:
            try:
                return self.private_key_file.expanduser().read_text()
            except OSError as error:
                message = f"PTQ_GITHUB__PRIVATE_KEY_FILE: {error}"
                raise ConfigurationError(message) from error
        message = (
            "PTQ_GITHUB__PRIVATE_KEY or PTQ_GITHUB__PRIVATE_KEY_FILE is missing: "
            "download a private key on the App's settings page"
        )
        raise ConfigurationError(message)

    def serves(self, full_name: str) -> bool:
        """Whether ``owner/name`` is listed, or its owner is."""
        owner = full_name.partition("/")[0].lower()
        listed = {entry.lower() for entry in self.repositories}
        return full_name.lower() in listed or owner in listed
