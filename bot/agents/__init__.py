"""Coding agents: how they are started, and what their logs say."""
