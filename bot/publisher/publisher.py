"""A patch becomes a branch and a draft pull request, after the bot itself has checked it.

Everything goes through GitHub's Git Data API, with a token that was minted for it; no clone, and no
credential near the agent's machine. Each part is found again if it was made before: the commit's id
follows from its content and date, the branch and the pull request are looked up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from bot import patch as patches, render
from bot.configuration import patch_rules
from bot.errors import GitHubRejected, PatchRefused
from bot.github.answers import CommitAuthor
from bot.models import AgentProgress, PullRequest
from bot.publisher import git
from bot.publisher.words import PullRequestWords, claim_of, proof_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.configuration import Configurations
    from bot.github import GitHub, Pull, Repository
    from bot.models import JobRequest, TorchBuild
    from bot.publisher.earlier import EarlierPull
    from bot.redaction import Redactor
    from bot.settings import PatchSettings
    from bot.store import Job

PULL_OPENED = "pull_opened"
PULL_UPDATED = "pull_updated"

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes: the App, or a person with a token of their own."""

    reading: Repository
    writing: Repository
    login: str
    id: int

    def author(self, date: datetime) -> CommitAuthor:
        """Return who made a commit, for GitHub to know them by."""
        email = f"{self.id}+{self.login}@users.noreply.github.com"
        return CommitAuthor(name=self.login, email=email, date=date)


class Publisher:
    """Opens draft pull requests."""

    def __init__(
        self,
        github: GitHub,
        settings: PatchSettings,
        *,
        configurations: Configurations,
        redactor: Redactor,
    ) -> None:
        """Publish what settings and configuration allow, without what the redactor takes out."""
        self._github = github
        self._configurations = configurations
        self._settings = settings
        self._redactor = redactor

    async def publish(
        self,
        job: Job,
        build: TorchBuild,
        documents: Mapping[str, str],
        *,
        writer: Writer | None = None,
        earlier: EarlierPull | None = None,
    ) -> PullRequest:
        """Check the patch, commit it on its branch, and open the draft pull request.

        The ``earlier`` one of the same job is brought to this run's change instead, while it is an
        open draft and nobody else pushed to it.
        The App does it, in the name of who asked in the job's thread, unless a ``writer`` does.
        Raise PatchRefused when the patch must not be published, GitHubError when GitHub will not.
        """
        request = job.request
        writer = writer or await self._app(request)
        # As it is now, and not as it was when the job began: a path may have been closed since.
        configuration = (await self._configurations.of(writer.reading)).configuration
        text = documents.get("fix.diff", "")
        patch = patches.read_patch(text)
        stat = patches.judge(patch, patch_rules(self._settings, configuration))
        repository = writer.writing
        into = await git.base_branch(repository, configuration)
        base = await git.base_commit(repository, build)
        entries = await git.entries_of(repository, base, patch, text)
        view = self._view(job, build, documents)
        tree = await repository.create_tree(base.tree, entries)

        async def commit(*parents: str) -> str:
            message = render.commit_message(view, redactor=self._redactor)
            author = writer.author(request.asked_at)
            return await repository.create_commit(
                message, tree=tree, parents=list(parents), author=author
            )

        if earlier is not None:
            of_both = () if earlier.base == base.sha else (base.sha,)
            made = await commit(earlier.pull.commit, *of_both)
            if await git.moved_forward(repository, earlier.pull, made):
                return await self._updated(repository, earlier.pull, view, made)
        made = await commit(base.sha)
        branch = await git.own_branch(repository, request, made)
        pull = await self._pull(repository, branch, view, into=into)
        _log.info(PULL_OPENED, number=pull.number, branch=branch, files=len(stat.files))
        return PullRequest(
            number=pull.number,
            url=pull.url,
            branch=branch,
            draft=pull.draft,
            commit=made,
            instead_of=None if earlier is None else earlier.pull.number,
        )

    async def _app(self, request: JobRequest) -> Writer:
        thread = request.thread
        if thread is None:
            raise PatchRefused("no thread on GitHub hears of the job")
        app = await self._github.app()
        where = thread.repository, thread.installation_id
        return Writer(
            reading=self._github.repository(*where),
            writing=self._github.publishing_repository(*where),
            login=app.login,
            id=app.id,
        )

    def _view(
        self, job: Job, build: TorchBuild, documents: Mapping[str, str]
    ) -> render.PullRequestView:
        words = PullRequestWords.read(documents.get("pr.json", ""))
        verdict = claim_of(documents.get("verdict.json", ""))
        return render.PullRequestView(
            job=render.Job(
                id=job.id,
                run=job.request.run,
                issue_number=job.request.issue_number,
                requester=job.request.requester.login,
                command_url=job.request.command_url,
                options=job.request.options,
            ),
            title=words.title,
            body=words.body,
            commit_message=words.commit_message,
            tests=verdict.tests if verdict else (),
            progress=job.progress or AgentProgress(),
            torch=build,
            progress_url=job.progress_comment_url,
            proof=proof_of(documents),
        )

    async def _updated(
        self, repository: Repository, pull: PullRequest, view: render.PullRequestView, commit: str
    ) -> PullRequest:
        title, body = render.pull_request(view, redactor=self._redactor)
        await repository.edit_pull(pull.number, title=title, body=body)
        _log.info(PULL_UPDATED, number=pull.number, branch=pull.branch)
        return pull.model_copy(update={"commit": commit, "updated": True})

    async def _pull(
        self, repository: Repository, branch: str, view: render.PullRequestView, *, into: str
    ) -> Pull:
        if (existing := await repository.find_pull(branch)) is not None:
            return existing
        title, body = render.pull_request(view, redactor=self._redactor)
        try:
            return await repository.create_pull(title, body, head=branch, base=into, draft=True)
        except GitHubRejected:
            # It was made, and the answer was lost on an earlier try.
            if (existing := await repository.find_pull(branch)) is not None:
                return existing
            raise
