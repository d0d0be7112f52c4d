"""What is served over HTTP: the webhook and the health checks."""

from __future__ import annotations

from bot.web.server import application

__all__ = ["application"]
