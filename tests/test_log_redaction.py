"""Secrets are found as they are written; ordinary words and hashes are left alone."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest

from bot.redaction import REDACTED, Redactor

SECRET = "correct horse/battery+staple?"
PEM = (
    "-----BEGIN RSA PRIVATE KEY-----\n"
    + "\n".join("MIIE" + c * 60 for c in "abc")
    + ("\nxyz=\n-----END RSA PRIVATE KEY-----")
)


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        json.dumps(SECRET),
        *(b64encode(b"x" * n + SECRET.encode() + b"yz").decode() for n in range(4)),
        *(urlsafe_b64encode(b"x" * n + SECRET.encode()).decode() for n in range(4)),
    ],
)
def test_held_secrets_are_found_however_written(text: str) -> None:
    """Base64 at any offset, hex, URLs and JSON hide nothing."""
    redacted = Redactor([SECRET]).redact(f"before {text} after")
    assert REDACTED in redacted
    assert redacted.startswith("before ")
    assert redacted.endswith(" after")
    assert len(redacted) < len("before  after") + len(REDACTED) + 12


@pytest.mark.parametrize(
    "text",
    [PEM, PEM.replace("\n", "\\n"), PEM.partition("\nxyz")[0], PEM.split("\n")[2], f"  {PEM}\n"],
)
def test_a_held_key_is_found_whole_and_in_part(text: str) -> None:
    """The App's private key is found with its line ends written out, cut off, or one line of it."""
    redacted = Redactor([PEM]).redact(f"key: {text} .")
    assert "MIIE" not in redacted
    assert redacted.startswith("key: ")
    assert redacted.endswith(" .")


@pytest.mark.parametrize(
    "secret",
    [
        "ghp_" + "a1B2" * 9,
        "ghs_" + "a1B2" * 9,
        "github_pat_" + "a1B2_" * 10,
        "AKIA" + "ABCD1234EFGH5678",
        "sk-ant-api03-" + "a1B2-_" * 15,
        "sk-proj-" + "a1B2-_" * 15,
        "sk-" + "a1B2c" * 4 + "T3BlbkFJ" + "a1B2c" * 4,
        "xoxb-123456789012-" + "a1b2c3d4" * 3,
        "https://hooks.slack.com/services/T00000000/B00000000/" + "a1B2" * 6,
        "glpat-" + "a1B2" * 5,
        "hf_" + "a1" * 17,
        "AIza" + "a1B2c" * 7,
        "SG." + "a" * 22 + "." + "b" * 43,
        "pypi-AgEIcHlwaS5vcmc" + "a1B2" * 20,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0xxxx.c2lnbmF0dXJl",
        PEM,
        PEM.partition("\n-----END")[0],
        "-----BEGIN OPENSSH PRIVATE KEY-----\\nb3BlbnNzaC1rZXktdjEAAAAA\\n",
    ],
)
def test_well_known_secrets_are_found(secret: str) -> None:
    """A secret that we do not hold is known by its shape."""
    redacted = Redactor().redact(f"a {secret} z")
    assert REDACTED in redacted
    assert secret[12:40].strip() not in redacted
    assert redacted.startswith("a ")
    assert redacted.endswith("z")


def test_passwords_and_tokens_are_found_by_where_they_stand() -> None:
    """A password in a URL and a token in a header are secrets whatever they look like."""
    redactor = Redactor()
    assert redactor.redact("https://x:pa55@host/p") == f"https://{REDACTED}@host/p"
    assert (
        redactor.redact("Authorization: Bearer abc.def-123") == f"Authorization: Bearer {REDACTED}"
    )


@pytest.mark.parametrize(
    "text",
    [
        "commit 0123456789abcdef0123456789abcdef01234567",
        "sha256:" + "0123456789abcdef" * 4,
        "torch-2.13.0.dev20260101+cu130-cp312-cp312-manylinux_2_28_x86_64.whl",
        "https://github.com/pytorch/pytorch/blob/main/torch/nn/utils/rnn.py#L512-L530",
        "https://localhost:8080/jobs/1 and user@example.org",
        "a task-force-" + "b" * 40,
        "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
        "aten::_scaled_dot_product_flash_attention_for_cpu_backward.default(Tensor grad_out)",
        "short",
    ],
)
def test_ordinary_words_are_left_alone(text: str) -> None:
    """Nothing is taken for a secret because it looks random."""
    assert Redactor(["short", "", "  "]).redact(text) == text


def test_a_redactor_does_not_show_its_secrets() -> None:
    """Its own text is safe to log."""
    assert "battery" not in repr(Redactor([SECRET]))
