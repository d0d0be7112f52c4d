"""The App, its installations, its rate limit, and who may do what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from tests.fakes.github.replies import Refused, Reply, Route, as_list, paged
from tests.fakes.github.shapes import stamp

if TYPE_CHECKING:
    from tests.fakes.github.replies import Incoming
    from tests.fakes.github.world import World


async def get_app(world: World, _call: Incoming) -> Reply:
    """``GET /app``."""
    return Reply(200, world.shapes.app(world.app))


async def get_installation(world: World, call: Incoming) -> Reply:
    """``GET /repos/{owner}/{repo}/installation``."""
    installation = world.app.installations.get(call.project.installation_id or 0)
    if installation is None:
        raise Refused(404, "Not Found")
    return Reply(200, world.shapes.installation(world.app, installation))


async def list_installations(world: World, call: Incoming) -> Reply:
    """``GET /app/installations``."""
    page, headers = paged(call, list(world.app.installations.values()))
    return Reply(200, [world.shapes.installation(world.app, one) for one in page], headers)


async def list_projects(world: World, call: Incoming) -> Reply:
    """``GET /installation/repositories``: those that the token is for."""
    reached = call.token.repositories if call.token else frozenset[str]()
    there = [one for one in world.projects.values() if one.full_name.lower() in reached]
    page, headers = paged(call, there)
    shaped = [world.shapes.project(project) for project in page]
    return Reply(200, {"total_count": len(there), "repositories": shaped}, headers)


async def create_token(world: World, call: Incoming) -> Reply:
    """``POST /app/installations/{installation_id}/access_tokens``."""
    installation = world.app.installations.get(call.number("installation_id"))
    if installation is None:
        raise Refused(404, "Not Found")
    reached = {
        project.name.lower(): project
        for project in world.projects.values()
        if project.installation_id == installation.id
    }
    wanted = [str(name).lower() for name in as_list(call.body.get("repositories", []))]
    if missing := [name for name in wanted if name not in reached]:
        message = (
            "There is at least one repository that does not exist or is not accessible to the "
            f"parent installation: {', '.join(missing)}"
        )
        raise Refused(422, message)
    chosen = [reached[name] for name in wanted or reached]
    token = world.app.mint(
        installation,
        permissions=_permissions(call.body.get("permissions", {})),
        repositories=frozenset(project.full_name.lower() for project in chosen),
        now=world.now(),
    )
    return Reply(
        201,
        {
            "token": token.text,
            "expires_at": stamp(token.expires_at),
            "permissions": dict(token.permissions),
            "repository_selection": "selected",
            "repositories": [world.shapes.project(project) for project in chosen],
        },
    )


def _permissions(given: object) -> dict[str, str]:
    if not isinstance(given, dict):
        raise Refused(422, "Invalid request.\n\nPermissions are an object.")
    pairs = cast("dict[str, Any]", given)
    return {name: str(level) for name, level in pairs.items()}


async def get_project(world: World, call: Incoming) -> Reply:
    """``GET /repos/{owner}/{repo}``."""
    return Reply(200, world.shapes.full_project(call.project))


async def get_permission(world: World, call: Incoming) -> Reply:
    """``GET /repos/{owner}/{repo}/collaborators/{username}/permission``."""
    account = world.accounts.get(call.path["username"].lower())
    if account is None:
        raise Refused(404, "Not Found")
    role = call.project.role(account)
    user = world.shapes.account(account) | {"role_name": role.name}
    return Reply(200, {"permission": role.permission, "role_name": role.name, "user": user})


_REPO = "/repos/{owner}/{repo}"

ROUTES = (
    Route("GET", "/app", get_app),
    Route("GET", "/app/installations", list_installations),
    Route("GET", "/installation/repositories", list_projects, "metadata"),
    Route("GET", f"{_REPO}/installation", get_installation),
    Route("POST", "/app/installations/{installation_id}/access_tokens", create_token),
    Route("GET", _REPO, get_project, "metadata"),
    Route("GET", f"{_REPO}/collaborators/{{username}}/permission", get_permission, "metadata"),
)
