"""``python -m bot`` is ``ptq``."""

from __future__ import annotations

from bot.cli import main

main()
