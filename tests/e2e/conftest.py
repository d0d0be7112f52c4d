"""What the end-to-end tests share: PyTorch, made once in a checkout, and one workspace."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.e2e import pytorch

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.e2e.pytorch import PyTorch


@pytest.fixture(scope="session")
def real_pytorch() -> PyTorch:
    """The real PyTorch."""
    return asyncio.run(pytorch.find())


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    """The machine's workspace: the first job prepares it, the next ones find it prepared."""
    directory = tmp_path_factory.mktemp("machine")
    yield directory / "ptq_workspace"
    asyncio.run(_remove(directory))


async def _remove(directory: Path) -> None:
    """Remove a workspace: rm is quicker with its many files than this process."""
    process = await asyncio.create_subprocess_exec("rm", "-rf", "--", str(directory))
    assert await process.wait() == 0
