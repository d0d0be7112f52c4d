"""Padding and unpadding undo each other."""

from __future__ import annotations

import unittest

import tinytorch


class TestSequence(unittest.TestCase):
    """Sequences of different lengths."""

    def test_round_trip(self) -> None:
        """What was padded comes back."""
        sequences = [[1.0, 2.0, 3.0], [4.0, 5.0]]
        for batch_first in (False, True):
            padded = tinytorch.pad_sequence(sequences, batch_first=batch_first)
            lengths = [len(sequence) for sequence in sequences]
            unpadded = tinytorch.unpad_sequence(padded, lengths, batch_first=batch_first)
            self.assertEqual(unpadded, sequences)


if __name__ == "__main__":
    unittest.main()
