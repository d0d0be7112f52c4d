"""How a program is started: the command lines of an issue, read into words, never run here."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.workspace.repro.command import SEVERAL, TEST_DIRECTORY, TEST_NAME, VARIABLE, Command

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_LINE = 4_000
"""Characters of one command line."""
_MAX_EXPORTED = 20

_PROMPT = re.compile(
    r"^\s*(?:\(?[\w./-]+\)\s*)?(?:"
    r"\u279c\s+\S+\s+(?:git:\(\S+\)\s+)?(?:\u2717\s+)?"
    r"|\[[\w.-]+@[\w.-]+ [^\]\n]{1,80}\] +(?=[a-z])"
    r"|[$%](?=(?:python[\d.]*|pytest|torchrun)\s)"
    r"|(?:\[?[\w.-]+@[\w.-]+[:\s][^$#%]*[$#%]|[$%\u276f\u279c]|#(?=\s*\w+\s+-))\s+"
    r"|(?:PS )?[A-Za-z]:\\[^>\n]*>\s*|RUN\s+(?=[a-z]))"
)
_PROGRAMS = re.compile(r"python|torchrun|pytest|accelerate|deepspeed")
_PYTHON = re.compile(r"^(?:\S*/)?python[\d.]*$")
_SEPARATORS = frozenset({"&&", "||", ";", "|", "&"})
_REDIRECTIONS = re.compile(r"^(?:\d*>{1,2}|<|&>|\d*>&)")
_IN_PROSE = re.compile(
    r"(?:^|[\s`:])((?:[A-Z_][A-Z0-9_]*=[^\s`]+\s+){0,8}"
    r"(?:torchrun|python[\d.]*\s+-m\s+torch\.distributed\.(?:run|launch)"
    r"|(?:mpirun|mpiexec|horovodrun|deepspeed|accelerate launch)(?=\s[^`\n]{1,200}\.py\b)"
    r"|(?:python[\d.]*|pytest)(?:\s+-\S+){0,4}(?:\s+pytest)?\s+(?:\./)?"
    r"(?:pytorch/)?(?:test/\S+|test_\w+)\.py)(?=[\s`:])[^`\n]*)"
)
_IN_TITLE = re.compile(r"\b(?:pytest|python[\d.]*)\s.*")
_PLACEHOLDER = re.compile(r"(?:^|=)<[A-Za-z][\w -]*>$")
"""A word that the reader shall replace: ``--model <model>``."""
_LONG_CODE = re.compile(r"""\bpython[\d.]* -c (?:"((?:[^"\\]|\\.)*)"|'([^']*)')""", re.DOTALL)
"""A program behind ``-c`` that may have several lines."""
_LAUNCHER = re.compile(r"(?:^|/)torch/distributed/(launch|run)\.py$")
"""The file of a module that is a launcher."""
_SCRIPT = re.compile(r"\.py(?!\w)")
_NUMBER = re.compile(r"[\d.]*\d")
_EXPORTED = re.compile(r"^export\s+((?:[A-Za-z_]\w*=\S*\s*)+)$")
_OWN_VARIABLES = frozenset(
    {"PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "HOME", "VIRTUAL_ENV", "PYTHONHOME"}
)
_BOILERPLATE = re.compile(r"collect_env|check_env|setup\.py|get-pip")


def commands(text: str) -> Iterator[Command]:
    """Find the Python programs that the lines of a block of code start, with what is exported."""
    for found in _LONG_CODE.finditer(text):
        code = (found[1] or "").replace('\\"', '"') or found[2] or ""
        if "\n" in code:
            yield Command(variables=(), words=("python",), code=code)
    exported: tuple[str, ...] = ()
    for line in lines(text):
        found = _EXPORTED.match(line)
        if found is not None and len(exported) < _MAX_EXPORTED:
            exported += _variables(found[1])
        for command in of_line(line):
            yield replace(command, variables=(*exported, *command.variables))


def of_line(line: str) -> Iterator[Command]:
    """Find the Python programs that one command line starts."""
    if not _PROGRAMS.search(line):
        return
    for words in _split(line):
        command = _read(words)
        if command is not None:
            yield command


def in_prose(text: str) -> Iterator[Command]:
    """Find launch lines of several processes, and of PyTorch's tests, inside sentences."""
    for line in text.split("\n"):
        for found in _IN_PROSE.finditer(line[:MAX_LINE]):
            for command in of_line(found[1]):
                yield replace(command, arguments=_before_words(command.arguments))


def in_title(text: str) -> Iterator[Command]:
    """Find the commands that a title says something about: ``pytest test/dynamo fails``."""
    for found in _IN_TITLE.finditer(text[:MAX_LINE]):
        for command in of_line(found[0].replace("`", " ")):
            yield replace(command, arguments=_before_words(command.arguments))


def lines(text: str) -> list[str]:
    """Return a block's lines without prompts; a continued line is one."""
    joined = re.sub(r"\\\n\s*(?:> )?", " ", text)
    return [_PROMPT.sub("", line).strip()[:MAX_LINE] for line in joined.split("\n")]


def has_prompt(line: str) -> bool:
    """Whether a line begins as a shell's prompt does."""
    return _PROMPT.match(line) is not None


def _before_words(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Return the arguments up to where the sentence goes on."""
    before = ""
    for number, word in enumerate(arguments):
        is_value = before in {"-k", "-m", "-i", "--include"} or (
            before[:1] == "-" and _NUMBER.fullmatch(word)
        )
        if not (word.startswith("-") or is_value or TEST_NAME.fullmatch(word.rstrip(".,"))):
            return arguments[:number]
        before = word
    return arguments


def _variables(text: str) -> tuple[str, ...]:
    try:
        words = shlex.split(text)
    except ValueError:  # a quotation that is never closed
        return ()
    return tuple(
        word
        for word in words
        if VARIABLE.match(word) and "$" not in word and word.partition("=")[0] not in _OWN_VARIABLES
    )


def _split(line: str) -> Iterator[list[str]]:
    """Split a line into its commands, without what is redirected."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    words: list[str] = []
    try:
        for word in lexer:
            if word in _SEPARATORS:
                yield words
                words = []
            else:
                words.append(word)
    except ValueError:  # a quotation that is never closed
        return
    yield words


def _read(words: Sequence[str]) -> Command | None:
    if any(_PLACEHOLDER.search(word) for word in words):
        return None
    words = _without_redirections(words)
    variables: list[str] = []
    while words and (words[0] in {"export", "env", "time"} or VARIABLE.match(words[0])):
        if VARIABLE.match(words[0]) and words[0].partition("=")[0] not in _OWN_VARIABLES:
            variables.append(words[0])
        words = words[1:]
    if not words or any("$" in word or "`" in word for word in [*variables, words[0]]):
        return None
    program = words[0].rpartition("/")[2]
    if _PYTHON.match(program):
        program = "python"
    elif program == "pytest":
        words = ["python", "-m", "pytest", *words[1:]]
        program = "python"
    elif program not in {"torchrun", *SEVERAL}:
        wrapped = next((n for n, word in enumerate(words) if _PYTHON.match(word)), 0)
        return _read(words[wrapped:]) if wrapped else None
    return _with_script(tuple(variables), [program, *words[1:]])


def _with_script(variables: tuple[str, ...], words: list[str]) -> Command | None:
    launcher = _LAUNCHER.search(words[1]) if len(words) > 1 else None
    if launcher is not None:
        words[1:2] = ["-m", f"torch.distributed.{launcher[1]}"]
    if "-c" in words and words[0] == "python":
        place = words.index("-c")
        if place + 1 >= len(words):
            return None
        return Command(variables=variables, words=tuple(words[:place]), code=words[place + 1])
    place = next((n for n, word in enumerate(words) if _SCRIPT.search(word) and n), None)
    if place is None and words[1:3] == ["-m", "pytest"]:
        place = next((n for n, word in enumerate(words) if TEST_DIRECTORY.match(word)), None)
    if place is None:
        if "-m" not in words or len(words) <= words.index("-m") + 1:
            return None
        place = words.index("-m") + 2
        words.insert(place, "")
    if any(_BOILERPLATE.search(word) or "$" in word for word in words[: place + 1]):
        return None
    return Command(
        variables=variables,
        words=tuple(words[:place]),
        script=words[place],
        arguments=tuple(words[place + 1 :]),
    )


def _without_redirections(words: Sequence[str]) -> list[str]:
    kept: list[str] = []
    skip = False
    for word in words:
        found = _REDIRECTIONS.match(word)
        if skip:
            skip = False
        elif found is not None:
            skip = found.end() == len(word) and not word.endswith("&1")
        else:
            kept.append(word)
    return kept
