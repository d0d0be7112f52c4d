"""What ``.github/ptq.yml`` may say, and what is told about one that is wrong."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, strategies as st
from inline_snapshot import external_file, snapshot
from jsonschema import Draft202012Validator

from bot.configuration import Problem, RepositoryConfiguration, read, schema
from bot.models import IncludeComments, JobOptions, Mode, Permission

DEPLOY = Path(__file__).parent.parent / "deploy"
EXAMPLE = DEPLOY / "ptq.yml.example"
SCHEMA = "../deploy/ptq.schema.json"


def right(text: str) -> RepositoryConfiguration:
    """Read a file that is right."""
    told = read(text)
    assert isinstance(told, RepositoryConfiguration), told
    return told


def wrong(text: str) -> list[str]:
    """Read a file that is wrong; return what is told."""
    told = read(text)
    assert not isinstance(told, RepositoryConfiguration)
    return [str(problem) for problem in told]


@pytest.mark.parametrize("text", ["", "\n# nothing\n", "---\n", "labels:\nlimits:\n", "{}"])
def test_every_key_is_optional(text: str) -> None:
    """A file that says nothing, or a key without a value, changes nothing."""
    assert right(text) == RepositoryConfiguration()


def test_the_defaults() -> None:
    """Without a file: write permission, two labels, no limits of its own."""
    configuration = RepositoryConfiguration()
    assert configuration.enabled
    assert configuration.permission is Permission.WRITE
    assert configuration.command_of("PTQ") == "investigate"
    assert configuration.command_of("ptq-repro") == "investigate --mode reproduce"
    assert configuration.job_options() == JobOptions()
    assert configuration.outcomes.names == ()


def test_the_example_says_every_key_and_is_right() -> None:
    """What people copy works, and shows all there is."""
    text = EXAMPLE.read_text()
    configuration = right(text)
    assert configuration.model_fields_set == set(RepositoryConfiguration.model_fields)
    Draft202012Validator(schema()).validate(yaml.safe_load(text))  # pyright: ignore[reportUnknownMemberType] -- untyped


def test_the_published_schema_is_that_of_the_file() -> None:
    """Editors check what the bot checks; `--inline-snapshot=fix` writes it anew."""
    Draft202012Validator.check_schema(schema())
    assert schema() == external_file(SCHEMA)


def test_what_a_job_gets_that_says_nothing() -> None:
    """Options of the file stand for those that a command does not say."""
    configuration = right("defaults: {mode: reproduce, pr: false, hours: 2}\ncomments: none\n")
    assert configuration.job_options() == JobOptions(
        mode=Mode.REPRODUCE, pr=False, hours=2, include_comments=IncludeComments.NONE
    )


def test_names_of_labels_are_taken_as_they_are_written() -> None:
    """YAML would make numbers and booleans of some; a label is a name."""
    configuration = right(
        "labels:\n  404: investigate\n  on: 'investigate -p x'\n  2: investigate\n"
    )
    assert set(configuration.labels) == {"404", "on", "2"}
    assert right("labels: {}").labels == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\nenable: true", snapshot(["line 2: there is no key `enable`. Did you mean `enabled`?"])),
        (
            "limits:\n  hour: 3\n  gpus: 99",
            snapshot(
                [
                    "line 2: there is no key `limits.hour`. Did you mean `hours`?",
                    "line 3: `limits.gpus`: input should be less than or equal to 16.",
                ]
            ),
        ),
        ("enabled: 'yes'", snapshot(["line 1: `enabled`: input should be a valid boolean."])),
        (
            "limits: {hours: '3'}",
            snapshot(["line 1: `limits.hours`: input should be a valid number."]),
        ),
        ("limits: {usd: .inf}", snapshot(["line 1: `.inf` cannot be read as what it should be."])),
        (
            "permission: read",
            snapshot(["line 1: `permission` takes `triage`, `write`, `maintain` or `admin`."]),
        ),
        (
            "permission: everybody",
            snapshot(
                [
                    "line 1: `permission`: input should be 'none', 'read', 'triage', 'write', 'maintain' or 'admin'."
                ]
            ),
        ),
        (
            "labels:\n  ptq: investgate\n  x: help\n  y: --gpus 2",
            snapshot(
                [
                    "line 2: There is no command `investgate`. Did you mean `/ptq investigate`?",
                    "line 3: a label can stand for `investigate` and its options only.",
                    "line 4: The command is missing before `--gpus`: write `/ptq investigate` first.",
                ]
            ),
        ),
        (
            "labels:\n  ptq: investigate\n  PTQ: investigate",
            snapshot(
                [
                    "line 2: `ptq` stands here twice: GitHub's labels count in any case.",
                    "line 3: `PTQ` stands here twice: GitHub's labels count in any case.",
                ]
            ),
        ),
        (
            "outcomes:\n  fixed: Ptq",
            snapshot(["line 2: the label `Ptq` stands for a command in `labels`."]),
        ),
        (
            "defaults:\n  hours: 9\n  gpu_type: h100\nlimits: {hours: 3}\ngpu_types: [a100]",
            snapshot(
                [
                    "line 2: 9 is more than the 3 of `limits`.",
                    "line 3: `h100` is not among `gpu_types`.",
                ]
            ),
        ),
        (
            "comments: all\ndefaults: {include_comments: none}",
            snapshot(["line 2: this is said by `comments` already."]),
        ),
        ("gpu_types: []", snapshot(["line 1: `gpu_types` is empty."])),
        (
            "base_branch: a b",
            snapshot(["line 1: `base_branch` is not written as it must be: `a b`."]),
        ),
        (
            "base_branch: 2024-01-01",
            snapshot(["line 1: `2024-01-01` is no text to YAML: put it in quotes."]),
        ),
        (
            "paths:\n  deny:\n  - '**/a'\n  - 7\n  - '*a*a*a*a*a*a*a'",
            snapshot(
                [
                    "line 4: `paths.deny[1]`: input should be a valid string.",
                    "line 5: `paths.deny[2]` has more than 6 wildcards.",
                ]
            ),
        ),
        ("enabled: true\nenabled: false", snapshot(["line 2: `enabled` stands here twice."])),
        ("- a\n- b", snapshot(["line 1: it holds no keys with values."])),
        ("? [a]\n: b", snapshot(["line 1: a key is a word, not a list or a mapping."])),
        (
            "a: 1\n\tb: 2",
            snapshot(
                ["line 2: this is not YAML: `found character '\\t' that cannot start any token`."]
            ),
        ),
        (
            "a: 1\n---\nb: 2",
            snapshot(["line 2: this is not YAML: `but found another document`."]),
        ),
        ("a: \x00", snapshot(["line 1: there is a character that YAML does not allow."])),
        (
            "a: &b [1]\nc: *b",
            snapshot(["line 1: anchors (`&`) and aliases (`*`) are not taken."]),
        ),
        (
            "base_branch: !!python/object/apply:os.system ls",
            snapshot(["line 1: `ls` is no text to YAML: put it in quotes."]),
        ),
        (
            "'@pytorch/all [x](http://x) `': 1",
            snapshot(["line 1: there is no key `` @pytorch/all [x](http://x) ` ``."]),
        ),
    ],
)
def test_what_is_wrong_is_told_by_line(text: str, told: list[str]) -> None:
    """Unknown keys, wrong values, contradictions, and what is no YAML; nothing of it is Markdown."""
    assert wrong(text) == told


@pytest.mark.parametrize(
    "text",
    [
        "x: " + "[" * 65_000,
        "x: " + "{" * 65_000,
        "[a, " * 16_000,
        "\n".join(f"{' ' * depth}a:" for depth in range(350)),
        "a: &a [x]\n" + "\n".join(f"b{n}: [*a, *a, *a]" for n in range(1000)),
        "enabled: " + "9" * 65_000,
        "enabled: 0b" + "1" * 65_000,
        'base_branch: "\\uD800"',
        '"\\uD800": 1',
        "<<: {enabled: false}",
    ],
    ids=[
        "lists",
        "mappings",
        "mixed",
        "blocks",
        "bomb",
        "number",
        "binary",
        "half",
        "half a key",
        "merge",
    ],
)
def test_a_hostile_file_is_refused_quickly(text: str) -> None:
    """No file of 64 kB keeps the bot busy, whatever it is made of."""
    began = time.process_time()
    assert wrong(text)
    assert time.process_time() - began < 5


@given(st.text(alphabet=st.sampled_from("a:-[]{}&*!|>'\"#%@`?, \n\t1.true"), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Reading never raises."""
    told = read(text)
    assert isinstance(told, RepositoryConfiguration) or all(isinstance(p, Problem) for p in told)


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(RepositoryConfiguration.model_fields)), _ANY))
def test_any_value_is_taken_or_refused(values: dict[str, Any]) -> None:
    """Whatever stands under a key, reading never raises."""
    told = read(yaml.safe_dump(values, allow_unicode=True))
    assert isinstance(told, RepositoryConfiguration) or told
