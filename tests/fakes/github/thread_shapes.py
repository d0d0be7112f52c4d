"""Issues, comments, reactions and pull requests, in the shapes of GitHub's API and webhooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.fakes.github.shapes import Json, Shapes, node_id, stamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.fakes.github.apps import App
    from tests.fakes.github.memory import Comment, Issue, Label, Project, Pull, Reaction

REACTIONS = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")


@dataclass(frozen=True, slots=True)
class PullSize:
    """What git says about a pull request."""

    commits: int
    files: int
    added: int
    removed: int


class ThreadShapes:
    """Shapes what is in a repository's threads."""

    def __init__(self, shapes: Shapes, app: App) -> None:
        """Comments of ``app`` are told as its own."""
        self._shapes = shapes
        self._app = app

    def label(self, project: Project, label: Label) -> Json:
        """Shape a ``label``."""
        return {
            "id": label.id,
            "node_id": node_id("Label", label.id),
            "url": f"{self._shapes.project_api(project)}/labels/{label.name}",
            "name": label.name,
            "color": label.color,
            "default": False,
            "description": label.description,
        }

    def reaction(self, reaction: Reaction) -> Json:
        """Shape a ``reaction``."""
        return {
            "id": reaction.id,
            "node_id": node_id("Reaction", reaction.id),
            "user": self._shapes.account(reaction.account),
            "content": reaction.content,
            "created_at": stamp(reaction.created_at),
        }

    def comment(self, project: Project, comment: Comment) -> Json:
        """Shape an ``issue-comment``."""
        api = self._shapes.project_api(project)
        url = f"{api}/issues/comments/{comment.id}"
        return {
            "url": url,
            "html_url": comment.url,
            "issue_url": f"{api}/issues/{comment.number}",
            "id": comment.id,
            "node_id": node_id("IssueComment", comment.id),
            "user": self._shapes.someone(comment.author),
            "created_at": stamp(comment.created_at),
            "updated_at": stamp(comment.updated_at),
            "author_association": comment.association,
            "body": comment.body,
            "reactions": _rollup(url, comment.reactions),
            "performed_via_github_app": self._via(is_ours=comment.via_app),
        }

    def issue(self, project: Project, issue: Issue) -> Json:
        """Shape an ``issue``."""
        api = self._shapes.project_api(project)
        url = f"{api}/issues/{issue.number}"
        shaped: Json = {
            "url": url,
            "repository_url": api,
            "labels_url": f"{url}/labels{{/name}}",
            "comments_url": f"{url}/comments",
            "events_url": f"{url}/events",
            "html_url": issue.url,
            "id": issue.id,
            "node_id": node_id("Issue", issue.id),
            "number": issue.number,
            "title": issue.title,
            "user": self._shapes.someone(issue.author),
            "labels": [self.label(project, label) for label in issue.labels],
            "state": issue.state,
            "locked": False,
            "assignee": None,
            "assignees": [],
            "milestone": None,
            "comments": len(issue.comments),
            "created_at": stamp(issue.created_at),
            "updated_at": stamp(issue.updated_at),
            "closed_at": None if issue.state == "open" else stamp(issue.updated_at),
            "author_association": issue.association,
            "active_lock_reason": None,
            "body": issue.body,
            "reactions": _rollup(url, issue.reactions),
            "performed_via_github_app": self._via(is_ours=issue.via_app),
        }
        if issue.pull is not None:
            shaped["draft"] = issue.pull.draft
            shaped["pull_request"] = {
                "url": f"{api}/pulls/{issue.number}",
                "html_url": issue.url,
                "diff_url": f"{issue.url}.diff",
                "patch_url": f"{issue.url}.patch",
                "merged_at": None,
            }
        return shaped

    def simple_pull(self, project: Project, issue: Issue, pull: Pull) -> Json:
        """Shape a ``pull-request-simple``, as lists hold it."""
        api = self._shapes.project_api(project)
        url, thread = f"{api}/pulls/{issue.number}", f"{api}/issues/{issue.number}"
        links = {
            "self": url,
            "html": issue.url,
            "issue": thread,
            "comments": f"{thread}/comments",
            "review_comments": f"{url}/comments",
            "review_comment": f"{api}/pulls/comments{{/number}}",
            "commits": f"{url}/commits",
            "statuses": f"{api}/statuses/{pull.head_sha}",
        }
        return {
            "url": url,
            "id": pull.id,
            "node_id": node_id("PullRequest", pull.id),
            "html_url": issue.url,
            "diff_url": f"{issue.url}.diff",
            "patch_url": f"{issue.url}.patch",
            "issue_url": thread,
            "commits_url": links["commits"],
            "review_comments_url": links["review_comments"],
            "review_comment_url": links["review_comment"],
            "comments_url": links["comments"],
            "statuses_url": links["statuses"],
            "number": issue.number,
            "state": issue.state,
            "locked": False,
            "title": issue.title,
            "user": self._shapes.someone(issue.author),
            "body": issue.body,
            "labels": [self.label(project, label) for label in issue.labels],
            "milestone": None,
            "created_at": stamp(issue.created_at),
            "updated_at": stamp(issue.updated_at),
            "closed_at": None if issue.state == "open" else stamp(issue.updated_at),
            "merged_at": None,
            "merge_commit_sha": None,
            "assignee": None,
            "assignees": [],
            "requested_reviewers": [],
            "requested_teams": [],
            "head": self._end(project, pull.head, pull.head_sha),
            "base": self._end(project, pull.base, pull.base_sha),
            "_links": {name: {"href": address} for name, address in links.items()},
            "author_association": issue.association,
            "auto_merge": None,
            "active_lock_reason": None,
            "draft": pull.draft,
        }

    def pull(self, project: Project, issue: Issue, pull: Pull, size: PullSize) -> Json:
        """Shape a ``pull-request``."""
        return self.simple_pull(project, issue, pull) | {
            "merged": pull.merged,
            "mergeable": True,
            "rebaseable": True,
            "mergeable_state": "draft" if pull.draft else "clean",
            "merged_by": None,
            "comments": len(issue.comments),
            "review_comments": 0,
            "maintainer_can_modify": False,
            "commits": size.commits,
            "additions": size.added,
            "deletions": size.removed,
            "changed_files": size.files,
        }

    def _end(self, project: Project, branch: str, sha: str) -> Json:
        return {
            "label": f"{project.owner.login}:{branch}",
            "ref": branch,
            "sha": sha,
            "user": self._shapes.account(project.owner),
            "repo": self._shapes.project(project),
        }

    def _via(self, *, is_ours: bool) -> Json | None:
        return self._shapes.app(self._app) if is_ours else None


def _rollup(url: str, reactions: Sequence[Reaction]) -> Json:
    counts = {
        content: sum(reaction.content == content for reaction in reactions) for content in REACTIONS
    }
    return {"url": f"{url}/reactions", "total_count": len(reactions), **counts}
