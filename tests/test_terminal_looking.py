"""Looking at jobs from a terminal."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from bot.models import JobState
from tests.own_terminal import terminal_of
from tests.seeded import Seed, seed, served

if TYPE_CHECKING:
    from tests.harness import Bot


async def test_the_jobs_and_where_they_are(world: Bot) -> None:
    """What is known of jobs is read beside whoever carries them out, by people and scripts."""
    async with terminal_of(world) as terminal:
        _, running = await seed(terminal, Seed(7), Seed(8, state=JobState.INVESTIGATING))
        async with served(terminal):
            listed = await terminal.ptq("list")
            assert (listed.status, listed.err) == (0, "")
            head, first, second = columns(listed.out)
            assert " ".join(head) == "state job issue run machine time left spend verdict"
            assert first[:5] == ["investigating", "YYYYMMDD-pytorch-8", "#8", "1", "gpu-1"]
            assert first[-2:] == ["$0.50", "-"]
            assert " ".join(second) == "finished YYYYMMDD-pytorch-7 #7 1 gpu-1 - $0.50 fixed"
            status = await terminal.ptq("status", "7")
            assert status.out == snapshot("""\
job           YYYYMMDD-pytorch-7, run 1
state         finished for N s
machine       gpu-1
torch         2.13.0 (no GPU)
agent         3 turns, $0.50
verdict       fixed
summary       It works[2J now.
""")
            known = json.loads((await terminal.ptq("status", running, "--json")).out)
    assert (known["state"], known["machine"], known["turns"]) == ("investigating", "gpu-1", 3)
    assert known["machine_until"] is not None


async def test_a_narrow_screen(world: Bot) -> None:
    """Some columns give way, so that each job is one line; into a pipe all of them go."""
    async with terminal_of(world) as terminal:
        await seed(terminal, Seed(7), Seed(8))
        widths = ("120", "80", "60", "40")
        shown = [
            await terminal.ptq("list", COLUMNS=width, FORCE_COLOR="1", NO_COLOR="1")
            for width in widths
        ]
        piped = await terminal.ptq("list", COLUMNS="40")
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", one.out) for one in shown]
    assert [table.splitlines()[0].rstrip() for table in plain] == snapshot(
        [
            "state     job                 issue  run  machine  time left  spend  verdict",
            "state     job                 issue  run  machine  time left  spend  verdict",
            "state     job                 machine  time left  verdict",
            "state     job                 verdict",
        ]
    )
    assert {len(table.splitlines()) for table in plain} == {3}
    assert columns(piped.out)[0][-1] == "verdict"


def columns(table: str) -> list[list[str]]:
    """Return the cells of a table that are one word."""
    return [line.split() for line in table.splitlines()]


async def test_a_shell_completes_the_ids_of_jobs(world: Bot) -> None:
    """Newest first; of a database that is not there nothing is said."""
    async with terminal_of(world) as terminal:
        asked = {"_PTQ_COMPLETE": "complete_bash", "COMP_CWORD": "2"}
        none = await terminal.ptq(COMP_WORDS="ptq status 2", **asked)
        await seed(terminal, Seed(7), Seed(8))
        found = [
            await terminal.ptq(COMP_WORDS=f"ptq {words}", **asked)
            for words in ("status 2", "clean 2", "status x")
        ]
    assert (none.out.strip(), none.err) == ("", "")
    assert [one.out.split() for one in found] == snapshot(
        [
            ["YYYYMMDD-pytorch-8", "YYYYMMDD-pytorch-7"],
            ["YYYYMMDD-pytorch-8", "YYYYMMDD-pytorch-7"],
            [],
        ]
    )


async def test_what_an_agent_is_doing(world: Bot) -> None:
    """The worklog and the log are read on the machine while it works, and kept afterwards."""
    async with terminal_of(world) as terminal:
        left = {"worklog.md": "- read it\n", "log": "no JSON\x1b[2J\n"}
        ended, running = await seed(
            terminal, Seed(7, documents=left), Seed(8, state=JobState.INVESTIGATING)
        )
        directory = world.machine.home / "ptq_workspace" / "jobs" / running
        directory.mkdir(parents=True)
        (directory / "worklog.md").write_text("## Run 1\n\nIt fails\x1b[2J.\n")
        async with served(terminal):
            peeked = await terminal.ptq("peek", "8", "--log", "5")
            assert peeked.out == snapshot("""\
───────────────────────────────────────────── worklog ──────────────────────────────────────────────
## Run 1

It fails[2J.
─────────────────────────────────── the last 0 lines of the log ────────────────────────────────────
""")
            kept = json.loads((await terminal.ptq("peek", ended, "--json")).out)

            port = world.machine.settings.port
            config = terminal.config.read_text()
            terminal.config.write_text(config.replace(f"port = {port}", "port = 1"))
            silent = await terminal.ptq("peek", "8")
            assert silent.err == snapshot(
                "ptq: its machine does not answer: this is what was known before\n"
            )
    assert kept["worklog"] == "- read it\n"
    assert not any("\x1b" in line for line in kept["log"])


async def test_entering_a_worktree(world: Bot) -> None:
    """One line logs in as ptq does, with the pinned key, and opens a shell as the agent has it."""
    async with terminal_of(world) as terminal:
        (job,) = await seed(terminal, Seed(7))
        worktree = world.machine.home / "ptq_workspace" / "jobs" / job / "pytorch"
        worktree.mkdir(parents=True)
        taken = await terminal.ptq("takeover", "7")
        pinned = (terminal.state / "known_hosts" / "gpu-1").read_text()
        there, _ = await (await terminal.start("takeover", "7")).communicate()
    python = world.machine.home / "ptq_workspace" / "jobs" / job / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch(mode=0o755)
    (world.machine.home / ".bashrc").write_text("PATH=/usr/bin:/bin\nPYTHONPATH=/elsewhere\n")
    entered = await asyncio.create_subprocess_exec(
        *("bash", "-c", shlex.split(there.decode())[-1]),
        env={"PATH": "/usr/bin:/bin", "HOME": str(world.machine.home)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    out, _ = await entered.communicate(b"pwd\ncommand -v python\necho $PYTHONPATH\n")
    assert out.decode().splitlines() == [str(worktree), str(python), str(worktree)]
    machine = world.machine.settings
    line = taken.out.replace(str(machine.port), "PORT").replace(machine.user, "USER")
    assert line == snapshot(
        "ssh -t -p PORT -i /srv/machine/id_ed25519 -o UserKnownHostsFile=/srv/own-state/known_hosts/gpu-1 -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes USER@127.0.0.1 'bash -lc '\"'\"'cd /home/USER/USER_workspace/jobs/YYYYMMDD-pytorch-7/pytorch && exec bash --rcfile <(echo '\"'\"'\"'\"'\"'\"'\"'\"'[ -f ~/.bashrc ] && . ~/.bashrc; export PYTHONPATH=/home/USER/USER_workspace/jobs/YYYYMMDD-pytorch-7/pytorch VIRTUAL_ENV=/home/USER/USER_workspace/jobs/YYYYMMDD-pytorch-7/.venv PATH=/home/USER/USER_workspace/jobs/YYYYMMDD-pytorch-7/.venv/bin:\"$PATH\"'\"'\"'\"'\"'\"'\"'\"'\"') -i'\"'\"''\n"
    )
    assert pinned == f"[{machine.host}]:{machine.port} {machine.known_hosts.strip()}\n"


async def test_a_terminal_without_jobs(world: Bot) -> None:
    """There is nothing to list before the first job, and how to ask for one is said."""
    async with terminal_of(world) as terminal:
        nothing = await terminal.ptq("list")
        assert (nothing.status, nothing.out) == (2, "")
        assert "there is no database to open" in nothing.err
        await seed(terminal)
        assert (await terminal.ptq("list")).out == snapshot(
            "There is no job yet: `ptq auto --issue N` asks for one.\n"
        )


async def test_how_a_job_may_be_named(world: Bot) -> None:
    """As in a comment; a number that means two issues is no name, and both jobs are told."""
    async with terminal_of(world) as terminal:
        await seed(terminal, Seed(7), Seed(8), Seed(7, repository="pytorch/vision"))
        eight = [await terminal.ptq("status", name, "--json") for name in ("8", "#8")]
        assert [json.loads(one.out)["issue"] for one in eight] == [8, 8]
        both = await terminal.ptq("clean", "7")
        exact = await terminal.ptq("status", "20260102-pytorch-7", "--json")
    assert (both.status, both.out, both.err) == snapshot(
        (
            1,
            "",
            "ptq: #7 is an issue of several repositories, so name one: YYYYMMDD-vision-7 of pytorch/vision, YYYYMMDD-pytorch-7 of pytorch/pytorch\n",
        )
    )
    assert json.loads(exact.out)["repository"] == "pytorch/pytorch"


@pytest.mark.parametrize(
    "command", ["status", "peek", "results", "kill", "follow", "takeover", "pr", "clean"]
)
async def test_a_job_that_is_not_there(world: Bot, command: str) -> None:
    """A wrong name is told, with an exit status that scripts can use."""
    async with terminal_of(world) as terminal:
        await seed(terminal)
        ended = await terminal.ptq(command, "9")
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith("ptq: there is no job 9 in this database")
