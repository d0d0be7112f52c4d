"""What the steps of a job work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bot.errors import AgentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.agents.base import Agent
    from bot.configuration import Configurations
    from bot.gateway import Gateway
    from bot.github import GitHub, Repository
    from bot.investigation.waiting import WaitingRoom
    from bot.investigation.watching import Watch
    from bot.machines.base import MachineProvider
    from bot.models import Thread
    from bot.posting import Posting
    from bot.publisher import Publisher
    from bot.redaction import Redactor
    from bot.reporter import Reporter
    from bot.settings import Settings
    from bot.store import Documents, Jobs, Leases, Queue, RepositoryJobs, Runs


class Visitor(Protocol):
    """What ends and removes on a machine what jobs left there: ``Parts``, or a terminal's own."""

    @property
    def settings(self) -> Settings:
        """Say where machines are, and how long to wait."""
        ...

    @property
    def jobs(self) -> Jobs:
        """Tell what was asked."""
        ...

    @property
    def leases(self) -> Leases:
        """Tell which machines died under jobs."""
        ...

    @property
    def provider(self) -> MachineProvider:
        """Open shells on machines."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """Made once by the composition root."""

    settings: Settings
    github: GitHub
    configurations: Configurations
    jobs: Jobs
    repository_jobs: RepositoryJobs
    runs: Runs
    leases: Leases
    queue: Queue
    room: WaitingRoom
    watch: Watch
    documents: Documents
    provider: MachineProvider
    agents: Mapping[str, Agent]
    gateway: Gateway
    publisher: Publisher
    posting: Posting
    reporter: Reporter
    redactor: Redactor

    def agent(self, name: str) -> Agent:
        """Return an agent by its name; raise AgentError when there is none."""
        if name not in self.agents:
            raise AgentError(f"there is no agent named {name}")
        return self.agents[name]

    def repository(self, thread: Thread) -> Repository:
        """Return the repository of a job's thread, as its installation."""
        return self.github.repository(thread.repository, thread.installation_id)
