"""``ptq doctor``: each part is tried, and what is wrong says how it is mended."""

from __future__ import annotations

import json
import re
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web
from inline_snapshot import snapshot
from pydantic import SecretStr

from bot.doctor import Finding, app, examine, model
from bot.github.clock import ahead_of_github
from tests.fakes.machine import new_key
from tests.fakes.model import ScriptedModel
from tests.program import ended, environment_of, ptq

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from aiohttp.typedefs import Handler

    from bot.settings import Settings
    from tests.harness import Bot

KEY = "sk-ant-a-key"


@pytest.fixture
async def settings(world: Bot) -> AsyncGenerator[Settings]:
    """Settings with which everything is fine; git stands in for the agent's program."""
    machine = world.settings.machines[0].model_copy(update={"gpus": 0})
    git = world.settings.agent.claude.model_copy(update={"command": "git"})
    async with ScriptedModel(key=KEY) as scripted:
        there = world.settings.model_copy(update={"machines": (machine,)})
        reached = {"base_url": scripted.url, "api_key": SecretStr(KEY)}
        yield changed(there, model=reached, agent={"claude": git})


def changed(settings: Settings, **sections: Mapping[str, object]) -> Settings:
    """Return the settings with some of their sections' values changed."""
    updates = {
        name: getattr(settings, name).model_copy(update=values) for name, values in sections.items()
    }
    return settings.model_copy(update=updates)


async def found(settings: Settings) -> list[Finding]:
    """Have everything examined."""
    return [finding async for finding in examine(settings)]


def of(findings: list[Finding], part: str) -> Finding:
    """Return what was found about a part."""
    (one,) = [finding for finding in findings if finding.part == part]
    return one


async def test_everything_is_there(world: Bot, settings: Settings) -> None:
    """A line for each part, in the order in which a job needs them."""
    findings = await found(settings)
    assert [one.part for one in findings if one.state == "wrong"] == []
    lines = [
        f"{one.state} {one.part}: {world.plain(one.says)}"
        for one in findings
        # As this computer has them.
        if one.part not in {"machine gpu-1: GPU", "machine gpu-1: C++ compiler"}
    ]
    told = re.sub(r"\d+\.\d GiB", "N GiB", "\n".join(lines))
    told = re.sub(r"(127\.0\.0\.1|localhost):\d+", "HOST", told)
    told = re.sub(r"(python3: Python|git version|App \w+ \(number) [\d.]+", r"\1 N", told)
    assert told == snapshot("""\
note database: sqlite:////srv/state/ptq.sqlite is not there yet: `ptq serve` makes it, or the first job
fine state directory: /srv/state, N GiB free
fine clock: as GitHub's, within N s
fine webhook secret: it is set; a delivery shows whether it is GitHub's too
fine GitHub App: ptq (number 1234567) at https://github.com/api/v3
fine permissions: contents (write), issues (write), metadata (read), pull_requests (write)
fine events: issue_comment, issues
fine installation on pytorch/pytorch: there
fine model: http://HOST answers and takes the key
fine machine gpu-1: answers, with the pinned host key
fine machine gpu-1: port forwarding: allowed
fine machine gpu-1: clock: as ours
fine machine gpu-1: git: git version N
fine machine gpu-1: python3: Python N
fine machine gpu-1: uv: uv
fine machine gpu-1: disk: N GiB free for /home/ptq/ptq_workspace
note machine gpu-1: workspace: /home/ptq/ptq_workspace is not prepared yet
fine machine gpu-1: agent: git: git version N\
""")


async def test_what_the_app_may_not(world: Bot, settings: Settings) -> None:
    """The permission that is missing is named, and what it takes to have it."""
    world.github.world.app.permissions = {"issues": "write", "contents": "read"}
    rights = of(await found(settings), "permissions")
    assert (rights.state, rights.says, rights.mend) == snapshot(
        (
            "wrong",
            "the App lacks contents (write), metadata (read), pull_requests (write)",
            "change it on the App's settings page; each installation has to accept that",
        )
    )


async def test_keys_that_are_wrong(settings: Settings) -> None:
    """A key of another App, no key, the model's key refused: each says what to set."""
    other = changed(settings, github={"app_id": 1}, model={"api_key": SecretStr("sk-ant-other")})
    findings = await found(other)
    assert of(findings, app.PART).state == "wrong"
    assert "PTQ_GITHUB__APP_ID" in of(findings, app.PART).mend
    assert of(findings, model.PART).mend == "set another PTQ_MODEL__API_KEY"
    without = changed(settings, github={"private_key": None, "webhook_secret": None})
    findings = await found(changed(without, model={"api_key": None}))
    assert "PTQ_GITHUB__PRIVATE_KEY" in of(findings, app.PART).says
    assert "PTQ_GITHUB__WEBHOOK_SECRET" in of(findings, app.SECRET).mend
    assert "PTQ_MODEL__API_KEY" in of(findings, model.PART).mend


async def test_a_terminal_needs_no_app(settings: Settings) -> None:
    """Where nobody began to set one up, that is a note; with a part of it, the rest is missing."""
    nothing = {"app_id": None, "private_key": None, "webhook_secret": None}
    findings = await found(changed(settings, github=nothing))
    assert [one.part for one in findings if one.state == "wrong"] == []
    assert of(findings, app.PART).says == snapshot(
        "none is set up: `ptq serve` needs one, and `ptq auto` and `ptq run` need none"
    )
    begun = await found(changed(settings, github=nothing | {"app_id": 1}))
    assert [one.part for one in begun if one.state == "wrong"] == [app.SECRET, app.PART]


async def test_the_key_of_codex(settings: Settings) -> None:
    """OpenAI's endpoint is asked where there is a key for it; alone it is enough for Codex."""

    async def models(request: web.Request) -> web.Response:
        known = request.headers["Authorization"] == "Bearer sk-a-key-of-codex"
        return web.json_response({"data": []}, status=200 if known else 401)

    codex = settings.agent.codex.model_copy(update={"command": "no-such-codex"})
    settings = changed(settings, agent={"codex": codex})
    async with listening(models) as url:
        reached = {"openai_base_url": url, "openai_api_key": SecretStr("sk-a-key-of-codex")}
        both = await found(changed(settings, model=reached))
        alone = await found(changed(settings, model=reached | {"api_key": None}))
        other = {"openai_api_key": SecretStr("sk-another-key")}
        refused = await found(changed(settings, model=reached | other))
    assert [of(both, part).state for part in (model.PART, model.CODEX)] == ["fine", "fine"]
    assert (of(alone, model.PART).state, of(alone, model.CODEX).state) == ("note", "fine")
    agents = ["machine gpu-1: agent", "machine gpu-1: agent codex"]
    assert [of(both, part).state for part in agents] == ["fine", "wrong"]
    assert "PTQ_AGENT__CODEX__COMMAND" in of(both, agents[1]).mend
    assert [one.part for one in alone if "agent" in one.part] == agents[1:]
    assert of(refused, model.CODEX).mend == "set another PTQ_MODEL__OPENAI_API_KEY"


@asynccontextmanager
async def listening(handler: Handler) -> AsyncGenerator[str]:
    """Serve what answers every question."""
    served = web.Application()
    served.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(served, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_where_the_app_is_not_installed(settings: Settings) -> None:
    """Served is what the settings list, and the App has to be there, by repository or owner."""
    there = changed(settings, github={"repositories": ("pytorch", "nobody/nothing", "nobody")})
    states = {one.part: one.state for one in await found(there) if "installation" in one.part}
    assert states == {
        "installation on pytorch": "fine",
        "installation on nobody/nothing": "wrong",
        "installation on nobody": "wrong",
    }


async def test_a_machine_with_another_key(settings: Settings) -> None:
    """A machine whose host key is not the pinned one is not looked at any further."""
    machine = settings.machines[0]
    other = new_key().export_public_key().decode()
    pinned = machine.model_copy(update={"known_hosts": other})
    findings = await found(settings.model_copy(update={"machines": (pinned,)}))
    about = [one for one in findings if one.part.startswith("machine")]
    assert [(one.part, one.state) for one in about] == [("machine gpu-1", "wrong")]
    assert "host key is not the pinned one" in about[0].says


async def test_what_a_machine_lacks(settings: Settings) -> None:
    """The agent's program, and GPUs that the settings speak of."""
    missing = settings.agent.claude.model_copy(update={"command": "no-such-agent --quick"})
    machine = settings.machines[0].model_copy(update={"gpus": 1})
    settings = settings.model_copy(update={"machines": (machine,)})
    findings = await found(changed(settings, agent={"claude": missing}))
    agent = of(findings, "machine gpu-1: agent")
    assert (agent.state, agent.says) == ("wrong", "`no-such-agent` cannot be started")
    assert "PTQ_AGENT__CLAUDE__COMMAND" in agent.mend
    assert of(findings, "machine gpu-1: GPU").state == "wrong"


@asynccontextmanager
async def dated(moment: datetime) -> AsyncGenerator[str]:
    """Serve nothing but this date."""

    async def handle(_: web.Request) -> web.Response:
        return web.Response(headers={"Date": format_datetime(moment, usegmt=True)})

    async with listening(handle) as url:
        yield url


async def test_a_clock_that_is_off(settings: Settings) -> None:
    """It is compared with GitHub's, which would refuse our tokens."""
    async with (
        aiohttp.ClientSession() as session,
        dated(datetime.now(UTC) - timedelta(hours=1)) as url,
    ):
        there = settings.github.model_copy(update={"api_url": url})
        ahead = await ahead_of_github(there, session)
        assert ahead is not None
        assert timedelta(minutes=59) < ahead < timedelta(minutes=61)
        clock = of(await app.look(changed(settings, github={"api_url": url}), session), app.CLOCK)
    assert clock.state == "wrong"
    assert "ahead of GitHub's" in clock.says


async def test_the_program(world: Bot) -> None:
    """It ends with exit status 1 where something has to be mended, and tells scripts what."""
    environment = environment_of(world)
    status, out, _ = await ended(await ptq("doctor", **environment))
    assert status == 1
    assert "→ set PTQ_MODEL__API_KEY" in out
    status, out, _ = await ended(await ptq("doctor", "--json", **environment))
    findings = [Finding.model_validate(one) for one in json.loads(out)]
    assert status == 1
    assert of(findings, model.PART).state == "wrong"
    assert of(findings, "machine gpu-1").state == "fine"
