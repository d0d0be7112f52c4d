"""A command line of an issue that starts a Python program, in words."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SCRIPT = "repro.py"
"""How the launcher calls the script when it has to name it."""
SEVERAL = frozenset({"mpirun", "mpiexec", "srun", "accelerate", "deepspeed", "horovodrun"})
"""Other launchers of several processes; the script stands behind their own words."""
_LAUNCH_MODULES = frozenset(
    {"torch.distributed.run", "torch.distributed.launch", "torch.distributed.elastic"}
)
_ALL_TESTS = re.compile(r"(?:^|/)run_tests?\.py$")
_BARE_TEST_FILE = re.compile(r"^(?:\./)?test_\w+\.py(?:::\S+)?$")
_TEST_FILE = re.compile(r"^(?:\./)?(?:pytorch/)?(?:test/\S*|\S*\btest_\w+)\.py(?:::\S+)?$")
TEST_DIRECTORY = re.compile(r"^(?:\./)?(?:pytorch/)?test/[\w/]*$")
TEST_NAME = re.compile(r"Test\w*(?:\.test_\w+)?|\w*Tests?(?:\.test_\w+)|test_\w+")
VARIABLE = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*=")


@dataclass(frozen=True, slots=True)
class Command:
    """A command line that starts a Python program."""

    variables: tuple[str, ...]
    words: tuple[str, ...]
    """Up to the script: ``torchrun --nnodes 1``."""
    script: str = ""
    """The script's path; empty for ``-c`` and ``-m``."""
    arguments: tuple[str, ...] = ()
    code: str = ""
    """What stands behind ``-c``."""

    @property
    def is_distributed(self) -> bool:
        """Whether it starts several processes."""
        first = self.words[0]
        return first == "torchrun" or first in SEVERAL or self.module in _LAUNCH_MODULES

    @property
    def module(self) -> str:
        """What stands behind the first ``-m``; empty where there is none."""
        words = self.words
        place = words.index("-m") + 1 if "-m" in words else len(words)
        return words[place] if place < len(words) else ""

    @property
    def is_test(self) -> bool:
        """Whether it runs a test of PyTorch's own source."""
        if self.is_all_tests:
            return False
        if TEST_DIRECTORY.match(self.script):
            return True
        return bool(_TEST_FILE.match(self.script)) and (
            self.script.removeprefix("./").removeprefix("pytorch/").startswith("test/")
        )

    @property
    def is_all_tests(self) -> bool:
        """Whether it runs whatever tests there are."""
        picks = {"-i", "--include"} & {*self.arguments}
        return _ALL_TESTS.search(self.script) is not None and not picks

    @property
    def in_tests(self) -> Command | None:
        """The same in the root of PyTorch's source, where it was meant in ``test/``; else None."""
        if self.is_test:
            return self
        picks = self.module == "pytest" or any(map(TEST_NAME.fullmatch, self.arguments))
        if not (picks and _BARE_TEST_FILE.match(self.script)):
            return None
        return replace(self, script=f"test/{self.script.removeprefix('./')}")

    @property
    def launcher(self) -> str:
        """The words before the script, quoted for a shell."""
        return _quoted((*self.variables, *self.words))

    @property
    def line(self) -> str:
        """The whole line, quoted for a shell."""
        script = (self.script.removeprefix("./").removeprefix("pytorch/"),) if self.script else ()
        code = ("-c", self.code) if self.code else ()
        return _quoted((*self.variables, *self.words, *code, *script, *self.arguments))

    def launcher_for(self, text: str) -> str:
        """Return the launcher of a program, with arguments where the program reads them."""
        reads = re.search(r"argparse|sys\.argv|ArgumentParser|fire\.Fire|click\.|typer", text)
        if not (self.arguments and reads):
            return self.launcher
        return f"{self.launcher} {SCRIPT} {_quoted(self.arguments)}"


def _quoted(words: Sequence[str]) -> str:
    return " ".join(
        f"{name}={shlex.quote(value)}" if VARIABLE.match(word) else shlex.quote(word)
        for word in words
        for name, _, value in [word.partition("=")]
    )
