"""What a command line means, and what is said of a wrong one."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from bot.commands import (
    OPTIONS,
    Help,
    Investigate,
    Mistake,
    OptionChanges,
    parse_comment,
)
from bot.models import IncludeComments, JobOptions, Mode


def _only(body: str) -> object:
    (command,) = parse_comment(body)
    return command


def _investigate(body: str) -> Investigate:
    command = _only(body)
    assert isinstance(command, Investigate), command
    return command


def _wrong(body: str) -> str:
    command = _only(body)
    assert isinstance(command, Mistake), command
    return command.text


def test_every_option_of_a_job_can_be_given() -> None:
    """Each option sets its field, and nothing else."""
    command = _investigate(
        "/ptq investigate --gpu-type A100 --gpus=2 --hours 1.5 --agent codex --model sonnet[1m] "
        "--max-turns 7 --max-usd $2.50 --mode Reproduce --no-pr --machine gpu-1 --dockerfile "
        "docker/Dockerfile --include-comments none @agent-CudaSpecialist @agent-cudaspecialist"
    )
    assert command.guidance == ""
    assert command.changes.apply(JobOptions()) == JobOptions(
        gpu_type="a100",
        gpus=2,
        hours=1.5,
        agent="codex",
        model="sonnet[1m]",
        max_turns=7,
        max_usd=2.5,
        mode=Mode.REPRODUCE,
        pr=False,
        machine="gpu-1",
        dockerfile="docker/Dockerfile",
        include_comments=IncludeComments.NONE,
        specialists=("cudaspecialist",),
    )


def test_the_table_knows_every_field_of_a_job() -> None:
    """No option of a job can be forgotten in the grammar."""
    fields = {option.field for option in OPTIONS if option.field is not None}
    assert fields | {"specialists"} == set(JobOptions.model_fields)


def test_what_was_not_said_stays_with_the_defaults() -> None:
    """A repository's own defaults hold for the options that a command does not name."""
    defaults = JobOptions(gpu_type="l4", gpus=4, pr=False)
    changes = _investigate("/ptq investigate --gpus 1").changes
    assert changes.said == {"gpus"}
    assert changes.apply(defaults) == JobOptions(gpu_type="l4", gpus=1, pr=False)
    assert OptionChanges().apply(defaults) == defaults


@pytest.mark.parametrize(
    ("line", "guidance"),
    [
        ("--prompt 'look at dtypes'", "look at dtypes"),
        ('-p "say \\"hi\\""', 'say "hi"'),
        ("-m=short --no-pr", "short"),
        ("--gpus 2 don't look at `dtype`s", "don't look at `dtype`s"),
        ("'the whole thing'", "the whole thing"),
        ("-p one -m two three four", "one\n\ntwo\n\nthree four"),
        ("-- --gpus of what?", "--gpus of what?"),
        ("run python -m pytest -p no:x", "run python -m pytest -p no:x"),
        ("ask @agent-CudaSpecialist first", "ask @agent-CudaSpecialist first"),
        ("— look there", "— look there"),
    ],
)
def test_guidance_may_stand_on_the_line(line: str, guidance: str) -> None:
    """Guidance follows the options, in quotes or not, or stands in --prompt and --message."""
    assert _investigate(f"/ptq investigate {line}").guidance == guidance


def test_guidance_of_line_and_below_are_joined() -> None:
    """Nothing that was said is lost."""
    command = _investigate("/ptq investigate -p one two\nthree")
    assert command.guidance == "one\n\ntwo\n\nthree"


def test_a_specialist_may_be_named_in_guidance() -> None:
    """Who is asked for anywhere on the command's line is asked."""
    command = _investigate("/ptq investigate ask @agent-CudaSpecialist → @agent-TestArchitect, ok")
    assert command.changes.options.specialists == ("CudaSpecialist", "TestArchitect")


def test_what_phones_write_is_understood() -> None:
    """Long dashes and typographic quotes are what they were meant to be."""
    command = _investigate("/ptq investigate —gpus 2 –p “don’t touch C++” —no-pr")
    assert command.guidance == "don’t touch C++"
    assert command.changes.said == {"gpus", "pr"}


@pytest.mark.parametrize("word", ["/ptq --help", "/ptq -h", "/ptq HELP"])
def test_help_can_be_asked_for_in_many_ways(word: str) -> None:
    """Help is where a person tries first."""
    assert _only(word) == Help()


def test_help_of_one_command() -> None:
    """Help knows the commands by name."""
    assert _only("/ptq help investigate") == Help("investigate")
    assert _only("/ptq help /ptq") == Help()
    assert _only("/ptq investigate --gpus 2 --help") == Help("investigate")
    assert _only("/ptq help stop") == Help("kill")
    assert _only("/ptq peek --log 5 --help") == Help("peek")


def test_wrong_commands_are_explained() -> None:
    """The answer says what was wrong, the nearest command, and the usage."""
    assert _wrong("/ptq investgate") == snapshot("""\
There is no command `investgate`. Did you mean `/ptq investigate`?

The commands are `investigate`, `run`, `rerun`, `status`, `peek`, `results`, `pr`, `list`, `kill`, `extend`, `clean`, `help`; `/ptq help` explains them.\
""")
    assert _wrong("/ptq --gpus 2") == snapshot("""\
The command is missing before `--gpus`: write `/ptq investigate` first.

The commands are `investigate`, `run`, `rerun`, `status`, `peek`, `results`, `pr`, `list`, `kill`, `extend`, `clean`, `help`; `/ptq help` explains them.\
""")
    assert _wrong("/ptq help investigat") == snapshot("""\
There is no command `investigat`. Did you mean `/ptq investigate`?

Usage: `/ptq help [COMMAND]`\
""")
    assert _wrong("/ptq please fix it") == snapshot("""\
There is no command `please`.

The commands are `investigate`, `run`, `rerun`, `status`, `peek`, `results`, `pr`, `list`, `kill`, `extend`, `clean`, `help`; `/ptq help` explains them.\
""")


def test_wrong_options_are_explained() -> None:
    """The answer names the option, what it takes and what was given."""
    lines = [
        "--gpuz 2",
        "--gpu_type h100",
        "--frobnicate",
        "-x",
        "--gpus",
        "--gpus --hours 2",
        "--gpus=",
        "--gpus 99",
        "--gpus -1",
        "--gpus two",
        "--gpus 1.5",
        "--hours 0",
        "--hours nan",
        "--max-usd inf",
        "--max-turns 0",
        "--mode repro",
        "--include-comments some",
        "--gpu-type 'h 100'",
        "--model ''",
        "--machine ../x",
        "--dockerfile ../../etc/passwd",
        "--no-pr=yes",
        "--gpus 1 --gpus 2",
        "-p a --prompt b",
        "--follow",
        "--no-follow",
        "-i task.md",
        '-p "never closed',
        '"never closed',
        "please use --gpus 2",
    ]
    usage = (
        "\n\nUsage: `/ptq investigate [options] [guidance]` · `/ptq help investigate` says more."
    )
    answers = {line: _wrong(f"/ptq investigate {line}") for line in lines}

    assert all(answer.endswith(usage) for answer in answers.values())
    assert {line: answer.removesuffix(usage) for line, answer in answers.items()} == snapshot(
        {
            "--gpuz 2": "There is no option `--gpuz`. Did you mean `--gpus`?",
            "--gpu_type h100": "There is no option `--gpu_type`. Did you mean `--gpu-type`?",
            "--frobnicate": "There is no option `--frobnicate`.",
            "-x": "There is no option `-x`.",
            "--gpus": "`--gpus` needs a value: a whole number from 1 to 16.",
            "--gpus --hours 2": "`--gpus` needs a value: a whole number from 1 to 16.",
            "--gpus=": "`--gpus` needs a value: a whole number from 1 to 16.",
            "--gpus 99": "`--gpus` takes a whole number from 1 to 16, not `99`.",
            "--gpus -1": "`--gpus` takes a whole number from 1 to 16, not `-1`.",
            "--gpus two": "`--gpus` takes a whole number from 1 to 16, not `two`.",
            "--gpus 1.5": "`--gpus` takes a whole number from 1 to 16, not `1.5`.",
            "--hours 0": "`--hours` takes a number above 0 and up to 24, not `0`.",
            "--hours nan": "`--hours` takes a number above 0 and up to 24, not `nan`.",
            "--max-usd inf": "`--max-usd` takes a number above 0 and up to 1000, not `inf`.",
            "--max-turns 0": "`--max-turns` takes a whole number from 1 to 1000, not `0`.",
            "--mode repro": "`--mode` takes `reproduce`, `diagnose` or `fix`, not `repro`.",
            "--include-comments some": "`--include-comments` takes `all`, `trusted` or `none`, not `some`.",
            "--gpu-type 'h 100'": "`--gpu-type` takes a name of lower-case letters, digits, `-` and `_`, such as `h100`, not `h 100`.",
            "--model ''": "`--model` needs a value: a model's name, such as `opus`.",
            "--machine ../x": "`--machine` takes a machine's name: letters, digits, `.`, `_` and `-`, not `../x`.",
            "--dockerfile ../../etc/passwd": "`--dockerfile` takes a path in the repository: letters, digits, `.`, `_`, `-` and `/`, not `../../etc/passwd`.",
            "--no-pr=yes": "`--no-pr` takes no value.",
            "--gpus 1 --gpus 2": "`--gpus` is given twice: once is enough.",
            "-p a --prompt b": "`--prompt` is given twice: once is enough.",
            "--follow": "`--follow` works in a terminal only: leave it out of a comment.",
            "--no-follow": "`--no-follow` works in a terminal only: leave it out of a comment.",
            "-i task.md": "`--input` works in a terminal only: leave it out of a comment.",
            '-p "never closed': 'A quote is opened and never closed: `"never closed`.',
            '"never closed': 'A quote is opened and never closed: `"never closed`.',
            "please use --gpus 2": "`--gpus` stands after the guidance: put options first, or the guidance on its own lines under the command.",
        }
    )


def test_too_many_specialists_are_refused() -> None:
    """A command asks eight specialists at most."""
    names = " ".join(f"@agent-S{n}" for n in range(9))
    assert "can ask 8 specialists, and this one asks 9" in _wrong(f"/ptq investigate {names}")


@pytest.mark.parametrize(
    "word",
    [
        "`",
        "``x``",
        "`@user`",
        "<img/src=x>",
        "\u202eevil",
        "x" * 10_000,
        "`" * 500,
        "a\u200bb",
        "|",
    ],
)
def test_what_was_typed_cannot_break_out_of_the_answer(word: str) -> None:
    """A word is shown back as a code span, short and on one line."""
    for text in (_wrong(f"/ptq {word}"), _wrong(f"/ptq investigate --gpus {word}")):
        assert len(text) < 700
        assert "\u202e" not in text
        assert "\u200b" not in text
        before = text.partition("\n")[0]
        assert before.count("@user") == before.count("`@user`") or "`` `@user` ``" in before
