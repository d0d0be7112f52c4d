"""Issues that stand for one test of PyTorch: ``DISABLED test_x (__main__.TestY)``."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from urllib.parse import unquote

from bot.workspace.repro import picked

_TITLE = re.compile(
    r"^\s*(?:DISABLED|UNSTABLE|FLAKY)\s+(?P<test>test_\w[^\n]{0,400}?) {1,3}"
    r"\( ?(?P<place>[\w.<>]+(?: [\w<>]+)?) ?\)",
    re.IGNORECASE,
)
_CAPTURE = re.compile(r"(?P<file>[\w/.-]+\.py)::(?P<class>\w+)::(?P<test>\w+)")
_PATH = re.compile(r"[Tt]est file path:\s*`?(?P<file>[\w/.-]+\.py)`?")
_ANY_FILE = re.compile(r"\btest/(?P<file>[\w/.-]*test_\w+\.py)\b")
_SITE = re.compile(r"https?://[\w.-]+/(?:failure/)?")
"""The beginning of a link to a failure; the test's file follows."""
_PLATFORMS = re.compile(r"^[ \t]*Platforms?:[ \t]*(?P<names>[^\n]*)$", re.MULTILINE | re.IGNORECASE)
_DEVICES = (("cuda", "cuda"), ("xpu", "xpu"), ("mps", "mps"))
_ELSEWHERE = {
    "rocm": "rocm",
    "mac": "macos",
    "macos": "macos",
    "win": "windows",
    "windows": "windows",
    "xpu": "xpu",
}


@dataclass(frozen=True, slots=True)
class DisabledTest:
    """One test of PyTorch."""

    test: str
    group: str
    """Its class."""
    file: str
    """Below ``test/``; empty where the issue does not tell it."""
    needs: tuple[str, ...]

    @property
    def command(self) -> str:
        """The line that runs it in the root of PyTorch's source, quoted for a shell."""
        if self.file:
            return shlex.join(["python", f"test/{self.file}", f"{self.group}.{self.test}"])
        # pytest reads an expression: of a name with parameters in it, what comes before them
        words = re.split(r"[^\w:+.-]", self.test, maxsplit=1)[0]
        return picked.anywhere([(self.group, self.test)], f"{self.group} and {words}")


def find(title: str, body: str) -> DisabledTest | None:
    """Read the title of such an issue, and its body for the file and the platforms."""
    named = _TITLE.match(title)
    if named is None:
        return None
    test, place = named["test"], named["place"].replace(" ", "")
    modules, _, group = place.rpartition(".")
    return DisabledTest(
        test=test,
        group=group,
        file=_file(test, group, modules, unquote(_SITE.sub(" ", body))),
        needs=_needs(test, group, body),
    )


def _file(test: str, group: str, modules: str, body: str) -> str:
    captures = list(_CAPTURE.finditer(body))
    exact = [found for found in captures if found["test"] == test and found["class"] == group]
    for found in (*exact, *captures, _PATH.search(body)):
        if found is not None and ".." not in found["file"]:
            return found["file"].lstrip("/").removeprefix("test/")
    if modules and modules != "__main__" and "<" not in modules:
        return modules.replace(".", "/") + ".py"
    named = _ANY_FILE.search(body)
    return named["file"] if named is not None and ".." not in named["file"] else ""


def _needs(test: str, group: str, body: str) -> tuple[str, ...]:
    devices = [
        need
        for word, need in _DEVICES
        if group.lower().endswith(word) or re.search(rf"_{word}(?:_|$)", test.lower())
    ]
    platforms = _PLATFORMS.search(body)
    names = re.findall(r"[\w-]+", platforms["names"].lower()) if platforms else []
    if devices:
        # ROCm answers to the name of CUDA.
        return ("rocm",) if devices == ["cuda"] and names == ["rocm"] else tuple(devices)
    elsewhere = [_ELSEWHERE[name] for name in names if name in _ELSEWHERE]
    if elsewhere and "linux" not in names:
        return tuple(dict.fromkeys(elsewhere))
    return ("cpu",)
