"""The way from an agent's machine to the model: short-lived tokens outside, the key inside."""

from bot.gateway.secret import kept_secret
from bot.gateway.server import Gateway

__all__ = ["Gateway", "kept_secret"]
