"""Takes secrets out of a text: those that we hold, and what is known to look like one.

Held secrets are found as they are and as base64, hex, in a URL and in JSON write them. Of unknown
ones only those with a shape of their own are found (``ghp_…``, ``-----BEGIN … PRIVATE KEY-----``):
nothing is guessed from how random a word looks, so commit hashes stay. Linear in the text's length.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from bisect import bisect_left
from typing import TYPE_CHECKING, cast
from urllib.parse import quote, quote_plus

from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.stripe import StripeDetector

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from detect_secrets.plugins.base import RegexBasedDetector

REDACTED = "[redacted]"
SHORTEST = 8
"""Characters: a shorter secret would be found in ordinary words, and is not looked for."""
_LONG_LINE = 20
"""Characters from which one line of a secret of many lines is a secret by itself."""

# Each begins at a place of its own and has a bounded length, so that no text is slow. detect-
# secrets' own patterns for OpenAI and JWT begin anywhere and run on: ours stand in for them.
_OUR_PATTERNS = (
    # A private key whole, or as much of it as there is. https://www.rfc-editor.org/rfc/rfc7468
    (
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:"
        r"(?:(?!-----)[\s\S]){0,20000}-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
        r"|(?:(?:\s|\\[nr]|[>|]){0,40}[A-Za-z0-9+/=]{16,200})*)"
    ),
    r"PuTTY-User-Key-File-[23]:[\s\S]{0,4000}?Private-MAC: [0-9a-f]{40,64}",
    r"(?<![A-Za-z0-9])github_pat_[A-Za-z0-9_]{22,255}",
    r"(?<![A-Za-z0-9])gh[pousr]_[A-Za-z0-9_.-]{36,2000}",
    r"(?<![A-Za-z0-9])sk-ant-[A-Za-z0-9_-]{20,400}",
    r"(?<![A-Za-z0-9])sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20,400}",
    r"(?<![A-Za-z0-9])sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}",
    r"(?<![A-Za-z0-9])AIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])",
    r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{34}(?![A-Za-z0-9])",
    r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,4000}\.eyJ[A-Za-z0-9_-]{8,8000}\.[A-Za-z0-9_-]{0,2000}",
    # The password of a URL.
    r"(?<=://)[^\s/:@?#]{0,100}:[^\s/@]{1,2000}(?=@)",
    r"(?i:(?<=authorization: bearer )|(?<=authorization: (?:basic|token) ))[^\s\"']{8,4000}",
)


def _library_patterns() -> Iterator[re.Pattern[str]]:
    # Of AWS only the key's id: the pattern of its secret half begins anywhere.
    yield _denylist(AWSKeyDetector)[0]
    for detector in (
        GitHubTokenDetector,
        GitLabTokenDetector,
        PypiTokenDetector,
        SendGridDetector,
        SlackDetector,
        StripeDetector,
    ):
        yield from _denylist(detector)


def _denylist(detector: type[RegexBasedDetector]) -> list[re.Pattern[str]]:
    # The library declares an abstract property and ships plain sequences.
    return list(cast("Iterable[re.Pattern[str]]", detector.denylist))


_PATTERNS = (*(re.compile(pattern) for pattern in _OUR_PATTERNS), *_library_patterns())


class Redactor:
    """Knows the secrets that this process holds."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        held = {form for secret in secrets for form in _forms(secret)}
        self._held = sorted(held, key=len, reverse=True)
        self._lengths = [-len(form) for form in self._held]

    def __repr__(self) -> str:
        """Return the number of held forms, and none of them."""
        return f"Redactor({len(self._held)} forms)"

    def redact(self, text: str) -> str:
        """Return the text with every held and every well-known secret as ``[redacted]``."""
        text = self.redact_held(text)
        for pattern in _PATTERNS:
            text = pattern.sub(REDACTED, text)
        return text

    def redact_held(self, text: str) -> str:
        """Return the text without the held secrets only."""
        # Most texts are shorter than most forms, of a key's lines above all.
        for form in self._held[bisect_left(self._lengths, -len(text)) :]:
            text = text.replace(form, REDACTED)
        return text


def _forms(secret: str) -> Iterator[str]:
    """Yield how a secret may be written, each form long enough to be nothing else."""
    secret = secret.strip()
    lines = secret.splitlines()
    wholes = {secret}
    if len(lines) > 1:
        wholes |= {line.strip() for line in lines if len(line.strip()) >= _LONG_LINE}
        wholes = {whole for whole in wholes if not whole.startswith("-----")} | {secret}
    for whole in wholes:
        if len(whole) < SHORTEST:
            continue
        data = whole.encode("utf-8", "surrogatepass")
        yield whole
        yield json.dumps(whole)[1:-1]
        yield json.dumps(whole, ensure_ascii=False)[1:-1]
        yield quote(data, safe="")
        yield quote(data)
        yield quote_plus(data)
        yield data.hex()
        yield data.hex().upper()
        yield from _base64_forms(data)


def _base64_forms(data: bytes) -> Iterator[str]:
    """Yield the base64 of a secret inside any text: it depends on where the secret begins."""
    for offset in range(3):
        encoded = b64encode(b"\0" * offset + data).decode()
        # The first characters also hold bits of what stands before it, the last of what follows.
        first = (0, 2, 3)[offset]
        last = len(encoded) - (0, 3, 2)[(offset + len(data)) % 3]
        inner = encoded[first:last]
        if len(inner) >= SHORTEST:
            yield inner
            yield inner.replace("+", "-").replace("/", "_")
