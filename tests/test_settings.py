"""Settings are read once, and stop the start when they are wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from bot.app import check
from bot.errors import ConfigurationError
from bot.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

COMPLETE = {
    "PTQ_GITHUB__APP_ID": "7",
    "PTQ_GITHUB__PRIVATE_KEY": "a key",
    "PTQ_GITHUB__WEBHOOK_SECRET": "a secret",
    "PTQ_GITHUB__REPOSITORIES": "pytorch/pytorch, triton-lang",
}


def wrong(environment: dict[str, str]) -> str:
    """Return what the operator is told about these variables."""
    with pytest.raises(ConfigurationError) as caught:
        check(Settings.load(environment))
    return str(caught.value)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """What both name is taken from the environment; the rest from either."""
    config = tmp_path / "ptq.toml"
    config.write_text('port = 1000\nhost = "::1"\n[agent.claude]\ncommand = "claude-next"\n')
    settings = Settings.load({"PTQ_CONFIG": str(config), "PTQ_PORT": "2000"})
    assert (settings.port, settings.host) == (2000, "::1")
    assert settings.agent.claude.command == "claude-next"


def test_repositories_are_listed_with_commas() -> None:
    """A repository is served when it or its owner is listed, in any case of letters."""
    github = Settings.load(COMPLETE).github
    assert github.serves("PyTorch/pytorch")
    assert github.serves("triton-lang/triton")
    assert not github.serves("pytorch/vision")


def test_durations_are_seconds_or_iso_8601() -> None:
    """Both ways of writing a duration mean the same."""
    for text in ("90", "PT1M30S"):
        settings = Settings.load({"PTQ_PROGRESS_INTERVAL": text})
        assert settings.progress_interval == timedelta(seconds=90)


def test_wrong_and_unknown_settings_are_named() -> None:
    """Every mistake is listed by the name under which it was set."""
    text = wrong({"PTQ_PORT": "http", "PTQ_GITHUB__WEBHOK_SECRET": "x", "PTQ_COLOUR": "red"})
    assert text == snapshot("""\
The settings are wrong:
  PTQ_GITHUB__WEBHOK_SECRET (github.webhok_secret): no such setting
  PTQ_PORT (port): Input should be a valid integer, unable to parse string as an integer
  PTQ_COLOUR (colour): no such setting\
""")


def test_the_file_is_named_when_it_cannot_be_read(tmp_path: Path) -> None:
    """A missing or broken file is told with its name."""
    missing = tmp_path / "none.toml"
    assert wrong({"PTQ_CONFIG": str(missing)}).startswith(f"PTQ_CONFIG={missing}: ")
    broken = tmp_path / "broken.toml"
    broken.write_text("port =")
    assert wrong({"PTQ_CONFIG": str(broken)}).startswith(f"PTQ_CONFIG={broken}: ")


def test_a_pool_needs_machines() -> None:
    """A pool without a machine could never carry out a job."""
    assert wrong({"PTQ_PROVIDER": "pool"}) == snapshot("""\
The settings are wrong:
  provider 'pool' needs at least one entry under 'machines'\
""")


def test_the_service_does_not_start_without_a_secret() -> None:
    """Without a webhook secret anybody could give commands."""
    assert check(Settings.load(COMPLETE)) == "a secret"
    for name in COMPLETE:
        rest = {key: value for key, value in COMPLETE.items() if key != name}
        assert name in wrong(rest)
    assert wrong(COMPLETE | {"PTQ_GITHUB__WEBHOOK_SECRET": ""}) == snapshot(
        "PTQ_GITHUB__WEBHOOK_SECRET is missing: without it anybody could give commands. Set the secret of the App's webhook."
    )


def test_secrets_are_known_to_be_kept_out_of_texts() -> None:
    """What is a secret among the settings is listed for redaction, and not in their text."""
    settings = Settings.load(COMPLETE | {"PTQ_MODEL__API_KEY": "sk-1"})
    assert settings.secrets == ("a key", "a secret", "sk-1")
    assert not any(secret in repr(settings) for secret in settings.secrets)
