"""The queue's decisions, as an operator would tell them."""

from __future__ import annotations

from dataclasses import replace

from bot.models import JobId, LeaseId
from bot.queue import (
    GpuTypeIsFull,
    NoFreeMachine,
    PersonIsFull,
    Placed,
    RepositoryIsFull,
    Rules,
    Running,
    Standing,
    decide,
)
from tests.queued import NOW, World, asked, names, offer


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
