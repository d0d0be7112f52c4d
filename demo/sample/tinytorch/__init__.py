"""Sequences of different lengths as one batch."""

from __future__ import annotations

from tinytorch.sequence import pad_sequence, unpad_sequence

__all__ = ["pad_sequence", "unpad_sequence"]
