"""Accounts, repositories and the App, in the shapes of GitHub's API and webhooks."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from tests.fakes.github.apps import App, Installation
    from tests.fakes.github.memory import Account, Project

Json: TypeAlias = dict[str, Any]

_ACCOUNT_URLS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
_PROJECT_URLS = {
    "forks_url": "/forks",
    "keys_url": "/keys{/key_id}",
    "collaborators_url": "/collaborators{/collaborator}",
    "teams_url": "/teams",
    "hooks_url": "/hooks",
    "issue_events_url": "/issues/events{/number}",
    "events_url": "/events",
    "assignees_url": "/assignees{/user}",
    "branches_url": "/branches{/branch}",
    "tags_url": "/tags",
    "blobs_url": "/git/blobs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "trees_url": "/git/trees{/sha}",
    "statuses_url": "/statuses/{sha}",
    "languages_url": "/languages",
    "stargazers_url": "/stargazers",
    "contributors_url": "/contributors",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "commits_url": "/commits{/sha}",
    "git_commits_url": "/git/commits{/sha}",
    "comments_url": "/comments{/number}",
    "issue_comment_url": "/issues/comments{/number}",
    "contents_url": "/contents/{+path}",
    "compare_url": "/compare/{base}...{head}",
    "merges_url": "/merges",
    "archive_url": "/{archive_format}{/ref}",
    "downloads_url": "/downloads",
    "issues_url": "/issues{/number}",
    "pulls_url": "/pulls{/number}",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "labels_url": "/labels{/name}",
    "releases_url": "/releases{/id}",
    "deployments_url": "/deployments",
}


def node_id(kind: str, number: int) -> str:
    """Return an opaque id, as GitHub's GraphQL has them."""
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


def stamp(time: datetime) -> str:
    """Write a time as GitHub does: UTC, whole seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


class Shapes:
    """Shapes things, with addresses that lead to this server."""

    def __init__(self, *, site: str, api: str) -> None:
        """Take the addresses of the pages for people and of the API."""
        self.site = site
        self.api = api

    def account(self, account: Account) -> Json:
        """Shape a ``simple-user``."""
        url = f"{self.api}/users/{account.login}"
        return {
            "login": account.login,
            "id": account.id,
            "node_id": node_id("User", account.id),
            "avatar_url": f"{self.site}/avatars/{account.id}",
            "gravatar_id": "",
            "url": url,
            "html_url": f"{self.site}/{account.login}",
            **{name: url + suffix for name, suffix in _ACCOUNT_URLS.items()},
            "type": account.type,
            "site_admin": False,
        }

    def someone(self, account: Account | None) -> Json | None:
        """Shape an author who may be gone."""
        return None if account is None else self.account(account)

    def project_api(self, project: Project) -> str:
        """Return the address of a repository in the API."""
        return f"{self.api}/repos/{project.full_name}"

    def project(self, project: Project) -> Json:
        """Shape a ``repository``, as webhooks hold it."""
        url, page = self.project_api(project), f"{self.site}/{project.full_name}"
        threads = sum(issue.state == "open" for issue in project.issues.values())
        return {
            "id": project.id,
            "node_id": node_id("Repository", project.id),
            "name": project.name,
            "full_name": project.full_name,
            "private": project.private,
            "owner": self.account(project.owner),
            "html_url": page,
            "description": None,
            "fork": False,
            "url": url,
            **{name: url + suffix for name, suffix in _PROJECT_URLS.items()},
            "created_at": stamp(project.created_at),
            "updated_at": stamp(project.created_at),
            "pushed_at": stamp(project.created_at),
            "git_url": f"{page}.git",
            "ssh_url": f"{page}.git",
            "clone_url": f"{page}.git",
            "svn_url": page,
            "homepage": None,
            "size": 0,
            "stargazers_count": 0,
            "watchers_count": 0,
            "language": "Python",
            "has_issues": True,
            "has_projects": True,
            "has_downloads": True,
            "has_wiki": True,
            "has_pages": False,
            "forks_count": 0,
            "mirror_url": None,
            "archived": False,
            "disabled": False,
            "open_issues_count": threads,
            "license": None,
            "forks": 0,
            "open_issues": threads,
            "watchers": 0,
            "default_branch": project.default_branch,
            "is_template": False,
            "topics": [],
            "visibility": "private" if project.private else "public",
            "web_commit_signoff_required": False,
            "custom_properties": {},
        }

    def full_project(self, project: Project) -> Json:
        """Shape a ``full-repository``."""
        more = {"network_count": 0, "subscribers_count": 0, "has_discussions": False}
        return self.project(project) | more

    def app(self, app: App) -> Json:
        """Shape an ``integration``."""
        return {
            "id": app.id,
            "client_id": f"Iv1.{app.id:016x}",
            "slug": app.slug,
            "node_id": node_id("App", app.id),
            "owner": self.account(app.owner),
            "name": app.name,
            "description": "",
            "external_url": f"{self.site}/apps/{app.slug}",
            "html_url": f"{self.site}/apps/{app.slug}",
            "created_at": stamp(app.created_at),
            "updated_at": stamp(app.created_at),
            "permissions": dict(app.permissions),
            "events": ["issue_comment", "issues"],
        }

    def installation(self, app: App, installation: Installation) -> Json:
        """Shape an ``installation``."""
        url = f"{self.api}/app/installations/{installation.id}"
        return {
            "id": installation.id,
            "account": self.account(installation.account),
            "repository_selection": "selected",
            "access_tokens_url": f"{url}/access_tokens",
            "repositories_url": f"{self.api}/installation/repositories",
            "html_url": f"{self.site}/settings/installations/{installation.id}",
            "app_id": app.id,
            "app_slug": app.slug,
            "target_id": installation.account.id,
            "target_type": installation.account.type,
            "permissions": dict(installation.permissions),
            "events": ["issue_comment", "issues"],
            "created_at": stamp(app.created_at),
            "updated_at": stamp(app.created_at),
            "single_file_name": None,
            "suspended_by": None,
            "suspended_at": None,
        }
