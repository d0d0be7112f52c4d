"""Pad sequences to one length and take the padding away again.

A batch is a list of rows. It is laid out by time (row ``t`` holds step ``t`` of every sequence)
unless ``batch_first``.
"""

from __future__ import annotations

Batch = list[list[float]]


def pad_sequence(
    sequences: list[list[float]], *, batch_first: bool = False, padding: float = 0.0
) -> Batch:
    """Return the sequences as one batch, the shorter ones filled with ``padding``."""
    longest = max(map(len, sequences), default=0)
    rows = [row + [padding] * (longest - len(row)) for row in sequences]
    if not batch_first:
        transpose_(rows)
    return rows


def unpad_sequence(
    padded: Batch, lengths: list[int], *, batch_first: bool = False
) -> list[list[float]]:
    """Return the sequences of a batch without their padding."""
    if not batch_first:
        transpose_(padded)
    return [row[:length] for row, length in zip(padded, lengths, strict=True)]


def transpose_(batch: Batch) -> Batch:
    """Swap rows and columns in place, and return the same batch."""
    batch[:] = transpose(batch)
    return batch


def transpose(batch: Batch) -> Batch:
    """Return a new batch with rows and columns swapped."""
    return [list(column) for column in zip(*batch, strict=True)]
