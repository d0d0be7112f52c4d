"""What a reader of GitHub's page does not see is taken out."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import example, given, strategies as st

from bot.hidden_text import strip_hidden, strip_invisible
from tests.processor_time import seconds, takes_less_than


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("before <!-- hidden --> after", "before  after"),
        ("a<!-- hidden -->b", "a b"),
        ("<!-- hidden\n\nover paragraphs -->\nseen", "\nseen"),
        ("seen\n\n<!-- never closed\n\nhidden", "seen\n\n"),
        (
            "1 <!-- not closed in its paragraph\n\nseen",
            "1 <!-- not closed in its paragraph\n\nseen",
        ),
        ("<!--> seen <!---> seen too", " seen  seen too"),
        ("a <?php hidden ?> b", "a  b"),
        ("a <![CDATA[ hidden ]]> b", "a  b"),
        ("a <!DOCTYPE hidden> b", "a  b"),
        ("> <!-- hidden\n> too -->\n> seen", "> \n> seen"),
        ("- <!-- hidden -->\n- seen", "- \n- seen"),
        ("<div>\n<!-- hidden\n\nmore --> seen", "<div>\n seen"),
        ("<<!-- a -->!-- b -->", "< !-- b -->"),
        ("| a |\n|---|\n| `x <!-- hidden --> ` |", "| a |\n|---|\n| `x  ` |"),
    ],
)
def test_comments_are_taken_out(text: str, seen: str) -> None:
    """An HTML comment is gone wherever GitHub does not show it, closed or not."""
    assert strip_hidden(text) == seen


@pytest.mark.parametrize(
    "text",
    [
        "```html\n<!-- shown -->\n```",
        "~~~\n<!-- shown, never closed\n~~~\nseen",
        "text\n\n    <!-- shown -->\n",
        "`<!-- shown -->`",
        "``a ` <!-- shown -->``",
        r"\<!-- shown -->",
        "- item\n\n  ```\n  <!-- shown -->\n  ```",
        "a < b and c > d",
        "std::vector<float> x;",
        "<details><summary>more</summary>\n\nseen\n\n</details>",
    ],
)
def test_code_and_plain_text_stay(text: str) -> None:
    """GitHub shows comments in code as they are, and so do we."""
    assert strip_hidden(text) == text


def test_an_unmatched_backtick_hides_nothing() -> None:
    """A backtick that opens no code span does not protect a comment."""
    assert strip_hidden("a ` b <!-- hidden --> c `` d") == "a ` b  c `` d"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("zero\u200bwidth\u2060\ufeff", "zerowidth"),
        ("bidi \u202egnp\u202c \u2066x\u2069\u200f", "bidi gnp x"),
        ("tags" + "".join(chr(0xE0000 + ord(c)) for c in "ignore"), "tags"),
        ("a\ufe00\ufe01\U000e0100b", "ab"),
        ("soft\u00adhyphen", "softhyphen"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("bell\x07 escape\x1b[31m", "bell escape[31m"),
        ("half \ud83d pair", "half \ufffd pair"),
        ("👩\u200d💻 ❤\ufe0f 1\ufe0f\u20e3", "👩\u200d💻 ❤\ufe0f 1\ufe0f\u20e3"),
        ("👩🏽\u200d🚀 ❤\ufe0f\u200d🔥", "👩🏽\u200d🚀 ❤\ufe0f\u200d🔥"),
        ("❤\ufe0f\ufe0f\ufe0f", "❤\ufe0f"),
        ("a\u200d💻", "a💻"),
        ("\tdef f():\n\t\treturn 'é漢字'", "\tdef f():\n\t\treturn 'é漢字'"),
    ],
)
def test_invisible_characters(text: str, seen: str) -> None:
    """Characters without a shape are gone; letters, tabs and emoji stay."""
    assert strip_hidden(text) == seen


def test_every_format_character_of_unicode() -> None:
    """Only the format characters that have a shape stay: number signs, hieroglyph joiners."""
    visible = {0x06DD, 0x070F, 0x08E2, 0x110BD, 0x110CD, 0x0890, 0x0891}
    visible |= {*range(0x0600, 0x0606), *range(0x13430, 0x13440)}
    kept = {
        point
        for point in range(sys.maxunicode + 1)
        if unicodedata.category(chr(point)) in {"Cf", "Cc"} and strip_invisible(chr(point))
    }
    assert kept - {0x09, 0x0A, 0x0D} <= visible


@given(st.text())
@example("<!--" * 50 + "`" * 7)
def test_any_text_becomes_encodable(text: str) -> None:
    """No text is refused, and the result can be written as UTF-8."""
    strip_hidden(text).encode()


@given(st.text(alphabet="ab `<!->\n\\~?[]|*#"))
def test_nothing_is_invented(text: str) -> None:
    """What stays is what was there, in its order."""
    rest = iter(text)
    assert all(character in rest for character in strip_hidden(text) if character != " ")


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Mn"])))
def test_visible_text_stays(text: str) -> None:
    """A text of letters, signs and emoji without markup is returned unchanged."""
    text = text.translate({0x3C: None, 0x115F: None, 0x1160: None, 0x3164: None, 0xFFA0: None})
    if not any(
        0xFFF0 <= ord(c) <= 0xFFFB or 0xE0000 <= ord(c) <= 0xE0FFF or c == "\u2065" for c in text
    ):
        assert strip_hidden(text) == text


@pytest.mark.parametrize(
    "piece",
    [
        "<!--",
        "`<!-- ",
        "<!-- -->\n",
        "> <!--\n",
        "``` <!--\n",
        "<!a",
        "\u200b",
        "- <!--\n",
        "[<!--]: x\n",
    ],
)
def test_time_is_linear(piece: str) -> None:
    """Eight times the text takes some eight times the work, not sixty-four times."""
    small, large = (piece * (size // len(piece)) for size in (50_000, 400_000))
    fast = min(seconds(lambda: strip_hidden(small)) for _ in range(3))
    assert takes_less_than(30 * max(fast, 0.005), lambda: strip_hidden(large))
