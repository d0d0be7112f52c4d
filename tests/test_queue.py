"""The queue's decisions, for any jobs, machines and limits."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import given, settings, strategies as st

from bot.models import GpuRequest, JobId, LeaseId, Offer
from bot.queue import (
    BiggerFirst,
    GpuTypeIsFull,
    NoFreeMachine,
    PersonIsFull,
    Placed,
    Plan,
    RepositoryIsFull,
    Rules,
    Running,
    Standing,
    Waiting,
    decide,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
KINDS: tuple[str, ...] = ("h100", "a100", "cpu")


def offer(machine: str, *, gpu_type: str = "h100", gpus: int = 1, slots: int = 1) -> Offer:
    """Return a machine."""
    return Offer(machine=machine, gpu_type=gpu_type, gpus=gpus, slots=slots, workspace="~/w")


def asked(
    name: str,
    *,
    person: int = 1,
    minutes: float = 1,
    gpu_type: str = "h100",
    gpus: int = 1,
    machine: str | None = None,
    priority: int = 0,
    repository: str = "pytorch/pytorch",
) -> Waiting:
    """Return a job that has waited for some minutes."""
    request = GpuRequest(gpu_type=gpu_type, gpus=gpus, machine=machine, duration=timedelta(hours=4))
    return Waiting(
        lease_id=LeaseId(f"{name}/1"),
        job_id=JobId(name),
        person=person,
        repository=repository,
        request=request,
        since=NOW - timedelta(minutes=minutes),
        priority=priority,
    )


def going(job: Waiting, placed: Placed, rules: Rules) -> Running:
    """Return a job that has just had its turn."""
    there = {offer.machine: offer for offer in rules.machines or ()}
    found = there.get(placed.machine or "")
    return Running(
        lease_id=job.lease_id,
        person=job.person,
        repository=job.repository,
        gpu_type=found.gpu_type if found else job.request.gpu_type,
        gpus=max(found.gpus, job.request.gpus) if found else job.request.gpus,
        machine=placed.machine,
        slot=placed.slot,
    )


class World:
    """Jobs that come, have their turn and end, as time goes by."""

    def __init__(self, rules: Rules) -> None:
        """Begin with nothing."""
        self.rules = rules
        self.now = NOW
        self.waiting: list[Waiting] = []
        self.running: list[Running] = []
        self.last: dict[int, datetime] = {}
        self.order: list[str] = []

    def come(self, *jobs: Waiting) -> None:
        """Have jobs wait."""
        self.waiting.extend(jobs)

    def look(self) -> Plan:
        """Decide, and let those go whose turn it is."""
        plan = decide(self.waiting, self.running, rules=self.rules, last=self.last, now=self.now)
        jobs = {job.lease_id: job for job in self.waiting}
        for placed in plan.placed:
            job = jobs[placed.lease_id]
            self.running.append(going(job, placed, self.rules))
            self.last[job.person] = self.now
            self.order.append(job.job_id)
        gone = {placed.lease_id for placed in plan.placed}
        self.waiting = [job for job in self.waiting if job.lease_id not in gone]
        self.now += timedelta(minutes=1)
        return plan

    def end(self, index: int = 0) -> None:
        """Have a running job end."""
        if self.running:
            self.running.pop(index % len(self.running))


def names(jobs: Iterable[str]) -> str:
    """Return the order as a line."""
    return " ".join(jobs)


jobs = st.builds(
    asked,
    name=st.just("job"),
    person=st.integers(1, 4),
    minutes=st.integers(0, 1500),
    gpu_type=st.sampled_from(KINDS),
    gpus=st.sampled_from((1, 2, 8)),
    machine=st.sampled_from((None, None, None, "m0", "m1")),
    priority=st.integers(-1, 1),
    repository=st.sampled_from(("pytorch/pytorch", "pytorch/vision")),
)
machines = st.lists(
    st.builds(
        offer,
        machine=st.just("m"),
        gpu_type=st.sampled_from(KINDS),
        gpus=st.sampled_from((1, 2, 8)),
        slots=st.integers(1, 3),
    ),
    max_size=4,
)
limits = st.integers(0, 3)


def named(many: Sequence[Waiting]) -> list[Waiting]:
    """Give each job a name of its own."""
    return [
        replace(job, job_id=JobId(f"j{number}"), lease_id=LeaseId(f"j{number}/1"))
        for number, job in enumerate(many)
    ]


@st.composite
def rules(draw: st.DrawFn) -> Rules:
    """Draw machines and limits."""
    offers = [
        found.model_copy(update={"machine": f"m{number}"})
        for number, found in enumerate(draw(machines))
    ]
    return Rules(
        machines=draw(st.sampled_from((offers, offers, None))),
        jobs_per_repository=draw(limits),
        jobs_per_person=draw(limits),
        gpu_types=draw(st.dictionaries(st.sampled_from(KINDS), st.integers(0, 9))),
    )


def over(running: Sequence[Running], rules: Rules) -> bool:
    """Whether more runs than may."""
    people = Counter(job.person for job in running)
    places = Counter(job.repository for job in running)
    kinds: Counter[str] = Counter()
    for job in running:
        kinds[job.gpu_type] += job.gpus
    slots = Counter((job.machine, job.slot) for job in running if job.machine)
    return (
        any(rules.jobs_per_person and many > rules.jobs_per_person for many in people.values())
        or any(
            rules.jobs_per_repository and many > rules.jobs_per_repository
            for many in places.values()
        )
        or any(
            rules.gpu_types.get(kind) and many > rules.gpu_types[kind]
            for kind, many in kinds.items()
        )
        or any(many > 1 for many in slots.values())
    )


@given(rules(), st.lists(jobs, max_size=25), st.lists(st.integers(0, 30), max_size=25))
def test_nothing_ever_runs_over_a_limit(rules: Rules, many: list[Waiting], ends: list[int]) -> None:
    """Whatever comes and ends: no slot is lent twice, and no limit is passed."""
    world = World(rules)
    world.come(*named(many))
    for end in [*ends, 0]:
        plan = world.look()
        assert not over(world.running, rules)
        assert set(plan.standings) == {job.job_id for job in world.waiting}
        world.end(end)


@given(rules(), st.lists(jobs, max_size=20))
def test_a_job_that_cannot_go_blocks_none_that_can(rules: Rules, many: list[Waiting]) -> None:
    """A job that waits would not go either if it were alone with those that run."""
    world = World(rules)
    world.come(*named(many))
    plan = world.look()
    for job in world.waiting:
        if isinstance(plan.standings[job.job_id].reason, BiggerFirst):
            continue
        alone = decide([job], world.running, rules=rules, last={}, now=NOW)
        assert alone.placed == ()


@settings(max_examples=25)
@given(rules(), st.lists(jobs, min_size=1, max_size=8))
def test_nobody_starves(rules: Rules, many: list[Waiting]) -> None:
    """Jobs keep coming, with whatever priority; every job that can ever go does."""
    world = World(rules)
    first = named(many)
    world.come(*first)
    possible = {
        job.job_id for job in first if decide([job], [], rules=rules, last={}, now=NOW).placed
    }
    for number in range(60 * 24):
        newcomer = asked(
            f"n{number}",
            person=100 + number,
            gpu_type=KINDS[number % 3],
            priority=1,
        )
        world.come(replace(newcomer, since=world.now))
        world.look()
        if not possible & {job.job_id for job in world.waiting}:
            return
        world.end()
    raise AssertionError(possible & {job.job_id for job in world.waiting})


def test_twenty_jobs_of_one_person_do_not_starve_anothers_one() -> None:
    """People take turns: of those who asked before, one job each goes before one's own."""
    world = World(Rules(machines=[offer("m")]))
    world.come(*(asked(f"a{number:02}", person=1, minutes=100 - number) for number in range(20)))
    world.look()
    world.come(asked("b", person=2, minutes=0), asked("c", person=3, minutes=0))
    for _ in range(5):
        world.end()
        world.look()
    assert names(world.order) == "a00 a01 b c a02 a03"


def test_a_job_whose_machine_died_goes_first_of_its_person() -> None:
    """It stands at the head of its person's jobs, and not on the machine that it lost."""
    again = replace(asked("again", minutes=0), is_again=True, avoid=frozenset({"m1"}))
    rules = Rules(machines=[offer("m1"), offer("m2")])
    plan = decide([asked("a"), again], [], rules=rules, last={}, now=NOW)
    assert plan.placed == (Placed(again.lease_id, "m2", 0), Placed(LeaseId("a/1"), "m1", 0))


def test_where_no_other_machine_fits_the_lost_one_is_lent_again() -> None:
    """A machine that stopped answering is the last choice, and a choice."""
    again = replace(asked("again"), avoid=frozenset({"m1"}))
    alone = Rules(machines=[offer("m1"), offer("m2", gpu_type="a100")])
    suspects = frozenset({"m1", "m2"})
    plan = decide([again], [], rules=alone, last={}, suspects=suspects, now=NOW)
    assert plan.placed == (Placed(again.lease_id, "m1", 0),)


def test_the_smallest_machine_that_fits_is_lent() -> None:
    """A big one is kept for a job that needs it."""
    rules = Rules(machines=[offer("eight", gpus=8), offer("one", gpus=1)])
    plan = decide([asked("small"), asked("big", gpus=8)], [], rules=rules, last={}, now=NOW)
    assert {placed.machine for placed in plan.placed} == {"one", "eight"}


def test_priority_counts_before_fairness_and_waiting_long_before_priority() -> None:
    """A higher priority goes first; who has waited half a day stands with it."""
    world = World(Rules(machines=[offer("m")]))
    world.come(
        asked("old", minutes=60 * 13),
        asked("urgent", person=2, priority=5),
        asked("usual", person=3, minutes=300),
    )
    for _ in range(3):
        world.look()
        world.end()
    assert names(world.order) == "old urgent usual"


def test_small_jobs_pass_a_big_one_only_for_a_while() -> None:
    """A job that needs all GPUs of a kind gets them: after half an hour no smaller one passes."""
    rules = Rules(machines=None, gpu_types={"h100": 8})
    world = World(rules)
    world.come(asked("s0", person=10), asked("s1", person=11))
    world.look()
    world.come(asked("big", gpus=8, minutes=0))
    number = 2
    while "big" not in world.order:
        world.come(replace(asked(f"s{number}", person=10 + number), since=world.now))
        world.look()
        world.end()
        number += 1
    assert names(world.order[-3:]) == "s29 s30 big"


def test_why_a_job_waits_and_where_it_stands() -> None:
    """The reason comes with its numbers; only those that want the same machines stand before."""
    rules = Rules(
        machines=[offer("m1"), offer("m2", gpu_type="a100"), offer("m3", gpu_type="b200", gpus=8)],
        jobs_per_person=2,
        gpu_types={"b200": 4},
    )
    running = [
        Running(
            lease_id=LeaseId(name),
            person=person,
            repository="pytorch/pytorch",
            gpu_type="h100",
            gpus=1,
            machine="m1",
            slot=number,
        )
        for number, (name, person) in enumerate((("r1", 1), ("r2", 1), ("r3", 2)))
    ]
    full = replace(asked("full", person=5), repository_limit=3)
    own = replace(asked("own", person=2, minutes=4), person_limit=1)
    waiting = [
        asked("one", person=1, minutes=9),
        asked("two", person=3, minutes=8),
        own,
        full,
        asked("b200", person=6, gpu_type="b200"),
        asked("named", person=7, machine="m1", minutes=0.5),
        asked("elsewhere", person=1, gpu_type="a100", minutes=7),
    ]
    plan = decide(waiting, running, rules=rules, last={}, now=NOW)
    assert plan.placed == ()
    assert plan.standings == {
        JobId("two"): Standing(1, NoFreeMachine(None)),
        JobId("full"): Standing(2, RepositoryIsFull(3, 3)),
        JobId("named"): Standing(3, NoFreeMachine("m1")),
        JobId("own"): Standing(4, PersonIsFull(1, 1, is_here=True)),
        JobId("one"): Standing(5, PersonIsFull(2, 2, is_here=False)),
        JobId("elsewhere"): Standing(1, PersonIsFull(2, 2, is_here=False)),
        JobId("b200"): Standing(1, GpuTypeIsFull("b200", 0, 4)),
    }
