"""``ptq setup``: the workspace of a machine that one has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from inline_snapshot import snapshot

from tests.program import ended, environment_of, ptq

if TYPE_CHECKING:
    from tests.harness import Bot


async def test_a_machine_of_the_settings(world: Bot) -> None:
    """It is prepared over SSH as a job would do it; the second time it is there already."""
    environment = environment_of(world)
    status, out, told = await ended(await ptq("setup", "gpu-1", "--json", **environment))
    build = json.loads(out)
    assert (status, build["version"], build["gpu"]) == (0, "0.3.0", None)
    assert "Installing tinytorch." in told
    assert (world.machine.home / "ptq_workspace" / "pytorch" / "tinytorch").is_dir()

    status, out, told = await ended(await ptq("setup", "gpu-1", **environment))
    assert status == 0
    assert f"source at {build['base_commit']}" in out
    assert "Installing" not in told


async def test_this_computer(world: Bot) -> None:
    """``--local`` needs no machine in the settings."""
    environment = environment_of(world)
    there = {"HOME": str(world.directory), "PTQ_LOCAL__WORKSPACE": str(world.directory / "here")}
    status, _, _ = await ended(await ptq("setup", "--local", "--cpu", **environment, **there))
    assert status == 0
    assert (world.directory / "here" / "pytorch" / "tinytorch").is_dir()


async def test_what_is_asked_wrongly(world: Bot) -> None:
    """Each mistake is told with what is right, and nothing is prepared."""
    environment = environment_of(world)
    told: list[str] = []
    for words in ([], ["gpu-1", "--local"], ["gpu-9"], ["gpu-1", "--cuda", "12"]):
        status, out, said = await ended(await ptq("setup", *words, **environment))
        assert (status, out) == (1 if words == ["gpu-9"] else 2, "")
        told.append(said)
    assert told == snapshot(
        [
            "ptq: name one machine of the settings, or say --local\n",
            "ptq: name one machine of the settings, or say --local\n",
            "ptq: the settings name no machine gpu-9, there is gpu-1, local: another one is added to the file that PTQ_CONFIG names, under `machines`\n",
            "ptq: --cuda takes a tag such as cu130, not 12.\n",
        ]
    )
    assert not (world.machine.home / "ptq_workspace").exists()
