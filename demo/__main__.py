"""``python -m demo``: what `make demo` runs."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the demonstration; return its exit status."""
    try:
        from demo.cli import main as run  # noqa: PLC0415 -- it takes a second, in which Ctrl-C counts too
    except KeyboardInterrupt:
        return 1
    return run()


if __name__ == "__main__":
    sys.exit(main())
