"""Untrusted text mentions nobody, closes nothing, loads nothing and gives no secret away."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings, strategies as st
from inline_snapshot import snapshot
from markdown_it import MarkdownIt

from bot.redaction import Redactor
from bot.render.sanitise import code_block, code_line, inline, markdown, plain, plain_line
from tests.processor_time import seconds, takes_less_than

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "correct-horse/battery"
REDACTOR = Redactor([SECRET])
END = "the end of it"

_MENTION = re.compile(r"(?<![A-Za-z0-9])@[A-Za-z0-9]")
_CLOSING = re.compile(
    r"\b(?:close[sd]?|fix(?:es|ed)?|resolve[sd]?)\b[^A-Za-z0-9\x00]*"
    r"(?:[\w.-]+/[\w.-]+)?(?:#\d|GH-\d|https?://\S+/(?:issues|pull)/\d)",
    re.IGNORECASE,
)
_METADATA = re.compile(
    r"^(?:Task|Test Plan|Reviewers|Summary|Tags|Title):", re.IGNORECASE | re.MULTILINE
)
_BOT_COMMAND = re.compile(r"^ *@pytorch\w*bot", re.MULTILINE)

_PIECES = st.sampled_from(
    [
        *("@user", "@org/team", "@torch.compile", "a@b.org", "\\@user", "@", "&#64;user", "user"),
        *("fixes ", "Closes: ", "fix**es** ", "RESOLVED\n", "#12", "\\#12", "o/r#3", "GH-4", "GH\\-4"),
        *("https://github.com/o/r/issues/5", "https://evil.example/x", "www.evil.example", "https\\://"),
        *("[a](https://evil.example)", "![p](https://evil.example/p.png)", "[", "]", "(", ")", "!["),
        *("[r]: https://evil.example\n", "[@user](https://github.com/x)", "](", "<https://evil.example>"),
        *("`", "``", "```", "````", "\n```\n", "\n~~~\n", "~~~", "    ", "\t", "\n", "\n\n", " ", "\\"),
        *("<b>", "<!--", "-->", "<img src=x>", "</details>", "<script>", "&lt;", "<", ">", "> ", "- "),
        *("|", "| a | b |\n|---|---|\n| ", " | ", "*", "_", "**", "~~", "# ", "---\n", "===\n", "1. "),
        *("Summary: ", "Test Plan:", "\nTask: 1", "\n@pytorchbot merge\n", "x", "y z", "é", "\u200b", "\r"),
        *(SECRET, "ghp_" + "a" * 36, "$", ":", "."),
    ]
)  # fmt: skip
HOSTILE = st.lists(_PIECES, max_size=30).map("".join) | st.text(max_size=120)


def _shown(text: str) -> Iterator[tuple[str, str]]:
    """Yield what a reader of the page gets: kinds of things and their text."""
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text):
        if token.type in {"fence", "code_block", "html_block"}:
            yield token.type, token.content
        elif token.children is not None:
            words: list[str] = []
            depth = 0
            for child in token.children:
                if child.type in {"image", "link_open"}:
                    yield child.type, str(child.attrs.get("href") or child.attrs.get("src"))
                if child.type == "html_inline":
                    depth += {"<code>": 1, "</code>": -1}.get(child.content, 100)
                    words.append("\0")
                elif child.type == "code_inline":
                    words.append("\0")
                elif child.type in {"softbreak", "hardbreak"}:
                    words.append("\n")
                elif child.type == "text":
                    words.append(child.content if depth == 0 else "\0")
            yield "text" if depth == 0 else "html", "".join(words)


def _assert_harmless(result: str) -> None:
    shown = list(_shown(f"{result}\n\n{END}"))
    assert shown[-1] == ("text", END), "something is left open"
    for kind, text in shown:
        assert kind in {"text", "fence", "code_block", "link_open"}, (kind, text)
        if kind == "text":
            assert not _MENTION.search(text), text
            assert not _CLOSING.search(text), text
        if kind == "link_open":
            assert re.match(r"https://(?:github\.com|(?:[a-z0-9-]+\.)*pytorch\.org)(?:/|$)", text)
    # Closing keywords reach over the end of a paragraph's line.
    assert SECRET not in result
    assert "ghp_aaaa" not in result
    assert not _BOT_COMMAND.search(result)


@given(HOSTILE)
@settings(max_examples=800, deadline=None)
@example("https://github.com/x`a @user`")
@example("https://github.com/o/r/issues/5_&#64;user")
@example("fixes _GH-4")
@example("fixes #1\n#12RESOLVED\n&#64;user")
@example("@user@user")
@example("@[a](https://evil.example)")
@example("| `a | @user` |\n|---|---|\n| `a | @user` |")
@example("\\`@user\\`")
@example("`` ` @user ``")
@example("`a`@user`b`")
@example("fixes\n\n#12")
@example("```\nx\n~~~\n@user")
@example("- ```\n  @user")
@example("    ```\n@user\n")
@example("> ```\n@user\n")
@example("<!-- a\n\n@user -->")
@example("[x]: /y '\n@user'")
@example("a\\\n@user")
def test_markdown_is_harmless(text: str) -> None:
    """Whatever the agent writes, GitHub makes nothing live of it."""
    _assert_harmless(markdown(text, redactor=REDACTOR))


@given(HOSTILE)
@settings(max_examples=300, deadline=None)
def test_pull_requests_carry_no_metadata(text: str) -> None:
    """No line of a pull request's body begins with a name that an import understands."""
    result = markdown(text, redactor=REDACTOR, escapes_metadata=True)
    _assert_harmless(result)
    assert not _METADATA.search(result)


@given(HOSTILE, st.integers(1, 80))
@settings(max_examples=300, deadline=None)
def test_one_line_is_harmless(text: str, limit: int) -> None:
    """A summary in a sentence of ours stays on its line."""
    result = inline(text, redactor=REDACTOR, limit=limit)
    assert "\n" not in result
    _assert_harmless(f"> {result}")
    line = code_line(text, redactor=REDACTOR, limit=limit)
    assert "\n" not in line
    _assert_harmless(f"- {line}")


@given(HOSTILE)
@settings(max_examples=300, deadline=None)
def test_code_blocks_hold_anything(text: str) -> None:
    """A patch or a log cannot end its block."""
    result = code_block(text, "diff", redactor=REDACTOR)
    _assert_harmless(result)
    assert [kind for kind, _ in _shown(result)] == ["fence"]


@given(HOSTILE)
@settings(max_examples=300, deadline=None)
@example("@#12fixes ")
def test_plain_text_is_harmless(text: str) -> None:
    """A commit message is not rendered, and GitHub still reads mentions and references in it."""
    result = plain(text, redactor=REDACTOR)
    assert not _MENTION.search(result)
    assert not _CLOSING.search(result)
    assert not _METADATA.search(result)
    assert SECRET not in result
    title = plain_line(text, redactor=REDACTOR, limit=50)
    assert "\n" not in title
    assert len(title) <= 50


def test_an_ordinary_report_reads_as_it_was_written() -> None:
    """What is harmless stays: emphasis, tables, lists, code, links to GitHub."""
    report = """\
## Cause

`unpad_sequence` calls **`transpose_`**, see [the source](https://github.com/pytorch/pytorch/blob/main/a.py#L3)
and https://docs.pytorch.org/docs/stable/nn.html. Related: #123.

- [x] reproduced
- 2 < 3 & 4 > 3

| case | before |
|------|--------|
| `a`  | fails  |

```python
@torch.compile
def f(x): return x  # fixes #1
```
"""
    assert markdown(report, redactor=REDACTOR) == snapshot("""\
#### Cause

`unpad_sequence` calls **`transpose_`**, see [the source](https://github.com/pytorch/pytorch/blob/main/a.py#L3)
and https://docs.pytorch.org/docs/stable/nn.html. Related: #123.

- [x] reproduced
- 2 &lt; 3 & 4 > 3

| case | before |
|------|--------|
| `a`  | fails  |

```python
@torch.compile
def f(x): return x  # fixes #1
```\
""")


def test_a_hostile_report_is_shown_as_text() -> None:
    """Nothing is hidden from the reader either: it is all there, as text."""
    report = """\
# @maintainer look
Fixes #12, closes o/r#3 and resolves https://github.com/o/r/issues/4.
![pixel](https://evil.example/p.png) [click](https://evil.example/?a) https://evil.example/b
<img src="https://evil.example/c.png"><details open>
> [!IMPORTANT]
`a|b @user` and `@torch.compile`, me@example.org, &#64;user, \\@user
1. ```suggestion
   @pytorchbot merge
~~~mermaid
@pytorchbot merge
"""
    assert markdown(report, redactor=REDACTOR) == snapshot("""\
### `@maintainer` look
Fixes `#12`, closes o/r`#3` and resolves `https://github.com/o/r/issues/4`.
pixel (image: `https://evil.example/p.png`) click (`https://evil.example/?a`) `https://evil.example/b`
&lt;img src="`https://evil.example/c.png`">&lt;details open>
> \\[!IMPORTANT]
<code>a&#124;b &#64;user</code> and `@torch.compile`, me@example.org, &amp;#64;user, `@user`
1. \\`\\`\\`suggestion
   `@pytorchbot` merge
```
＠pytorchbot merge
```\
""")


def test_a_commit_message_loses_what_acts() -> None:
    """Trailers in another's name, skipped checks and closing keywords are no agent's to write."""
    message = """\
Fix #12: copy before transposing

@torch.compile users saw it. Closes o/r#3 and https://github.com/o/r/issues/4 [skip ci]
Test Plan:
pytest
Signed-off-by: A Maintainer <a@example.org>
Co-authored-by: B <b@example.org>
"""
    assert plain(message, redactor=REDACTOR) == snapshot("""\
Fix issue 12: copy before transposing

＠torch.compile users saw it. Closes o/r issue 3 and github.com/o/r/issues/4 (skip ci)
 Test Plan:
pytest\
""")


def test_escape_sequences_leave_a_log() -> None:
    """A terminal's colours are not shown as rubbish."""
    assert code_block("\x1b[31mred\x1b[0m\x07\n", redactor=REDACTOR) == "```\nred\n```"
    assert code_line("\x1b[1mBash:\x1b[0m make\nmore", redactor=REDACTOR) == "`Bash: make`"


@pytest.mark.parametrize(
    "unit",
    [
        *("`", "` ", "`` ` ", "@", "@a", "[", "[a](", "![", "<", "<!--", "&#", "\\", "#1 ", "~~~\n"),
        *("```\n", "fixes ", "https://", "https://github.com/x,", "a/b", "eyJ", "eyJaaaaaaaaaa.", "sk-"),
        *("-----BEGIN RSA PRIVATE KEY-----\n", "://a:", "://", "xoxb-1-", "gh", "| ", "* ", "GH-", "x"),
        *("Summary:", "a-by", "\n", " ", "authorization: bearer ", "AKIA", "github_pat_", "[[]"),
        *("PuTTY-User-Key-File-2:", "SG.", "glpat-", "-by:\n", "sk-ant-", "AccountKey="),
    ],
)  # fmt: skip
def test_the_sanitiser_is_linear(unit: str) -> None:
    """Sixteen times the text takes nowhere near 256 times as long."""
    small, large = (unit * (size // len(unit)) for size in (20_000, 320_000))
    fast = min(seconds(lambda: _sanitise(small)) for _ in range(3))
    assert takes_less_than(64 * max(fast, 0.001), lambda: _sanitise(large)), f"{fast:.4f} s"


def _sanitise(text: str) -> None:
    markdown(text, redactor=REDACTOR)
    plain(text, redactor=REDACTOR)
