"""What is served over HTTP: the webhook and the health checks."""

from __future__ import annotations

from bot.web.server import application, listen

__all__ = ["application", "listen"]
