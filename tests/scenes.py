"""What scripted agents do in the conversations, beside the whole fix of the demonstration."""

from __future__ import annotations

from typing import Any

from demo import story

Steps = list[dict[str, Any]]

REPORT: dict[str, Any] = {"write": "report.md", "text": "It is what the verdict says.\n"}


def verdict(name: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    """Write the verdict file."""
    return {"write": "verdict.json", "json": {"verdict": name, **fields}}


MEND: dict[str, Any] = {
    "replace": "pytorch/tinytorch/sequence.py",
    "old": "        transpose_(padded)\n",
    "new": "        padded = transpose(padded)\n",
}
"""The change that mends the sample's bug."""

PASSING = """\
### 🐛 Describe the bug

The assertion fails.

```python
import tinytorch

assert tinytorch.pad_sequence([[1.0]]) == [[1.0]]
```
"""
"""An issue whose repro passes."""


def fixed_with(*changes: dict[str, Any]) -> Steps:
    """Mend the bug, and make these changes besides."""
    fixed = verdict("fixed", summary="It works now.")
    return [*story.reproduce(), MEND, *changes, REPORT, fixed]


def not_reproduced() -> Steps:
    """Run the repro, and find nothing."""
    return [
        {"say": "The repro passes here."},
        REPORT,
        verdict(
            "not_reproduced",
            summary="The repro passes with this build.",
            missing="The shape of the batch, and the device.",
        ),
    ]
