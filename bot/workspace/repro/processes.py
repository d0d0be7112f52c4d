"""Whether a program is one of several processes, by what it says."""

from __future__ import annotations

import re

_DISTRIBUTED = re.compile(
    r"distributed|\bdist\.|RANK\b|DDP|FSDP|DTensor|deepspeed|accelerate|horovod|\bmpi",
    re.IGNORECASE,
)
_RENDEZVOUS = re.compile(
    r"rank\s*=|store\s*=|init_method\s*=|MASTER_ADDR|\bspawn\(|MultiProcessTestCase"
)
_RANK = re.compile(
    r"init_process_group\(|init_device_mesh\(|\bDeviceMesh\([^\n,()]{1,40},"
    r"|environ(?:\.get)?[\[(]['\"](?:LOCAL_)?RANK"
)


def is_distributed(text: str) -> bool:
    """Whether a program has to do with several processes at all."""
    return _DISTRIBUTED.search(text) is not None


def expects_rank(text: str) -> bool:
    """Whether a program needs a launcher that tells it its rank, and does not start others."""
    return _RANK.search(text) is not None and _RENDEZVOUS.search(text) is None
