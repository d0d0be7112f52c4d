"""The trouble: processes are killed and frozen, connections cut, a machine dies, GitHub fails."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from chaos.configuration import SILENCE
from demo import leftovers

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from random import Random

    from chaos.processes import BotProcess
    from chaos.world import World
    from tests.fakes.machine import FakeMachine

_TROUBLES = {
    "kill": 10,
    "freeze": 5,
    "restart": 2,
    "cut": 4,
    "database": 1,
    "fail": 4,
    "answer lost": 6,
}
"""How often each of them comes."""
_CALLS = (
    ("*", "*"),
    ("GET", "*"),
    ("POST", "*/issues/*/comments"),
    ("PATCH", "*/issues/comments/*"),
    ("POST", "*/pulls"),
    ("POST", "*/git/refs"),
    ("POST", "*/git/*"),
    ("POST", "*/reactions"),
    ("POST", "*/access_tokens"),
)
"""What is made to fail, as method and path."""
_EFFECTS = {
    ("POST", "*/issues/*/comments"): 4,
    ("POST", "*/git/refs"): 1,
    ("POST", "*/pulls"): 1,
    ("PATCH", "*/issues/comments/*"): 1,
}
"""What must not be made twice, and how often its answer is lost."""
_WRITES = frozenset({"POST", "PATCH"})
_DYING = 0.6
"""How often whoever gets no answer is killed before it can ask again, where it is found."""
_LONGEST_CALM = 6.0
"""Seconds between two troubles, at most."""
_STARTING = 0.15
"""How often somebody is killed who has only just been started."""
_START_SECONDS = 60.0
_AGAIN = 0.2
_EFFECT_SECONDS = 8.0
"""How long an effect is waited for whose answer is to be lost; it may come later."""
_AFTER_A_DEATH = 6
"""One part in so many of the kills comes after a machine died."""


class Trouble:
    """Everything that goes wrong until enough was killed and frozen."""

    def __init__(self, world: World, random: Random) -> None:
        """Do no harm yet."""
        self._world = world
        self._random = random
        self._passing: set[asyncio.Task[None]] = set()
        self.hits = 0
        """Kills and freezes that hit a living process with work to do."""
        self.others: dict[str, int] = {}
        """How often what else went wrong."""

    async def go_on(self) -> None:
        """Make trouble once."""
        await self._calm()
        if (machine := await self._may_die()) is not None:
            await self._die(machine)
            return
        match self._next():
            case "kill":
                await self._kill()
            case "freeze":
                self._freeze()
            case "restart":
                await self._restart()
            case "cut":
                self._do(self._cut())
            case "database":
                self._count("database")
                await self._world.database.restart()
            case "answer lost":
                await self._lose_an_answer()
            case _:
                self._fail()

    def _next(self) -> str:
        chances = dict(_TROUBLES)
        if self._world.options.database == "sqlite":
            del chances["database"]
        return self._random.choices(list(chances), weights=list(chances.values()))[0]

    async def over(self) -> None:
        """Wait until what was frozen or cut off is well again, and GitHub too."""
        while self._passing:
            await asyncio.wait(self._passing)
        self._world.github.faults.clear()

    def leave(self) -> None:
        """End what is still going on."""
        for task in self._passing:
            task.cancel()

    async def _calm(self) -> None:
        """Let some time pass; mostly the service has got up before."""
        if self._random.random() > _STARTING:
            ready = asyncio.gather(*(process.ready.wait() for process in self._world.processes))
            try:
                async with asyncio.timeout(_START_SECONDS):
                    await ready
            except TimeoutError:
                return
        await asyncio.sleep(self._random.uniform(0, _LONGEST_CALM) / len(self._world.processes))

    async def _kill(self) -> None:
        process = self._victim()
        has_work = bool(self._world.unfinished())
        if await process.kill():
            self.hits += has_work
            await process.start()

    async def _restart(self) -> None:
        """Deploy: it is told to end, and starts anew."""
        process = self._victim()
        if not process.is_frozen:
            self._count("restart")
            await process.end()
            await process.start()

    def _freeze(self) -> None:
        process = self._victim()
        has_work = bool(self._world.unfinished())
        if process.freeze():
            self.hits += has_work
            # The others look once a second: it is taken over before it goes on.
            shares = self._world.options.database == "postgres"
            shortest, longest = (1.2 * SILENCE, 1.6 * SILENCE) if shares else (0.5, 3)
            self._do(self._thaw(process, self._random.uniform(shortest, longest)))

    async def _thaw(self, process: BotProcess, seconds: float) -> None:
        frozen = process.starts
        await asyncio.sleep(seconds)
        if process.starts == frozen:
            process.thaw()

    async def _cut(self) -> None:
        """Drop a machine's connections, and now and then take none for a moment."""
        machine = self._random.choice(self._world.living)
        self._count("cut")
        if self._random.random() < 0.5:
            await machine.drop_connections()
            return
        await machine.refuse()
        try:
            await machine.drop_connections()
            await asyncio.sleep(self._random.uniform(0.5, 4))
        finally:
            if machine in self._world.living:
                await self._come_back(machine)

    async def _come_back(self, machine: FakeMachine) -> None:
        """Have a machine take connections again, once nobody else has its port for a moment."""
        while True:
            try:
                return await machine.accept()
            except OSError:
                await asyncio.sleep(_AGAIN)

    async def _may_die(self) -> FakeMachine | None:
        """Return a machine with an agent on it, once, when it is time for one to die."""
        kills = self._world.options.kills
        if self._world.dead or self.hits < kills - max(1, kills // _AFTER_A_DEATH):
            return None
        # The first one has more slots than the others: it goes last.
        for machine in reversed(self._world.machines):
            if await asyncio.to_thread(leftovers.found, machine.home):
                return machine
        return None

    async def _die(self, machine: FakeMachine) -> None:
        """Let a machine be gone for good, with all that runs on it."""
        self._count("machine died")
        self._world.dead.append(machine)
        await machine.refuse()
        await machine.drop_connections()
        await asyncio.to_thread(leftovers.end, machine.home)

    def _fail(self) -> None:
        """Have GitHub fail at some of the next calls, before or after it did what was asked."""
        faults = self._world.github.faults
        method, pattern = self._random.choice(_CALLS)
        times = self._random.randint(1, 3)
        is_done = method in _WRITES and self._random.random() < 0.5
        kind = self._random.choice(["5xx", "429", "dropped"])
        self._count(f"{kind} done" if is_done and kind != "429" else kind)
        match kind:
            case "5xx":
                status = self._random.choice([500, 502, 503, 504])
                faults.fail_next(method, pattern, status=status, times=times, done=is_done)
            case "429":
                faults.fail_next(method, pattern, status=429, headers={"retry-after": "1"})
            case _:
                faults.drop_next(method, pattern, done=is_done, times=times)

    async def _lose_an_answer(self) -> None:
        """Have GitHub do what is asked and not say so; mostly somebody dies in that moment."""
        effects, weights = list(_EFFECTS), list(_EFFECTS.values())
        method, pattern = self._random.choices(effects, weights=weights)[0]
        dies = self._random.random() < _DYING
        self._count("answer lost")
        fault = self._world.github.faults.drop_next(method, pattern, done=True)
        try:
            await self._world.github.wait_for(lambda: not fault.times, seconds=_EFFECT_SECONDS)
        except TimeoutError:
            return
        if dies:
            await self._kill()

    def _victim(self) -> BotProcess:
        return self._random.choice(self._world.processes)

    def _count(self, what: str) -> None:
        self.others[what] = self.others.get(what, 0) + 1

    def _do(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)
