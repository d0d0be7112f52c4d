"""A patch becomes a branch and a draft pull request, after the bot itself has checked it.

Everything goes through GitHub's Git Data API, with a token that was minted for it; no clone, and no
credential near the agent's machine. Each part is found again if it was made before: the commit's id
follows from its content and date, the branch and the pull request are looked up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from bot import patch as patches, render
from bot.configuration import patch_rules
from bot.errors import GitHubNotFound, GitHubRejected, PatchRefused
from bot.github.answers import CommitAuthor, TreeEntry
from bot.github.base_tree import BaseTree
from bot.models import AgentProgress, AgentVerdict, Proof, PullRequest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bot.configuration import Configurations, RepositoryConfiguration
    from bot.github import GitHub, Pull, Repository
    from bot.github.answers import CommitInfo
    from bot.models import JobRequest, TorchBuild
    from bot.patch import Patch
    from bot.redaction import Redactor
    from bot.settings import PatchSettings
    from bot.store import Job

PULL_OPENED = "pull_opened"

MOST_BRANCHES = 20
"""Branches ``ptq/<issue>``, ``ptq/<issue>-2``, … that are tried before giving up."""

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes: the App, or a person with a token of their own."""

    reading: Repository
    writing: Repository
    login: str
    id: int


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
    ) -> PullRequest:
        """Check the patch, commit it on its branch, and open the draft pull request.

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
        into = await _base_branch(repository, configuration)
        base = await _base(repository, build)
        entries = await _entries(repository, base, patch, text)
        view = self._view(job, build, documents)
        commit = await self._commit(writer, base, entries, view, asked_at=request.asked_at)
        branch = await _branch(repository, request, commit)
        pull = await self._pull(repository, branch, view, into=into)
        _log.info(PULL_OPENED, number=pull.number, branch=branch, files=len(stat.files))
        return PullRequest(number=pull.number, url=pull.url, branch=branch, draft=pull.draft)

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
        verdict = _claim(documents.get("verdict.json", ""))
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
            proof=_proof(documents),
        )

    async def _commit(
        self,
        writer: Writer,
        base: CommitInfo,
        entries: list[TreeEntry],
        view: render.PullRequestView,
        *,
        asked_at: datetime,
    ) -> str:
        repository = writer.writing
        return await repository.create_commit(
            render.commit_message(view, redactor=self._redactor),
            tree=await repository.create_tree(base.tree, entries),
            parents=[base.sha],
            author=CommitAuthor(
                name=writer.login,
                email=f"{writer.id}+{writer.login}@users.noreply.github.com",
                date=asked_at,
            ),
        )

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


class PullRequestWords(BaseModel):
    """``pr.json`` as the agent left it; what is missing or wrong is left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    title: str = ""
    body: str = ""
    commit_message: str = ""

    @classmethod
    def read(cls, text: str) -> PullRequestWords:
        """Return the words; none for anything that is not what was asked for."""
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            return cls()


def _proof(documents: Mapping[str, str]) -> Proof | None:
    text = documents.get("proof.json")
    return None if text is None else Proof.model_validate_json(text)


def _claim(text: str) -> AgentVerdict | None:
    try:
        return AgentVerdict.model_validate_json(text)
    except ValidationError:
        return None


async def _base_branch(repository: Repository, configuration: RepositoryConfiguration) -> str:
    name = configuration.base_branch
    if name is None:
        return await repository.default_branch()
    if await repository.branch(name) is None:
        raise PatchRefused(f"the branch {name}, which the repository wants it against, is missing")
    return name


async def _base(repository: Repository, build: TorchBuild) -> CommitInfo:
    try:
        return await repository.commit(build.base_commit)
    except GitHubNotFound as error:
        raise PatchRefused(
            f"its base, commit {build.base_commit[:12]}, is not in this repository"
        ) from error


async def _entries(
    repository: Repository, base: CommitInfo, patch: Patch, text: str
) -> list[TreeEntry]:
    """Apply the patch to the files of the base commit, and store the new contents."""
    tree = BaseTree(repository, base.tree)
    files = {change.path: await tree.read(change.path) for change in patch.files}
    for change in patch.files:
        if (found := files[change.path]) is not None and found[0] != change.mode:
            raise PatchRefused(f"{change.path}: its mode in the repository is {found[0]}")
    modes = {change.path: change.mode for change in patch.files}
    contents = {path: found and found[1] for path, found in files.items()}
    return [
        TreeEntry.model_validate(
            {
                "path": path,
                "mode": modes[path],
                "sha": None if new is None else await repository.create_blob(new),
            }
        )
        for path, new in (await patches.apply(text, contents)).items()
    ]


async def _branch(repository: Repository, request: JobRequest, commit: str) -> str:
    """Return the job's own branch, made now or before; another job's branch is left alone."""
    first = f"ptq/{request.issue_number or request.job_id}"
    names = [first, *(f"{first}-{number}" for number in range(2, MOST_BRANCHES + 1))]
    for name in names:
        head = await repository.branch(name)
        if head == commit:
            return name
        if head is None and await _made(repository, name, commit):
            return name
    raise PatchRefused(f"the branches {first} to {names[-1]} are taken: delete the old ones")


async def _made(repository: Repository, name: str, commit: str) -> bool:
    """Make the branch; False when another one was made under this name a moment before."""
    try:
        await repository.create_branch(name, commit)
    except GitHubRejected:
        head = await repository.branch(name)
        if head is None:
            raise
        return head == commit
    return True
