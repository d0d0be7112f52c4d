"""Tokens of the gateway: who may speak to the model, and until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from bot.gateway.tokens import Tokens
from bot.models import JobId

SECRET = b"a secret of the deployment"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def _at(moment: datetime, secret: bytes = SECRET) -> Tokens:
    return Tokens(secret, now=lambda: moment)


@given(st.text(max_size=60).map(JobId), st.integers(1, 100_000))
def test_token_names_its_job_until_its_end(job_id: JobId, seconds: int) -> None:
    """A token is good for its own job, up to its end and not a second longer."""
    end = NOW + timedelta(seconds=seconds)
    token = _at(NOW).issue(job_id, until=end)

    assert _at(NOW).check(token) == job_id
    assert _at(end - timedelta(seconds=1)).check(token) == job_id
    assert _at(end).check(token) is None


@given(st.text(max_size=2000))
def test_no_text_is_a_token(text: str) -> None:
    """What we did not make is refused, and nothing makes the check fail."""
    assert _at(NOW).check(text) is None
    assert _at(NOW).check(f"ptq-model-{text}") is None


@given(st.data())
def test_changed_token_is_refused(data: st.DataObject) -> None:
    """Whatever character of a token is changed, it is refused."""
    token = _at(NOW).issue(JobId("20260102-pytorch-7"), until=NOW + timedelta(hours=1))
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters().filter(lambda character: character != token[place]))

    assert _at(NOW).check(token[:place] + other + token[place + 1 :]) is None


def test_tokens_of_another_deployment_are_refused() -> None:
    """Another secret makes other tokens."""
    token = _at(NOW, b"another deployment").issue(JobId("a"), until=NOW + timedelta(hours=1))

    assert _at(NOW).check(token) is None


def test_token_fits_in_a_header() -> None:
    """A token is one short word of plain ASCII."""
    token = _at(NOW).issue(JobId("20260102-pytorch-7"), until=NOW)

    assert token.isascii()
    assert len(token) < 150
    assert not set(token) & set(" \"'$`\\;&|<>")


def test_short_secret_is_refused() -> None:
    """A secret that can be guessed stops the start."""
    with pytest.raises(ValueError, match="fewer than 16 bytes"):
        Tokens(b"guess me")
