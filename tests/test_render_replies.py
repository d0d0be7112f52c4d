"""The short answers, word for word."""

from __future__ import annotations

from inline_snapshot import snapshot

from bot import render
from bot.commands import Mistake, parse_comment
from bot.errors import (
    AgentError,
    CommandFailed,
    ConfigurationError,
    GitHubRejected,
    GitHubUnavailable,
    MachineUnreachable,
    NoMachine,
    PatchRefused,
    PtqError,
    Refusal,
    WorkspaceError,
)
from bot.models import JobId
from bot.redaction import Redactor


def test_help_names_every_command() -> None:
    """Nothing is offered that would be answered with "not yet"."""
    assert render.help_text() == snapshot("""\
I investigate issues of this repository on a GPU machine, with a coding agent.

- `/ptq investigate [options] [guidance]`: reproduce the bug of this issue, find its cause and try to fix it, on a GPU machine.
- `/ptq run [options] -m "task"`: the same for a free task.
- `/ptq rerun [options] [guidance]`: the next run of this issue's job, which goes on from the last one.
- `/ptq status [JOB]`: how far a job is: its state, place in the queue, machine, spend and time left.
- `/ptq peek [--log N] [JOB]`: the worklog, and the end of the agent's log.
- `/ptq results [JOB]`: the verdict, the report, the patch, the worklog and the log.
- `/ptq pr [JOB]`: open the draft pull request of a job that ran with `--no-pr`.
- `/ptq list`: the jobs of this repository and where they are.
- `/ptq kill [JOB]`: stop the agent, keep what it wrote, give the GPU back.
- `/ptq extend --hours H [JOB]`: more time on the machine.
- `/ptq clean [JOB]`: remove a job's files from its machine.
- `/ptq help [COMMAND]`: these commands, or one of them in full.

A command is a line of its own that begins with `/ptq`, in a new comment. The lines under it are guidance for the agent.\
""")


def test_help_of_investigate_lists_every_option() -> None:
    """Each option stands with its values and its default."""
    assert render.help_text("investigate") == snapshot("""\
`/ptq investigate [options] [guidance]`: reproduce the bug of this issue, find its cause and try to fix it, on a GPU machine.

| option | what it does |
|---|---|
| `--gpu-type TYPE` | the kind of GPU (default `h100`) |
| `--gpus N` | how many GPUs: a whole number from 1 to 16 (default `1`) |
| `--hours H` | the most hours the machine is kept: a number above 0 and up to 24 (default `4`) |
| `--agent NAME` | the coding agent (default `claude`) |
| `--model NAME` | the agent's model (default `opus`) |
| `--max-turns N` | the most turns of the agent: a whole number from 1 to 1000 (default `100`) |
| `--max-usd USD` | the most US dollars spent on the model: a number above 0 and up to 1000 |
| `--mode MODE` | how far to go: `reproduce` the bug, `diagnose` its cause, or `fix` it (default `fix`) |
| `--no-pr` | show the patch, and open no draft pull request |
| `--machine NAME` | one machine, by its name |
| `--dockerfile PATH` | the Dockerfile of the machine's image, by its path in the repository |
| `--include-comments WHOSE` | which comments the agent reads: `all`, `none`, or those of the issue's author and of people with the right to triage (`trusted`) (default `trusted`) |
| `--prompt TEXT`, `-p` | guidance for the agent; the lines under the command are guidance too |
| `--message TEXT`, `-m` | the same as `--prompt` |
| `@agent-NAME` | ask one specialist |

Guidance is what you would tell a colleague: where to look, what you tried. It stands after the options or on the lines under the command. For example:

```
/ptq investigate --gpus 2 --no-pr
It only happens with two processes.
```\
""")


def test_answers_to_commands() -> None:
    """Each answer speaks to the person who wrote the command."""
    (wrong,) = parse_comment("/ptq investigate --gpus 99")
    assert isinstance(wrong, Mistake)
    assert render.mistake("alice", wrong) == snapshot("""\
@alice `--gpus` takes a whole number from 1 to 16, not `99`.

Usage: `/ptq investigate [options] [guidance]` · `/ptq help investigate` says more.\
""")
    assert render.refused("alice", "it takes the right to write to this repository.") == snapshot(
        "@alice I cannot do that: it takes the right to write to this repository."
    )
    assert render.edited_comment("alice") == snapshot(
        "@alice I read commands in new comments only, so the one that was just added to this comment is not carried out. Please write it in a new comment."
    )
    assert render.already_running(
        "alice", job_id="20260102-pytorch-7", progress_url="https://github.com/o/r/issues/7#x"
    ) == snapshot(
        "@alice This issue is being investigated already, in job [`20260102-pytorch-7`](https://github.com/o/r/issues/7#x). Please ask again when it has ended."
    )
    assert render.already_running(
        "alice", job_id="20260102-pytorch-7", progress_url=None
    ) == snapshot(
        "@alice This issue is being investigated already, in job `20260102-pytorch-7`. Please ask again when it has ended."
    )


def test_a_name_that_is_no_login_mentions_nobody() -> None:
    """What GitHub would not give as a login is shown as code."""
    assert render.refused("a/b @all", "no.") == snapshot("`a/b @all` I cannot do that: no.")


def test_problems_are_told_without_addresses() -> None:
    """People read what failed; where it failed is for the operator's log."""
    errors: list[PtqError] = [
        MachineUnreachable("ssh root@10.0.0.7:2222: connection refused"),
        NoMachine("no machine of the pool has 4 × b200", final=True),
        CommandFailed(("git", "clone"), 128, "fatal: hunter2hunter2"),
        WorkspaceError("the wheel's commit 0123abcd is not in the source (token hunter2hunter2)"),
        AgentError("claude: not found in /opt/x"),
        PatchRefused("`.github/workflows/x.yml` may not be changed"),
        GitHubUnavailable("502"),
        GitHubRejected("422", status=422),
        Refusal("The limit is 8 hours."),
        ConfigurationError("PTQ_X: no"),
    ]
    redactor = Redactor(["hunter2hunter2"])
    assert [render.problem(error, redactor=redactor) for error in errors] == snapshot(
        [
            "The connection to the machine was lost, or never made.",
            "There is no machine for it: no machine of the pool has 4 × b200.",
            "A command on the machine failed.",
            "The PyTorch workspace could not be prepared: the wheel's commit 0123abcd is not in the source (token \\[redacted]).",
            "The agent could not be started on the machine.",
            "The patch may not be published: `.github/workflows/x.yml` may not be changed.",
            "GitHub could not be reached for too long.",
            "GitHub refused a request.",
            "The limit is 8 hours.",
            "Something went wrong inside ptq; its operator can see what in the log.",
        ]
    )


def test_markers_find_our_own_comments() -> None:
    """A marker counts at the beginning of a body only: a report may quote one."""
    progress = render.progress_marker(JobId("20260102-pytorch-7"))
    assert progress == snapshot("<!-- ptq:progress job=20260102-pytorch-7 run=1 -->")
    assert render.closing_marker(JobId("20260102-pytorch-7"), run=2) == snapshot(
        "<!-- ptq:closing job=20260102-pytorch-7 run=2 -->"
    )
    assert render.pull_marker(JobId("20260102-pytorch-7")) == snapshot(
        "<!-- ptq:pull job=20260102-pytorch-7 run=1 -->"
    )
    assert render.reply_marker(12, ordinal=2) == snapshot("<!-- ptq:reply comment=12 command=2 -->")

    assert render.carries(render.marked(progress, "text"), progress)
    assert not render.carries(f"```\n{progress}\n```", progress)
    assert not render.carries("<!-- ptq:progress job=20260102-pytorch-70 run=1 -->", progress)
    assert render.marked(None, "text") == "text"
