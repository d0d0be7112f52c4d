"""The settings of workspaces, patches and proofs."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from bot.settings.section import Duration, Section


class TorchSettings(Section):
    """Where the wheel and the source come from."""

    package: str = Field(default="torch", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """The package under investigation, as ``pip`` knows it."""
    module: str = Field(default="torch", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """Its import name; ``<module>.version.git_version`` is the wheel's commit."""
    requirement: str | None = None
    """What to install, for example ``torch==2.13.0``; default: the newest build, nightlies too."""
    index_url: str = "https://download.pytorch.org/whl/nightly"
    """A package index; ``/<cuda tag>`` or ``/cpu`` is appended unless ``tagged`` is false.
    A directory is searched for wheels."""
    tagged: bool = True
    cuda: str | None = Field(default=None, pattern=r"^(cpu|cu\d{2,4})$")
    """The CUDA tag; default: from ``nvidia-smi`` on the machine."""
    source_url: str = "https://github.com/pytorch/pytorch.git"
    python: str = "3.12"
    """The Python of the workspace's environment; an interpreter's version or path."""
    extra_packages: tuple[str, ...] = ("numpy", "pytest", "expecttest", "hypothesis")
    """Installed beside the package, from the default package index."""
    setup_timeout: Duration = timedelta(minutes=30)


class PatchSettings(Section):
    """What a patch may hold."""

    allow: tuple[str, ...] = ("**/*.py", "**/*.pyi", "**/*.md", "**/*.rst")
    """Glob patterns (``**`` crosses directories); a file must match one of them."""
    deny: tuple[str, ...] = (".github/**", ".ci/**", "third_party/**", "**/conftest.py")
    """Patterns that win over ``allow``."""
    max_bytes: int = 200_000
    max_files: int = 50


class ProofSettings(Section):
    """How the bot itself checks a repro and a patch."""

    runs: int = Field(default=3, ge=1, le=20)
    """How often a repro is run on each side."""
    runs_when_mixed: int = Field(default=5, ge=1, le=20)
    """How often when its runs differ."""
    test_runs: int = Field(default=10, ge=1, le=100)
    """How often a single test is run that is reported as flaky (DISABLED tests)."""
    time_limit: Duration = timedelta(seconds=120)
    """Of one run; what takes longer hangs."""
    build_limit: Duration = timedelta(minutes=10)
    """For compiling a repro in C++, once on each side."""
    rebuild_limit: Duration = timedelta(hours=2)
    """For building the package with a patch of compiled code."""
    tests_budget: Duration = timedelta(minutes=10)
    """For the tests near the patch, both sides together."""
    retries: int = Field(default=1, ge=0, le=3)
    """How often the agent gets the bot's fresh output and another try."""
