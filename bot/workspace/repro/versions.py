"""Code that only asks what is installed: it stands in many issues and shows no bug."""

from __future__ import annotations

import re

_ITEM = (
    r"(?:f?'[^']*'|f?\"[^\"]*\"|[\w.]*(?:__version__|version\.\w+|is_available\(\)|device_count\(\)"
    r"|get_device_(?:name|capability|properties)\([\w.]*\)|cudnn\.version\(\)"
    r"|sys\.(?:version|platform)(?:_info)?|platform\.\w+\(\)"
    r"|__config__\.(?:show|parallel_info)\(\)|arch_list\(\)|collect_env[\w.()]*))"
)
_ASKS_VERSION = re.compile(
    r"(?:import [\w., ]+|from torch\.utils import collect_env|#.*"
    rf"|(?:print\()?\s*{_ITEM}(?:,\s*{_ITEM})*\)?)?\s*"
)
_NAMED = re.compile(
    r"\btorch(?:\.\w+)+|\b(?:\w+\.)*(?:is_available|device_count|get_device_\w+|__version__)\b"
)
"""What a title may say about what is installed."""
_FEW_LINES = 20


def are_meant(text: str, title: str) -> bool:
    """Whether the title of the issue is about one of the things that a program asks."""
    return any(name in text for name in _NAMED.findall(title))


def are_asked(text: str) -> bool:
    """Whether a program only says what is installed."""
    lines = re.split(r"[;\n]", text)
    return len(lines) <= _FEW_LINES and all(_ASKS_VERSION.fullmatch(line.strip()) for line in lines)
