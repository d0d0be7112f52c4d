"""What is looked for in an issue, and what was found."""

from __future__ import annotations

import re
import shlex
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from bot.models import Frozen


class ReproKind(StrEnum):
    """What kind of program shows the bug."""

    PYTHON = "python"
    SHELL = "shell"
    TORCHRUN = "torchrun"
    CPP = "cpp"
    TEST = "test"
    NONE = "none"


class ReproComment(BaseModel):
    """A comment under the issue, oldest first; unknown keys are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    author: str = ""
    association: str = "NONE"
    body: str = ""


class ReproIssue(BaseModel):
    """What the extraction reads of an issue; unknown keys are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    title: str = ""
    body: str = ""
    labels: tuple[str, ...] = ()
    author: str = ""
    comments: tuple[ReproComment, ...] = ()


class Repro(Frozen):
    """The program that shows the bug, as the issue gives it: untrusted code of strangers."""

    kind: ReproKind
    text: str = ""
    """The whole program: Python, C++ or shell; of a test, the one command that runs it."""
    launcher: str | None = None
    """The words before the script, quoted for a shell: ``python``, ``A=1 torchrun --nnodes 1``.
    With arguments for the script it goes on to the end: ``python repro.py --flag``. None for C++
    and when there is none."""
    source: str = ""
    """Where it stands: ``body``, ``comment 3 by someone``, ``title``; empty for none."""
    needs: tuple[str, ...] = ()
    """What it takes to run: cpu, cuda, multi_gpu, mps, rocm, xpu, network, windows, macos, and
    Python packages beyond PyTorch's own by name."""
    reason: str = ""
    """One sentence for people: why this, or why nothing."""

    @property
    def filename(self) -> str | None:
        """How its file is called in the job directory; None without a program."""
        return _FILENAMES.get(self.kind)

    def command(self, script: str) -> tuple[str, ...]:
        """Return the argv that runs it from ``script``, its file; empty where nothing runs it.

        Settings of variables (``A=1``) are handed to ``env``; which GPUs it gets is left out.
        """
        if self.kind is ReproKind.SHELL:
            return ("bash", script)
        if self.launcher is None:
            return ()
        words = [word for word in shlex.split(self.launcher) if not _GPUS.match(word)]
        if self.kind is not ReproKind.TEST:
            words = [script if word == _FILENAMES[self.kind] else word for word in words]
            if script not in words:
                words.append(script)
        return ("env", *words) if "=" in words[0] else tuple(words)


_GPUS = re.compile(r"CUDA_VISIBLE_DEVICES=\d")
_FILENAMES = {
    ReproKind.PYTHON: "repro.py",
    ReproKind.TORCHRUN: "repro.py",
    ReproKind.SHELL: "repro.sh",
    ReproKind.CPP: "repro.cpp",
}
