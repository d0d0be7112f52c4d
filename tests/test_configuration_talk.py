"""What a repository's configuration changes about the conversations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from tests import scenes
from tests.configured import configure
from tests.harness import MAINTAINER, REPORTER, REPOSITORY, STRANGER, TRIAGER

if TYPE_CHECKING:
    from tests.harness import Bot


async def configured(bot: Bot, text: str) -> None:
    """Put the file on the default branch."""
    await configure(bot.github.world.project(REPOSITORY), text)


async def answer(bot: Bot) -> str:
    """Return the next comment of the bot without its marker."""
    return (await bot.next_text()).partition("\n")[2]


async def nothing_began(bot: Bot) -> None:
    """Wait until all is handled; no job was made."""
    await bot.handled()
    assert await bot.service.jobs.unfinished() == []
    assert bot.machine.commands == []


@pytest.mark.parametrize("text", ["/ptq investigate", "/ptq help", "/ptq investgate"])
async def test_a_repository_switches_the_bot_off(bot: Bot, text: str) -> None:
    """Nothing is carried out; one line says why to those who triage here."""
    await configured(bot, "enabled: false")
    asked = await bot.comment(text, author=TRIAGER)
    assert await answer(bot) == snapshot(
        "@triager I cannot do that: `.github/ptq.yml` switches me off in this repository (`enabled: false`)."
    )
    ignored = await bot.comment(text, author=STRANGER)
    await nothing_began(bot)
    assert (bot.reactions(asked), bot.reactions(ignored)) == (["confused"], ["confused"])


async def test_a_repository_asks_for_more_than_write(bot: Bot) -> None:
    """Who may have a GPU is the repository's to say."""
    await configured(bot, "permission: maintain")
    await bot.comment("/ptq investigate", author=MAINTAINER)
    assert await answer(bot) == snapshot(
        "@maintainer I cannot do that: it takes maintain permission on this repository."
    )
    await nothing_began(bot)


async def test_a_repository_lets_triagers_ask(bot: Bot) -> None:
    """It may also be less than write, when the job begins too; having opened the issue is not it."""
    await configured(bot, "permission: triage")
    asked = await bot.comment("/ptq investigate", author=REPORTER)
    await nothing_began(bot)
    assert bot.reactions(asked) == ["confused"]
    await bot.comment("/ptq help", author=REPORTER)
    assert "I investigate issues" in await answer(bot)

    await bot.comment("/ptq investigate", author=TRIAGER)
    assert "by triager." in await bot.next_text()
    assert "ptq:closing" in await bot.next_text()


@pytest.mark.parametrize(
    ("file", "command", "told"),
    [
        (
            "limits: {hours: 2}",
            "--hours 3",
            snapshot("@maintainer I cannot do that: `--hours 3` is more than the 2 allowed here."),
        ),
        (
            "limits: {hours: 20}",
            "--hours 10",
            snapshot("@maintainer I cannot do that: `--hours 10` is more than the 8 allowed here."),
        ),
        (
            "limits: {gpus: 1}",
            "--gpus 2",
            snapshot("@maintainer I cannot do that: `--gpus 2` is more than the 1 allowed here."),
        ),
        (
            "limits: {usd: 2.5}",
            "--max-usd 3",
            snapshot(
                "@maintainer I cannot do that: `--max-usd 3` is more than the 2.5 allowed here."
            ),
        ),
        (
            "gpu_types: [h100, a100]",
            "--gpu-type b200",
            snapshot(
                "@maintainer I cannot do that: `--gpu-type b200` is not allowed here; there is `h100`, `a100`."
            ),
        ),
    ],
    ids=["hours", "operator", "gpus", "dollars", "type"],
)
async def test_more_than_the_repository_allows(
    bot: Bot, file: str, command: str, told: str
) -> None:
    """The smaller of the operator's and the repository's limits counts, and is told."""
    await configured(bot, file)
    asked = await bot.comment(f"/ptq investigate {command}")
    assert await answer(bot) == told
    await nothing_began(bot)
    assert bot.reactions(asked) == ["confused"]


async def test_what_nobody_said_is_made_to_fit(bot: Bot) -> None:
    """Defaults of the file stand under the command, and nothing unsaid is over a limit."""
    await configured(
        bot,
        "defaults: {gpus: 4, mode: reproduce, pr: false}\ncomments: none\n"
        "limits: {hours: 2, usd: 3, gpus: 4}\ngpu_types: [h100]",
    )
    await bot.comment("/ptq investigate --gpus 1 --mode fix")
    await bot.next_text()
    assert "`--no-pr`" in await bot.next_text()
    options = (await bot.job()).request.options
    assert options.model_dump(
        include={"gpus", "hours", "max_usd", "mode", "pr", "include_comments"}
    ) == snapshot(
        {
            "gpus": 1,
            "hours": 2.0,
            "max_usd": 3.0,
            "mode": "fix",
            "pr": False,
            "include_comments": "none",
        }
    )


async def test_a_broken_file_is_told_with_each_job(bot: Bot) -> None:
    """One comment says what is wrong, by line, and what counts instead; the job goes on."""
    await configured(bot, "enable: true\nlimits:\n  hours: many\n")
    asked = await bot.comment("/ptq investigate --no-pr")
    texts = [await bot.next_text() for _ in range(3)]
    note = next(text for text in texts if "ptq:reply" in text)
    assert note.partition("\n")[2] == snapshot("""\
@maintainer I went by the defaults, since `.github/ptq.yml` on the default branch is broken:

- line 1: there is no key `enable`. Did you mean `enabled`?
- line 3: `limits.hours`: input should be a valid number.\
""")
    assert bot.reactions(asked) == ["eyes"]
    await bot.job()


async def test_a_broken_file_is_told_with_a_refusal(bot: Bot) -> None:
    """Whose limits are older than the file has to know it; other answers do not speak of it."""
    await configured(bot, "a: 1\nb: 2\nc: 3\nd: 4\ne: 5\nf: 6\ng: 7")
    await bot.comment("/ptq investigate --hours 9")
    assert await answer(bot) == snapshot("""\
@maintainer I cannot do that: `--hours 9` is more than the 8 allowed here.

I went by the defaults, since `.github/ptq.yml` on the default branch is broken:

- line 1: there is no key `a`.
- line 2: there is no key `b`.
- line 3: there is no key `c`.
- line 4: there is no key `d`.
- line 5: there is no key `e`.
- and 2 problems more\
""")
    await bot.comment("/ptq help")
    assert "broken" not in await answer(bot)


async def test_a_path_that_the_repository_denies(bot: Bot) -> None:
    """What the operator allows can be closed, and the patch is shown instead."""
    await configured(bot, "paths: {deny: ['test/**']}")
    await bot.comment("/ptq investigate")
    await bot.next_text()
    assert "test/test_sequence.py: changes of test/** are not allowed here" in await bot.next_text()
    assert bot.github.pulls(REPOSITORY) == []


async def test_paths_that_the_repository_allows(bot: Bot) -> None:
    """Its list stands instead of the operator's."""
    await configured(bot, "paths: {allow: ['docs/**']}")
    await bot.comment("/ptq investigate")
    await bot.next_text()
    assert "not one of the files that may change here" in await bot.next_text()
    assert bot.github.pulls(REPOSITORY) == []


async def test_the_branch_that_pull_requests_are_made_against(bot: Bot) -> None:
    """A repository may take them elsewhere than on its default branch."""
    project = bot.github.world.project(REPOSITORY)
    head = await project.git.branch(project.default_branch)
    assert head is not None
    await project.git.set_branch("viable/strict", head)
    await configured(bot, "base_branch: viable/strict")
    await bot.comment("/ptq investigate")
    await bot.next_text()
    await bot.next_text()
    (pull,) = bot.github.pulls(REPOSITORY)
    assert pull.pull is not None
    assert pull.pull.base == "viable/strict"


async def test_a_branch_that_is_missing(bot: Bot) -> None:
    """Nothing is pushed, and the answer says which branch it is."""
    await configured(bot, "base_branch: stable")
    await bot.comment("/ptq investigate")
    await bot.next_text()
    assert "the branch stable" in await bot.next_text()
    assert bot.github.pulls(REPOSITORY) == []
    assert set(await bot.github.world.project(REPOSITORY).git.branches()) == {"main"}


async def test_a_repository_lets_compiled_code_change(bot: Bot) -> None:
    """The agent gets the means to build, and is told so."""
    await configured(bot, 'paths:\n  allow: ["**/*.py", "csrc/**"]')
    bot.agent_does(scenes.not_reproduced())
    await bot.comment("/ptq investigate")
    await bot.next_text()
    await bot.next_text()
    job = await bot.job()
    directory = bot.machine.home / "ptq_workspace" / "jobs" / job.id
    assert "rebuild.py" in (directory / "rebuild.sh").read_text()
    assert "C++ and CUDA code may be changed here too." in (directory / "brief.md").read_text()
