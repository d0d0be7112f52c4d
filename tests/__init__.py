"""Conversations with the bot, between fakes that speak the real protocols."""
