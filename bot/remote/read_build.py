"""Say what an installed package is: its version, commit, CUDA and Python.

Standard library only: it travels to the machine and runs in the environment it tells about. Its
one argument is the module; it prints a JSON object.
"""

from __future__ import annotations

import importlib
import json
import platform
import sys


def main(module: str) -> int:
    """Import the module, which shows that it can be, and print what it says of itself."""
    package = importlib.import_module(module)
    version = importlib.import_module(module + ".version")
    cuda = getattr(version, "cuda", None)
    build = {
        "version": str(getattr(package, "__version__", None) or version.__version__),
        "wheel_commit": str(getattr(version, "git_version", "")),
        "cuda": None if cuda is None else str(cuda),
        "python": platform.python_version(),
    }
    sys.stdout.write("\n" + json.dumps(build) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
