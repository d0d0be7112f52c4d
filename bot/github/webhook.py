"""A webhook delivery: whether it is GitHub's, and what it says. Pure: no clock, no network.

Deliveries: https://docs.github.com/webhooks/webhook-events-and-payloads.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar, cast

from pydantic import AliasPath, AwareDatetime, BeforeValidator, Field, ValidationError

from bot.errors import PayloadError, SignatureError
from bot.github.answers import GHOST, Answer, Present, Text
from bot.models import Frozen, Person, RepositoryName

if TYPE_CHECKING:
    from collections.abc import Mapping

SIGNATURE = "X-Hub-Signature-256"

USED = ("issue_comment", "issues")
"""The events that ``parse`` finds a meaning in."""

_PREFIX = "sha256="


def verify(secret: str, headers: Mapping[str, str], body: bytes) -> None:
    """Raise SignatureError unless the delivery is signed with the secret by SHA-256.

    Names of headers count in any case. A SHA-1 signature (``X-Hub-Signature``) is none.
    """
    if not secret:
        raise SignatureError("there is no webhook secret, so no delivery can be trusted")
    given = [value for name, value in headers.items() if name.lower() == SIGNATURE.lower()]
    if len(given) != 1 or not given[0].startswith(_PREFIX):
        raise SignatureError(f"the delivery has no {SIGNATURE} header of the form sha256=…")
    expected = _PREFIX + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    # As bytes: compare_digest takes no text that is not ASCII.
    if not hmac.compare_digest(expected.encode(), given[0].encode(errors="replace")):
        raise SignatureError("the delivery is not signed with our webhook secret")


def _or_ghost(account: Any) -> Any:  # noqa: ANN401 -- JSON holds anything
    ghost = {"login": GHOST.login, "id": GHOST.id, "type": "User"}
    return ghost if account is None else account


class Actor(Answer):
    """An account that did something."""

    login: str
    id: int
    type: str = ""

    @property
    def person(self) -> Person:
        """The account's id and login."""
        return Person(login=self.login, id=self.id)

    @property
    def is_person(self) -> bool:
        """False for Apps, organizations and imported stand-ins, whatever they are named."""
        return self.type == "User"


Someone = Annotated[Actor, BeforeValidator(_or_ghost)]


class IssueRef(Answer):
    """The issue that an event is about."""

    number: int
    state: str = "open"
    author: Someone = Field(validation_alias="user")
    is_pull_request: Present = Field(default=False, validation_alias="pull_request")


class CommentRef(Answer):
    """The comment that an event is about."""

    id: int
    body: Text = ""
    author: Someone = Field(validation_alias="user")
    association: str = Field("NONE", validation_alias="author_association")
    url: str | None = Field(None, validation_alias="html_url")
    created_at: AwareDatetime
    updated_at: AwareDatetime
    app_id: int | None = Field(None, validation_alias=AliasPath("performed_via_github_app", "id"))


def _name(repository: Any) -> Any:  # noqa: ANN401 -- JSON holds anything
    if not isinstance(repository, dict):
        return repository
    full_name = cast("dict[str, Any]", repository).get("full_name")
    return RepositoryName.parse(full_name) if isinstance(full_name, str) else None


Repository = Annotated[RepositoryName, BeforeValidator(_name)]
InstallationId = Annotated[int | None, Field(validation_alias=AliasPath("installation", "id"))]
"""Missing when the webhook is the repository's own and not the App's."""


class IssueCommentCreated(Answer):
    """Somebody wrote a comment under an issue or pull request."""

    repository: Repository
    installation_id: InstallationId = None
    sender: Actor
    issue: IssueRef
    comment: CommentRef


class IssueCommentEdited(Answer):
    """Somebody, not always its author, changed a comment."""

    repository: Repository
    installation_id: InstallationId = None
    sender: Actor
    issue: IssueRef
    comment: CommentRef
    old_body: str | None = Field(None, validation_alias=AliasPath("changes", "body", "from"))
    """What it said before; None when the text is not what changed."""


class IssueLabeled(Answer):
    """Somebody put a label on an issue or pull request."""

    repository: Repository
    installation_id: InstallationId = None
    sender: Actor
    issue: IssueRef
    label: str = Field(validation_alias=AliasPath("label", "name"))
    labeled_at: AwareDatetime = Field(validation_alias=AliasPath("issue", "updated_at"))
    """When the label was put: GitHub tells no other time of it."""


class Ignored(Frozen):
    """A delivery that means nothing to us."""

    event: str
    action: str | None = None


Delivered: TypeAlias = IssueCommentCreated | IssueCommentEdited | IssueLabeled | Ignored


def parse(event: str, body: bytes) -> Delivered:
    """Return what a verified delivery says; ``event`` is its ``X-GitHub-Event``.

    Raise PayloadError when the body is not a JSON object, or when an event that we use lacks what
    GitHub documents for it.
    """
    payload = _decoded(body)
    action = payload.get("action")
    match event, action:
        case "issue_comment", "created":
            return _read(IssueCommentCreated, payload)
        case "issue_comment", "edited":
            return _read(IssueCommentEdited, payload)
        case "issues", "labeled":
            return _read(IssueLabeled, payload)
        case _:
            return Ignored(event=event, action=action if isinstance(action, str) else None)


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body)
    except (RecursionError, ValueError) as error:
        raise PayloadError("the payload is not JSON") from error
    if not isinstance(payload, dict):
        raise PayloadError("the payload is not a JSON object")
    return cast("dict[str, Any]", payload)


D = TypeVar("D", bound=Answer)


def _read(model: type[D], payload: dict[str, Any]) -> D:
    try:
        return model.model_validate(payload)
    except ValidationError as error:
        places = sorted({".".join(map(str, problem["loc"])) for problem in error.errors()})
        what = ", ".join(places)
        raise PayloadError(f"the payload lacks or garbles: {what}") from error
