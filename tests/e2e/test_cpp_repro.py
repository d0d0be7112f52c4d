"""A repro in C++ is built against the real PyTorch, and run."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.machines.local import LocalShell
from bot.models import FailureKind, JobId, Mode, Verdict
from bot.proof import prove
from bot.settings import ProofSettings
from bot.workspace.layout import Layout
from bot.workspace.prepare import prepare
from bot.workspace.repro import ReproKind, from_snapshot
from tests.fakes.proof import issue_of, quiet

if TYPE_CHECKING:
    from tests.e2e.pytorch import PyTorch

pytestmark = pytest.mark.e2e

BODY = """\
### 🐛 Describe the bug

Viewing six numbers as seven throws, as this shows:

```cpp
#include <torch/torch.h>

int main() {
  torch::Tensor a = torch::ones({2, 3});
  a.view({7});
}
```

```
terminate called after throwing an instance of 'c10::Error'
  what():  shape '[7]' is invalid for input of size 6
Aborted (core dumped)
```
"""


async def test_a_repro_in_cpp(real_pytorch: PyTorch, workspace: Path, tmp_path: Path) -> None:
    """It fails as the issue shows it, in the wheel's own libraries."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    shell = LocalShell({"PATH": path, "HOME": str(tmp_path)})
    layout, job_id = Layout(str(workspace)), JobId("20260105-pytorch-7")
    build = await prepare(shell, layout, real_pytorch.settings, tell=quiet)
    issue = issue_of("view throws in C++", BODY)
    repro = from_snapshot(issue)
    assert repro.kind is ReproKind.CPP

    proof = await prove(
        shell,
        layout=layout,
        job=layout.job(job_id),
        job_id=job_id,
        build=build,
        torch=real_pytorch.settings,
        settings=ProofSettings(),
        repro=repro,
        agent_repro=None,
        claim=None,
        mode=Mode.REPRODUCE,
        patch="",
        issue=issue,
        tell=quiet,
    )

    assert (proof.verdict, proof.why) == (
        Verdict.REPRODUCED,
        "The repro fails as reported in all 3 runs.",
    )
    assert proof.signature is not None
    assert (proof.signature.kind, proof.signature.exception) == (FailureKind.EXCEPTION, "Error")
