"""The queue's decisions, for any jobs, machines and limits."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings, strategies as st

from bot.models import JobId, LeaseId
from bot.queue import (
    BiggerFirst,
    Rules,
    Running,
    Waiting,
    decide,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

from tests.queued import KINDS, NOW, World, asked, offer

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
