"""Which lines of a comment are commands."""

from __future__ import annotations

import pytest

from bot.commands import Help, Investigate, Mistake, Status, commands_added, parse_comment


def test_a_command_is_a_line_that_begins_with_ptq() -> None:
    """Case does not matter, nor up to three spaces before it."""
    assert parse_comment("Thanks!\n\n   /PTQ Help") == [Help()]
    assert parse_comment("/ptq") == [Help()]
    assert parse_comment("/ptq\thelp\r\n") == [Help()]
    assert parse_comment("/ptq\u00a0help") == [Help()]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "nothing to see",
        "please /ptq help",
        "/ptqfoo",
        "/ptq-help",
        "    /ptq help",
        "\t/ptq help",
        "- /ptq help",
        "> /ptq help",
        "> quoted\n/ptq help",
        "> - /ptq help",
        "```\n/ptq help\n```",
        "~~~sh\n/ptq help\n~~~",
        "```\n/ptq help",
        "- list\n\n      /ptq help",
        "<!--\n/ptq help\n-->",
        "text <!-- hidden\n/ptq help\n--> text",
        "a `code span\n/ptq help\nends here`",
        "<pre>\n/ptq help\n</pre>",
        "<blockquote>\n\n/ptq help\n\n</blockquote>",
        "<div><!--\n\n/ptq help",
        "`/ptq help`",
    ],
)
def test_quotes_code_and_comments_hold_no_commands(body: str) -> None:
    """What a reader sees as a quote or as code, or does not see at all, is not carried out."""
    assert parse_comment(body) == []


@pytest.mark.parametrize(
    "body",
    [
        "> quoted\n\n/ptq help",
        "- a list\n/ptq help",
        "1. a list\n\n   /ptq help",
        "text\n/ptq help\ntext",
        "/ptq help\n---",
        "```\ncode\n```\n/ptq help",
        "<!-- note -->\n/ptq help",
        "`<!--`\n/ptq help\n`-->`",
        "an open ` backtick\n/ptq help",
        "an open <!-- comment\n/ptq help",
        '<img width="10" src="https://example.org/a.png">\n/ptq help',
        "<details>\n/ptq help\n</details>",
        "[a]: /b\n/ptq help",
    ],
)
def test_everywhere_else_a_command_counts(body: str) -> None:
    """A command may stand under a list, an image or a code block."""
    assert parse_comment(body) == [Help()]


def test_the_lines_below_are_guidance() -> None:
    """Guidance reaches to the next command and is kept as it was written."""
    body = (
        "/ptq investigate\nIt needs **two** ranks.\n\n> /ptq help\n\n```\nx = 1\n```\n/ptq status\n"
    )
    assert parse_comment(body) == [
        Investigate(guidance="It needs **two** ranks.\n\n> /ptq help\n\n```\nx = 1\n```"),
        Status(),
    ]


def test_long_guidance_is_cut_and_says_so() -> None:
    """At most 20,000 characters of guidance are kept."""
    (command,) = parse_comment("/ptq investigate\n" + "x" * 30_000)

    assert isinstance(command, Investigate)
    assert len(command.guidance) == 20_000
    assert command.guidance.endswith(
        "x\n[The text was cut here: it is longer than 20,000 characters.]"
    )


def test_a_comment_holds_three_commands() -> None:
    """The first three are read; the others are one mistake."""
    assert parse_comment("/ptq help\n" * 5) == [
        Help(),
        Help(),
        Help(),
        Mistake("A comment can hold 3 commands, and this one holds 5: only the first 3 were read."),
    ]


def test_an_edit_that_adds_a_command_is_noticed() -> None:
    """A command that is new or changed counts as added."""
    assert commands_added("hello", "hello\n\n/ptq help") == [Help()]
    assert commands_added("/ptq hepl", "/ptq help") == [Help()]
    assert commands_added("/ptq help", "/ptq help\n/ptq help") == [Help()]
    assert commands_added("> /ptq help", "/ptq help") == [Help()]


def test_an_edit_that_adds_no_command_is_let_be() -> None:
    """Moved commands, changed guidance and removed commands are nothing new."""
    assert commands_added("/ptq  help", "hello\n\n/ptq help") == []
    assert commands_added("/ptq investigate\nold", "/ptq investigate\nnew") == []
    assert commands_added("/ptq help\n/ptq help", "/ptq help") == []
    assert commands_added("/ptq help", "") == []
