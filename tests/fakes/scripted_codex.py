"""An agent with a script, in Codex's place: its arguments, its log and its ends, and no model.

It reads the same scenarios as ``scripted_agent``, named by ``PTQ_SCENARIO``, of which it knows the
steps ``say``, ``run``, ``replace``, ``write`` and ``fail``. It ends with status 2 unless it was
started as ``codex exec`` is, with its settings in ``CODEX_HOME`` and the token in its environment.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess  # noqa: TID251 -- a program of its own, without an event loop
import sys
import tomllib
import uuid
from pathlib import Path
from typing import Any

_PLACE = re.compile(r"\$\{([\w.]+)\}")
_TOKENS = {"input_tokens": 900, "cached_input_tokens": 400, "output_tokens": 100}


class RunFailedError(Exception):
    """The turn ends here with an error."""


class Agent:
    """One run: what has been written so far."""

    def __init__(self) -> None:
        self.values = {f"env.{name}": value for name, value in os.environ.items()}
        self.values["prompt"] = sys.stdin.read()
        self._items = 0

    def do(self, step: dict[str, Any]) -> None:
        """Do a step and write of it."""
        match step:
            case {"say": text}:
                self._item("agent_message", text=self._fill(text))
            case {"run": argv}:
                self._run([self._fill(word) for word in argv], step)
            case {"replace": path, "old": old, "new": new}:
                text = Path(path).read_text()
                if text.count(old) != 1:
                    raise RunFailedError(f"found {text.count(old)} times in {path}")
                self._change(path, text.replace(old, new), kind="update")
            case {"write": path, "json": value}:
                self._change(path, self._fill(json.dumps(value)), kind="add")
            case {"write": path, "text": text}:
                self._change(path, self._fill(text), kind="add")
            case {"fail": {"result": message}}:
                raise RunFailedError(message)
            case _:
                raise SystemExit(f"scripted codex: unknown step {step}")

    def _run(self, argv: list[str], step: dict[str, Any]) -> None:
        ended = subprocess.run(  # noqa: S603 -- the scenario's
            argv,
            cwd=step.get("cwd"),
            timeout=step.get("timeout", 600),
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        output = ended.stdout.decode(errors="replace").rstrip("\n")
        name = step.get("save", "last")
        self.values |= {f"{name}.output": output, f"{name}.exit": str(ended.returncode)}
        self._item(
            "command_execution",
            command=shlex.join(["/bin/bash", "-lc", shlex.join(argv)]),
            aggregated_output=output,
            exit_code=ended.returncode,
            status="failed" if ended.returncode else "completed",
        )

    def _change(self, path: str, text: str, *, kind: str) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)
        self._item("file_change", changes=[{"path": path, "kind": kind}], status="completed")

    def _item(self, kind: str, **fields: object) -> None:
        write("item.completed", item={"id": f"item_{self._items}", "type": kind, **fields})
        self._items += 1

    def _fill(self, text: str) -> str:
        return _PLACE.sub(lambda place: self.values.get(place[1], place[0]), text)


def write(kind: str, **fields: object) -> None:
    """Write an event."""
    sys.stdout.write(json.dumps({"type": kind, **fields}) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Check how it was started, and play the scenario."""
    arguments = sys.argv[1:]
    is_resumed = arguments[:2] == ["exec", "resume"]
    home = Path(os.environ["CODEX_HOME"])
    provider = tomllib.loads((home / "config.toml").read_text())["model_providers"]["ptq"]
    right = [
        arguments[:1] == ["exec"],
        arguments[-1] == "-",
        "--json" in arguments,
        ("--last" in arguments) is is_resumed,
        provider["wire_api"] == "responses",
        provider["base_url"].startswith("http://127.0.0.1:"),
        os.environ[provider["env_key"]].startswith("ptq-model-"),
        (home / "skills" / "verify-fix" / "SKILL.md").exists(),
    ]
    if not all(right):
        sys.stderr.write(f"scripted codex: started wrongly: {right} {arguments}\n")
        return 2
    scenario = json.loads(Path(os.environ["PTQ_SCENARIO"]).read_text())
    write("thread.started", thread_id=str(uuid.uuid4()))
    write("turn.started")
    agent = Agent()
    try:
        for step in scenario.get("resumed", []) if is_resumed else scenario["steps"]:
            agent.do(step)
    except RunFailedError as failed:
        write("turn.failed", error={"message": str(failed)})
        return 1
    write("turn.completed", usage=_TOKENS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
