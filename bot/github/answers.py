"""What GitHub answers, as typed and frozen values with only the fields that we use."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AliasPath,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from bot.errors import GitHubUnavailable
from bot.models import Frozen, Person

GHOST = Person(login="ghost", id=10137)
"""GitHub's stand-in for an account that was deleted: https://github.com/ghost."""


def _person(user: Any) -> Any:  # noqa: ANN401 -- JSON holds anything
    if user is None:
        return GHOST
    return {"login": user["login"], "id": user["id"]} if isinstance(user, dict) else user  # pyright: ignore[reportUnknownVariableType] -- JSON


def _label(label: Any) -> Any:  # noqa: ANN401 -- JSON holds anything
    return label.get("name") if isinstance(label, dict) else label  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] -- JSON


def _is_bot(kind: Any) -> Any:  # noqa: ANN401 -- JSON holds anything
    return kind if isinstance(kind, bool) else kind == "Bot"


def _text(text: Any) -> Any:  # noqa: ANN401 -- JSON holds anything
    return "" if text is None else text


def _present(value: Any) -> Any:  # noqa: ANN401 -- JSON holds anything
    return bool(value)


Account = Annotated[Person, BeforeValidator(_person)]
Text = Annotated[str, BeforeValidator(_text)]
LabelName = Annotated[str, BeforeValidator(_label)]
IsBot = Annotated[bool, BeforeValidator(_is_bot)]
Present = Annotated[bool, BeforeValidator(_present)]


class Answer(BaseModel):
    """A part of an answer: GitHub may add fields whenever it likes."""

    model_config = ConfigDict(frozen=True, extra="ignore")


A = TypeVar("A", bound=Answer)


def read(model: type[A], data: object) -> A:
    """Return the answer as ``model``; raise GitHubUnavailable when it is another thing."""
    try:
        return model.model_validate(data)
    except (ValidationError, KeyError, TypeError) as error:
        message = f"GitHub's answer is not a {model.__name__.strip('_')}"
        raise GitHubUnavailable(message) from error


class AppIdentity(Answer):
    """The App."""

    id: int
    slug: str
    name: str
    permissions: dict[str, str] = Field(default_factory=dict[str, str])
    """What the App asks for, ``read``, ``write`` or ``admin`` by name."""
    events: tuple[str, ...] = ()
    """Which webhooks it is sent."""

    @property
    def login(self) -> str:
        """How its comments are signed."""
        return f"{self.slug}[bot]"


class Comment(Answer):
    """One comment under an issue or pull request."""

    id: int
    node_id: str
    """Its id in GitHub's GraphQL API."""
    body: Text = ""
    author: Account = Field(validation_alias="user")
    association: str = Field("NONE", validation_alias="author_association")
    author_is_bot: IsBot = Field(default=False, validation_alias=AliasPath("user", "type"))
    app_id: int | None = Field(None, validation_alias=AliasPath("performed_via_github_app", "id"))
    """The App that wrote it, which nobody can forge; None for a person."""
    url: str = Field(validation_alias="html_url")
    created_at: AwareDatetime
    updated_at: AwareDatetime


class Issue(Answer):
    """An issue, or the conversation of a pull request."""

    number: int
    title: str
    body: Text = ""
    author: Account = Field(validation_alias="user")
    association: str = Field("NONE", validation_alias="author_association")
    labels: tuple[LabelName, ...] = ()
    state: str
    is_pull_request: Present = Field(default=False, validation_alias="pull_request")
    url: str = Field(validation_alias="html_url")
    created_at: AwareDatetime
    updated_at: AwareDatetime


class Pull(Answer):
    """A pull request."""

    number: int
    title: str
    body: Text = ""
    state: Literal["open", "closed"]
    draft: bool = False
    author: Account = Field(validation_alias="user")
    head_branch: str = Field(validation_alias=AliasPath("head", "ref"))
    head_sha: str = Field(validation_alias=AliasPath("head", "sha"))
    head_repository: str | None = Field(
        None, validation_alias=AliasPath("head", "repo", "full_name")
    )
    """None when the fork it came from is gone."""
    base_branch: str = Field(validation_alias=AliasPath("base", "ref"))
    url: str = Field(validation_alias="html_url")


class CommitInfo(Answer):
    """A commit as the Git Data API tells it."""

    sha: str
    message: str
    tree: str = Field(validation_alias=AliasPath("tree", "sha"))
    parents: tuple[Annotated[str, BeforeValidator(lambda parent: parent["sha"])], ...] = ()


class TreeEntry(Frozen):
    """A file in a tree to make: ``sha`` names its blob, None takes it out of the base tree."""

    path: str
    mode: Literal["100644", "100755"] = "100644"
    sha: str | None


class TreeItem(Answer):
    """One name in a directory of a commit."""

    path: str
    mode: str
    sha: str
    size: int | None = None
    """In bytes, of a file."""


class Tree(Answer):
    """A directory of a commit, without what lies in its directories."""

    tree: tuple[TreeItem, ...]
    truncated: bool = False


class Blob(Answer):
    """A file's content."""

    encoding: Literal["base64", "utf-8"]
    data: bytes = Field(validation_alias="content")
    """The content as it is in git."""

    @field_validator("data", mode="before")
    @classmethod
    def _decoded(cls, content: object, info: ValidationInfo) -> object:
        if not isinstance(content, str) or info.data.get("encoding") != "base64":
            return content
        # A ValueError, as for any other wrong field, where it is not Base64.
        return base64.b64decode(content)


class CommitAuthor(Frozen):
    """Who a commit names, and when: with it, the same commit made again has the same sha."""

    name: str
    email: str
    date: AwareDatetime


class Collaborator(Answer):
    """What a person may do, by ``role_name``; ``permission`` knows four levels only."""

    permission: str
    role_name: str = ""
    user: Account


class Owner(Answer):
    """Whose a personal token is."""

    login: str
    id: int


class Installation(Answer):
    """Where the App is installed."""

    id: int
    owner: str = Field("", validation_alias=AliasPath("account", "login"))
    """Whose repositories; empty where that is not a person or an organization."""
    is_suspended: Present = Field(default=False, validation_alias="suspended_at")


class DeliveryAttempt(Answer):
    """One try of GitHub's to deliver an event to the App's webhook."""

    id: int
    guid: str
    """``X-GitHub-Delivery``: that of the event, the same at every try."""
    event: str
    delivered_at: AwareDatetime
    status_code: int
    """What the webhook answered; 5xx also where it did not."""


class Project(Answer):
    """A repository."""

    default_branch: str


class InstalledOn(Answer):
    """A repository that an installation reaches."""

    full_name: str


class Made(Answer):
    """A git object."""

    sha: str


class Ref(Answer):
    """Where a branch points."""

    sha: str = Field(validation_alias=AliasPath("object", "sha"))
