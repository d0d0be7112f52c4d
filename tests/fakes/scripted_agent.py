"""An agent with a script, in Claude Code's place: the same flags, log and ends, and no model.

It needs the standard library alone. What it is told it really does: commands run, files change, and
what commands printed can be quoted in the files that it writes. The scenario is a JSON file, named
by the flag ``--scenario`` or the variable ``PTQ_SCENARIO``, or ``scenario.json`` in HOME or beside
this file::

    {"steps": [                              "resumed": [...] for a run with --resume
      {"say": "I run the repro."},
      {"run": ["python", "repro.py"], "expect": 1, "save": "before", "timeout": 60},
      {"replace": "pytorch/a.py", "old": "exact text", "new": "other"},
      {"write": "report.md", "text": "It printed ${before.output} (status ${before.exit})"},
      {"write": "verdict.json", "json": {"verdict": "fixed"}},
      {"delete": "pytorch/b.py"},
      {"wait_for": "${env.PTQ_RUN_DIR}/soft-deadline"},
      {"spawn": ["sleep", "60"]},            a child in a session of its own, left behind
      {"raw": "no JSON"},                    a line that is no event
      {"ignore": "SIGTERM"}, {"hang": true}, {"kill": "SIGKILL"}, {"exit": 3},
      {"fail": {"subtype": "success", "is_error": true, "result": "API Error: 529"}}
    ], "usd_per_turn": 0.01}

Paths begin at the working directory. ``${prompt}`` is what came on stdin, ``${name.output}`` and
``${name.exit}`` are of a command that was saved, ``${env.NAME}`` is a variable.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import signal
import subprocess  # noqa: TID251 -- a program of its own, without an event loop
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from types import FrameType

_MAX_OUTPUT = 30_000
_PLACE = re.compile(r"\$\{([\w.]+)\}")
_TERMINATED = 143
_LOOK_AGAIN_SECONDS = 0.02


class RunFailedError(Exception):
    """The run ends here with an error in its result event."""

    def __init__(self, *, status: int = 1, **result: object) -> None:
        super().__init__(str(result))
        self.status = status
        self.result = {"is_error": True, **result}


@dataclass
class Agent:
    """One run: what was asked for, and what has been written so far."""

    options: argparse.Namespace
    usd_per_turn: float
    values: dict[str, str]
    begun: float = field(default_factory=time.monotonic)
    turns: int = 0
    last_text: str = ""

    def play(self, steps: list[dict[str, Any]]) -> None:
        """Do every step, in order."""
        for step in steps:
            try:
                self._do(self._fill(step))
            except OSError as error:
                self._stop(str(error))

    def init(self) -> None:
        """Write the first event."""
        self._event(
            "system",
            subtype="init",
            cwd=str(Path.cwd()),
            tools=["Bash", "Edit", "Write"],
            model=self.options.model,
            permissionMode="bypassPermissions",
        )

    def result(self, **fields: object) -> None:
        """Write the last event; a success unless ``fields`` say otherwise."""
        duration = int((time.monotonic() - self.begun) * 1000)
        default: dict[str, object] = {
            "subtype": "success",
            "is_error": False,
            "num_turns": self.turns,
            "duration_ms": duration,
            "total_cost_usd": self.turns * self.usd_per_turn,
        }
        self._event("result", **(default | fields))

    def _do(self, step: dict[str, Any]) -> None:
        match step:
            case {"say": text}:
                self._answer([{"type": "text", "text": text}])
                self.last_text = text
            case {"run": argv}:
                self._run(argv, step)
            case {"replace": path, "old": old, "new": new}:
                self._replace(Path(path), old, new)
            case {"write": path}:
                text = json.dumps(step["json"], indent=2) + "\n" if "json" in step else step["text"]
                call = self._call("Write", file_path=path, content=text)
                self._returned(call, _write(Path(path), text))
            case {"delete": path}:
                call = self._call("Bash", command=shlex.join(["rm", path]))
                Path(path).unlink()
                self._returned(call, "")
            case {"wait_for": path}:
                while not Path(path).exists():
                    time.sleep(_LOOK_AGAIN_SECONDS)
            case _:
                self._misbehave(step)

    def _misbehave(self, step: dict[str, Any]) -> None:
        match step:
            case {"spawn": argv}:
                quiet = subprocess.DEVNULL
                subprocess.Popen(argv, start_new_session=True, stdout=quiet, stderr=quiet)  # noqa: S603 -- the scenario's
            case {"raw": line}:
                _write_line(line)
            case {"ignore": name}:
                signal.signal(signal.Signals[name], signal.SIG_IGN)
            case {"hang": True}:
                while True:
                    signal.pause()
            case {"kill": name}:
                os.kill(os.getpid(), signal.Signals[name])
            case {"exit": status}:
                raise SystemExit(status)
            case {"fail": result}:
                raise RunFailedError(**result)
            case _:
                raise SystemExit(f"scripted agent: unknown step {step}")

    def _run(self, argv: list[str], step: dict[str, Any]) -> None:
        call = self._call("Bash", command=shlex.join(argv))
        status, printed = _run(argv, cwd=step.get("cwd"), timeout=step.get("timeout", 600))
        output = printed.decode(errors="replace")[-_MAX_OUTPUT:].rstrip("\n")
        name = step.get("save", "last")
        self.values |= {f"{name}.output": output, f"{name}.exit": str(status)}
        shown = output if status == 0 else f"Exit code {status}\n{output}"
        self._returned(call, shown, is_error=status != 0)
        if status != step.get("expect", status):
            self._stop(f"{shlex.join(argv)} ended with {status}, not with {step['expect']}")

    def _replace(self, path: Path, old: str, new: str) -> None:
        call = self._call("Edit", file_path=str(path), old_string=old, new_string=new)
        text = path.read_text()
        if text.count(old) != 1:
            found = f"String to replace found {text.count(old)} times in {path}"
            self._returned(call, found, is_error=True)
            self._stop(found)
        path.write_text(text.replace(old, new))
        self._returned(call, f"The file {path} has been updated successfully.")

    def _stop(self, reason: str) -> NoReturn:
        raise RunFailedError(subtype="error_during_execution", errors=[reason])

    def _call(self, name: str, **arguments: str) -> str:
        """Write that a tool is called, before it is; return the call's id."""
        call = f"toolu_{uuid.uuid4().hex[:20]}"
        self._answer([{"type": "tool_use", "id": call, "name": name, "input": arguments}])
        return call

    def _returned(self, call: str, shown: str, *, is_error: bool = False) -> None:
        answer = {"type": "tool_result", "tool_use_id": call, "content": shown}
        message = {"role": "user", "content": [{**answer, "is_error": is_error}]}
        self._event("user", message=message, parent_tool_use_id=None)

    def _answer(self, content: list[dict[str, Any]]) -> None:
        if self.turns >= self.options.max_turns:
            errors = [f"Reached maximum number of turns ({self.turns})"]
            raise RunFailedError(subtype="error_max_turns", errors=errors)
        self.turns += 1
        message = {
            "id": f"msg_{uuid.uuid4().hex[:24]}",
            "type": "message",
            "role": "assistant",
            "model": self.options.model,
            "content": content,
            "stop_reason": None,
            "usage": {"input_tokens": 0, "output_tokens": 0},
        }
        self._event("assistant", message=message, parent_tool_use_id=None)

    def _event(self, kind: str, **fields: object) -> None:
        ids = {"session_id": self.options.session, "uuid": str(uuid.uuid4())}
        _write_line(json.dumps({"type": kind, **fields, **ids}))

    def _fill(self, value: Any) -> Any:  # noqa: ANN401 -- JSON of any shape
        match value:
            case str():
                return _PLACE.sub(lambda place: self.values.get(place[1], place[0]), value)
            case list():
                return [self._fill(item) for item in value]  # pyright: ignore[reportUnknownVariableType] -- JSON
            case dict():
                return {key: self._fill(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType] -- JSON
            case _:
                return value


def run(agent: Agent, steps: list[dict[str, Any]]) -> int:
    """Play the steps to their end, a signal or a failure; return the exit status."""
    try:
        agent.play(steps)
    except RunFailedError as failed:
        agent.result(**failed.result)
        return failed.status
    except KeyboardInterrupt:
        agent.result(subtype="error_during_execution", is_error=True, errors=["interrupted"])
        return 0
    agent.result(result=agent.last_text)
    return 0


def main() -> int:
    """Read flags, scenario and prompt; be the agent."""
    signal.signal(signal.SIGTERM, _terminate)
    options = _options()
    scenario = json.loads(_scenario(options).read_text())
    values = {f"env.{name}": value for name, value in os.environ.items()}
    values["prompt"] = sys.stdin.read()
    agent = Agent(options, usd_per_turn=scenario.get("usd_per_turn", 0.0), values=values)
    session = Path.home() / ".scripted-agent" / options.session
    if options.resume and not session.exists():
        error = f"No conversation found with session ID: {options.session}"
        agent.result(subtype="error_during_execution", is_error=True, errors=[error])
        return 1
    _write(session, "")
    agent.init()
    steps = scenario.get("resumed", scenario["steps"]) if options.resume else scenario["steps"]
    return run(agent, steps)


def _terminate(_: int, __: FrameType | None) -> NoReturn:
    raise SystemExit(_TERMINATED)


def _run(argv: list[str], *, cwd: str | None, timeout: float) -> tuple[int, bytes]:
    try:
        ended = subprocess.run(  # noqa: S603 -- the scenario's
            argv,
            cwd=cwd,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except subprocess.TimeoutExpired as expired:
        return -signal.SIGKILL, expired.stdout or b""
    except OSError as error:
        return 127, str(error).encode()
    return ended.returncode, ended.stdout


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--session-id", default=str(uuid.uuid4()))
    parser.add_argument("--resume", default="")
    parser.add_argument("--model", default="scripted")
    parser.add_argument("--max-turns", type=int, default=1000)
    parser.add_argument("--scenario", type=Path)
    options, _ = parser.parse_known_args()
    options.session = options.resume or options.session_id
    return options


def _scenario(options: argparse.Namespace) -> Path:
    variable = os.environ.get("PTQ_SCENARIO")
    here = (Path.home() / "scenario.json", Path(__file__).parent / "scenario.json")
    named = [options.scenario] if options.scenario else [Path(variable)] if variable else here
    return next((path for path in named if path.exists()), named[-1])


def _write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return f"File created successfully at: {path}"


def _write_line(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
