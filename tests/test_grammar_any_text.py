"""Any text is read without an error."""

from __future__ import annotations

import shlex

from hypothesis import example, given, settings, strategies as st

from bot.commands import (
    commands_added,
    parse_comment,
)
from bot.commands.words import split

_TEXT = st.text(max_size=300) | st.lists(
    st.sampled_from(
        [
            *("/ptq ", "/ptq investigate ", "help ", "--gpus ", "2 ", "-p ", "@agent-X ", "x"),
            *("\n", "\r", "\t", "\0", "    ", "> ", "- ", "1. ", "```", "~~~", "`", "'", '"', "\\"),
            *("<!--", "-->", "<pre>", "</pre>", "<div>", "<blockquote>", "</blockquote>"),
            *("\u201c", "\u2019", "\u2014", "\ud800", "\u00a0"),
        ]
    ),
    max_size=60,
).map("".join)


@given(_TEXT)
@settings(max_examples=300, deadline=None)
@example("/ptq \\")
@example("/ptq 'a\\'")
def test_any_text_parses(body: str) -> None:
    """Nothing that a person can write raises."""
    commands = parse_comment(body)
    assert len(commands) <= 4
    assert commands_added(body, body) == []
    assert len(commands_added("", body)) == min(len(commands), 3)


@given(st.text(alphabet=" ab'\"\\-=\t", max_size=40))
@settings(max_examples=300, deadline=None)
def test_words_are_split_as_a_shell_splits_them(line: str) -> None:
    """Quotes and backslashes mean what they mean in a shell."""
    words = split(line)
    try:
        expected = shlex.split(line)
    except ValueError:
        assert words[-1].is_unclosed
    else:
        assert [word.text for word in words] == expected
