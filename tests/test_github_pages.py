"""The fake GitHub's pages are fit to be read by people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.github.markdown import render
from tests.fakes.github.talk import REPOSITORY, Talk, talking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    """The bot's client, and the GitHub that it talks to."""
    async with talking() as connected:
        yield connected


async def test_people_can_read_a_thread_and_a_pull_request(talk: Talk) -> None:
    """The addresses in GitHub's answers lead to pages: the talk, who is a bot, the diff."""
    await talk.github.post_comment(REPOSITORY, 1, "maintainer", "/ptq investigate")
    comment = await talk.repository.comment(1, "**Found it.** See #1, @maintainer.")
    await talk.repository.react(talk.github.comments(REPOSITORY, 1)[0].id, "eyes")

    page = await _page(talk, comment.url)

    assert "<strong>Found it.</strong>" in page
    assert f'<a href="/{REPOSITORY}/issues/1">#1</a>' in page
    assert '<a class="mention">@maintainer</a>' in page
    assert '<span class="badge">bot</span>' in page
    assert "👀 1" in page
    assert REPOSITORY in await _page(talk, f"{talk.github.url}/")
    assert "It crashes" in await _page(talk, f"{talk.github.url}/{REPOSITORY}")
    bot_id = comment.author.id
    assert "<svg" in await _page(talk, f"{talk.github.url}/avatars/{bot_id}")


@pytest.mark.parametrize(
    "path", ["/nobody/nothing", f"/{REPOSITORY}/issues/99", f"/{REPOSITORY}/issues/x", "/avatars/1"]
)
async def test_a_page_that_is_not_there_is_not_found(talk: Talk, path: str) -> None:
    """Like GitHub's."""
    async with talk.session.get(talk.github.url + path) as answer:
        assert answer.status == 404


async def _page(talk: Talk, url: str) -> str:
    async with talk.session.get(url) as answer:
        assert answer.status == 200
        return await answer.text()


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ('<b onclick="x">hi</b>', "<p><b>hi</b></p>\n"),
        ("a <!-- hidden --> b", "<p>a  b</p>\n"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n"),
        ("![x](https://x.example/a.png)", "<p>[x]</p>\n"),
        ("`@you #1`", "<p><code>@you #1</code></p>\n"),
        ("a@example.org", "<p>a@example.org</p>\n"),
        ("<details open>\n\n*x*\n\n</details>", "<details open>\n<p><em>x</em></p>\n</details>"),
        ("- [x] done", '<ul>\n<li><input type="checkbox" disabled checked> done</li>\n</ul>\n'),
        (
            "https://x.example/a?b=<i>",
            '<p><a href="https://x.example/a?b=">https://x.example/a?b=</a><i></p>\n',
        ),
        ("```py\n<x>\n```", "<pre><code>&lt;x&gt;\n</code></pre>\n"),
    ],
)
def test_comments_are_shown_as_safe_html(text: str, html: str) -> None:
    """Markdown is rendered; what could harm the reader is text or is gone."""
    assert render(text, repository_url="/o/r") == html
