"""What the demonstration shows of a thread."""

from __future__ import annotations

import io
import shutil
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot
from rich.console import Console

from demo.comment_text import Part, parts, shown
from demo.player import choose

if TYPE_CHECKING:
    from pathlib import Path

BODY = """\
<!-- ptq:progress job=1 run=1 -->
**This has finished**, see [there](https://example.com).
A second line.

<details><summary>Report by the agent</summary>

#### Why

```
<details><summary>not one</summary>
```

</details>

<details><summary>Patch</summary>

```diff
-a
+b
```

</details>
"""


def plain(body: str) -> str:
    """Return a comment as a terminal without colours shows it."""
    file = io.StringIO()
    Console(file=file, width=60, color_system=None).print(shown(body))
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())


def test_sections_open_and_closed() -> None:
    """The first section is open, the next are titles; hidden marks are left out, line ends kept."""
    assert plain(BODY) == snapshot("""\
This has finished, see there.
A second line.

▾ Report by the agent

  Why

    <details><summary>not one</summary>

▸ Patch  (4 lines, collapsed)\
""")


def test_sections_are_found_outside_of_code() -> None:
    """What stands in a code block is no section."""
    assert parts(BODY) == snapshot(
        [
            Part(
                text="""\
**This has finished**, see [there](https://example.com).
A second line.\
"""
            ),
            Part(
                text="""\
#### Why

```
<details><summary>not one</summary>
```\
""",
                title="Report by the agent",
            ),
            Part(
                text="""\
```diff
-a
+b
```\
""",
                title="Patch",
            ),
        ]
    )


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("", []),
        ("<!-- hidden -->", []),
        ("text", [Part("text")]),
        ("<details>\n<summary>A</summary>\n\nb", [Part("b", "A")]),
        ("<details>\n\nb\n\n</details>\n\nc", [Part("b", "Details"), Part("c")]),
        ("<details><summary>A</summary>\n</details>", []),
        ("a\n\n</details>\n\nb", [Part("a"), Part("b")]),
    ],
)
def test_odd_sections(body: str, found: list[Part]) -> None:
    """A section without title, content, beginning or end is shown as far as it goes."""
    assert parts(body) == found


def test_control_characters_are_left_out() -> None:
    """A comment cannot move the cursor, colour the screen or set its title."""
    assert plain("a\x1b[2Jb\x9b1mc\x07\rd `\x1b]0;x\x07`") == "a[2Jb1mcd ]0;x"


def test_claude_code_where_it_can(tmp_path: Path) -> None:
    """Claude Code plays the agent where its program and a key are; the key is shown nowhere."""
    program = shutil.copy("/bin/true", tmp_path / "claude")
    found = {"PATH": str(tmp_path)}
    with_key = {**found, "ANTHROPIC_API_KEY": "sk-1", "ANTHROPIC_BASE_URL": "http://here"}

    claude = choose({**with_key, "PTQ_AGENT__CLAUDE__COMMAND": "claude --verbose"})

    assert not claude.is_scripted
    assert claude.command(scenario=tmp_path) == f"{program} --verbose"
    assert claude.model == {"api_key": "sk-1", "base_url": "http://here"}
    assert claude.secrets == ("sk-1",)
    assert "sk-1" not in repr(claude) + claude.introduction
    own = choose({**with_key, "PTQ_MODEL__API_KEY": "sk-2", "PTQ_MODEL__BASE_URL": "http://there"})
    assert own.model == {"api_key": "sk-2", "base_url": "http://there"}


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({"PATH": "/nonexistent", "PTQ_MODEL__API_KEY": "k"}, "the program `claude` is not insta"),
        ({"PATH": "/bin", "PTQ_AGENT__CLAUDE__COMMAND": "true"}, "no key of the model is set"),
        ({"PATH": "/bin", "PTQ_AGENT__CLAUDE__COMMAND": "no-such"}, "installed and no key of"),
    ],
)
def test_script_says_why(environment: dict[str, str], why: str) -> None:
    """The script plays the agent otherwise, and the introduction says what is missing."""
    player = choose(environment)

    assert player.is_scripted
    assert player.secrets == ()
    assert why in player.introduction
