"""Which deliveries are GitHub's, and what is read in them."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st
from inline_snapshot import snapshot

from bot.errors import PayloadError, SignatureError
from bot.github import (
    GHOST,
    Ignored,
    IssueCommentCreated,
    IssueCommentEdited,
    IssueLabeled,
    parse,
    verify,
)
from bot.models import Person, RepositoryName

EXAMPLES = (
    Path(__file__).parent / "npm/node_modules/@octokit/webhooks-examples/api.github.com/index.json"
)
SECRET = "It's a Secret to Everybody"
BODY = b"Hello, World!"
SIGNATURE = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
"""GitHub's own example: https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries."""

COMMENT: dict[str, Any] = {
    "action": "created",
    "repository": {"full_name": "pytorch/pytorch"},
    "installation": {"id": 9},
    "sender": {"login": "maintainer", "id": 2, "type": "User"},
    "issue": {
        "number": 7,
        "state": "open",
        "user": {"login": "reporter", "id": 3, "type": "User"},
    },
    "comment": {
        "id": 11,
        "body": "/ptq investigate",
        "user": {"login": "maintainer", "id": 2, "type": "User"},
        "author_association": "MEMBER",
        "created_at": "2026-03-14T15:09:26Z",
        "updated_at": "2026-03-14T15:09:26Z",
        "performed_via_github_app": None,
    },
}


def _encoded(payload: object) -> bytes:
    return json.dumps(payload).encode()


# Signatures


@pytest.mark.parametrize("name", ["X-Hub-Signature-256", "x-hub-signature-256"])
def test_githubs_signature_is_taken(name: str) -> None:
    """GitHub's own example passes, whatever case a proxy gives the header."""
    verify(SECRET, {name: SIGNATURE}, BODY)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Hub-Signature-256": ""},
        {"X-Hub-Signature-256": "sha256="},
        {"X-Hub-Signature-256": SIGNATURE.upper()},
        {"X-Hub-Signature-256": SIGNATURE[:-1] + "8"},
        {"X-Hub-Signature-256": SIGNATURE[:-1]},
        {"X-Hub-Signature-256": SIGNATURE.removeprefix("sha256=")},
        {"X-Hub-Signature-256": "sha256=ünïcödé"},
        {"X-Hub-Signature-256": "sha256=\udcff"},
        {"X-Hub-Signature-256": SIGNATURE, "x-hub-signature-256": SIGNATURE},
        {"X-Hub-Signature": "sha1=" + hmac.new(SECRET.encode(), BODY, hashlib.sha1).hexdigest()},
        {
            "X-Hub-Signature-256": "sha1="
            + hmac.new(SECRET.encode(), BODY, hashlib.sha1).hexdigest()
        },
    ],
)
def test_anything_else_is_not_githubs(headers: dict[str, str]) -> None:
    """No signature, half a one, a SHA-1 one or one in odd letters is refused, never a crash."""
    with pytest.raises(SignatureError):
        verify(SECRET, headers, BODY)


def test_a_changed_body_is_not_githubs() -> None:
    """One byte more, and the signature does not fit."""
    with pytest.raises(SignatureError):
        verify(SECRET, {"X-Hub-Signature-256": SIGNATURE}, BODY + b"\n")


def test_without_a_secret_nothing_is_githubs() -> None:
    """An empty secret would let everybody sign."""
    signature = "sha256=" + hmac.new(b"", BODY, hashlib.sha256).hexdigest()

    with pytest.raises(SignatureError):
        verify("", {"X-Hub-Signature-256": signature}, BODY)


@given(st.dictionaries(st.text(), st.text()), st.binary())
def test_no_headers_or_body_crash_the_check(headers: dict[str, str], body: bytes) -> None:
    """Whatever a stranger sends is refused."""
    with pytest.raises(SignatureError):
        verify(SECRET, headers, body)


# Payloads


def test_every_example_of_github_is_read() -> None:
    """Every event that GitHub documents, with every action, is taken without an error."""
    kinds: dict[str, int] = {}
    for entry in json.loads(EXAMPLES.read_bytes()):
        for example in entry["examples"]:
            kind = type(parse(entry["name"], _encoded(example))).__name__
            kinds[kind] = kinds.get(kind, 0) + 1

    assert kinds == snapshot(
        {"Ignored": 320, "IssueCommentCreated": 5, "IssueCommentEdited": 2, "IssueLabeled": 2}
    )


def test_a_new_comment_is_read() -> None:
    """Who wrote what, where, and when."""
    event = parse("issue_comment", _encoded(COMMENT))

    assert isinstance(event, IssueCommentCreated)
    assert event.repository == RepositoryName(owner="pytorch", name="pytorch")
    assert event.installation_id == 9
    assert event.sender.person == Person(login="maintainer", id=2)
    assert event.sender.is_person
    assert (event.issue.number, event.issue.state, event.issue.is_pull_request) == (
        7,
        "open",
        False,
    )
    assert event.issue.author.person == Person(login="reporter", id=3)
    assert (event.comment.id, event.comment.body) == (11, "/ptq investigate")
    assert (event.comment.association, event.comment.app_id) == ("MEMBER", None)
    assert event.comment.created_at == datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)


def test_an_edited_comment_is_read_with_what_it_said() -> None:
    """The old text tells whether a command was added."""
    edited = COMMENT | {"action": "edited", "changes": {"body": {"from": "hello"}}}

    event = parse("issue_comment", _encoded(edited))
    other = parse("issue_comment", _encoded(edited | {"changes": {}}))

    assert isinstance(event, IssueCommentEdited)
    assert isinstance(other, IssueCommentEdited)
    assert (event.old_body, other.old_body) == ("hello", None)


def test_a_label_is_read() -> None:
    """Who put which label where; without an installation when the webhook is no App's."""
    payload = {
        "action": "labeled",
        "label": {"name": "ptq"},
        "repository": COMMENT["repository"],
        "sender": COMMENT["sender"],
        "issue": COMMENT["issue"]
        | {"pull_request": {"url": "…"}, "updated_at": "2026-03-14T15:09:26Z"},
    }

    event = parse("issues", _encoded(payload))

    assert isinstance(event, IssueLabeled)
    assert (event.label, event.installation_id) == ("ptq", None)
    assert event.issue.is_pull_request


@pytest.mark.parametrize(
    ("kind", "is_person"),
    [("User", True), ("Bot", False), ("Organization", False), ("Mannequin", False), ("", False)],
)
def test_only_people_are_people(kind: str, *, is_person: bool) -> None:
    """The account's type decides, not its name, which anybody can choose."""
    sender = {"login": "helpful[bot]", "id": 2, "type": kind}

    event = parse("issue_comment", _encoded(COMMENT | {"sender": sender}))

    assert isinstance(event, IssueCommentCreated)
    assert event.sender.is_person is is_person


def test_a_deleted_account_is_the_ghost() -> None:
    """GitHub tells null for the author of an old issue whose account is gone."""
    payload = COMMENT | {"issue": COMMENT["issue"] | {"user": None}}

    event = parse("issue_comment", _encoded(payload))

    assert isinstance(event, IssueCommentCreated)
    assert event.issue.author.person == GHOST


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("ping", {"zen": "Speak like a human."}),
        ("issue_comment", COMMENT | {"action": "deleted"}),
        ("issues", {"action": "opened"}),
        ("an_event_of_next_year", {"action": ["odd"]}),
        ("push", {}),
    ],
)
def test_what_we_do_not_use_is_ignored(event: str, payload: dict[str, Any]) -> None:
    """Events and actions that mean nothing to us are no error, whatever they hold."""
    assert isinstance(parse(event, _encoded(payload)), Ignored)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b"payload=%7B%7D",
        b"[" * 100_000,
        b'{"action": ' * 20_000,
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_no_json_object_is_an_error_of_the_sender(body: bytes) -> None:
    """Broken JSON, form bodies and endless nesting are refused, never a crash."""
    with pytest.raises(PayloadError):
        parse("ping", body)


@pytest.mark.parametrize("key", ["repository", "sender", "issue", "comment"])
@pytest.mark.parametrize("value", [None, 3, "text", [], {}, {"id": "x"}, {"full_name": "a/b/c"}])
def test_a_garbled_event_that_we_use_is_an_error_of_the_sender(key: str, value: object) -> None:
    """It says which part is wrong, and repeats nothing of what was sent."""
    with pytest.raises(PayloadError, match=key):
        parse("issue_comment", _encoded(COMMENT | {key: value}))


def test_an_error_does_not_repeat_what_was_sent() -> None:
    """A payload may hold private text: it is not for logs."""
    payload = COMMENT | {"issue": COMMENT["issue"] | {"number": "private text"}}

    with pytest.raises(PayloadError) as caught:
        parse("issue_comment", _encoded(payload))

    assert str(caught.value) == snapshot("the payload lacks or garbles: issue.number")


@given(st.sampled_from(["issue_comment", "issues", "ping", ""]), st.binary())
def test_random_bytes_are_read_or_refused(event: str, body: bytes) -> None:
    """No body makes anything but an event or a PayloadError."""
    try:
        parse(event, body)
    except PayloadError:
        return


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.sampled_from(sorted(COMMENT)), JSON_VALUES)
def test_odd_values_are_read_or_refused(key: str, value: object) -> None:
    """Any part of a comment's event may hold anything."""
    try:
        parse("issue_comment", _encoded(COMMENT | {key: value}))
    except PayloadError:
        return


@given(st.sampled_from(["issue", "comment", "sender"]), st.data())
def test_odd_fields_are_read_or_refused(part: str, data: st.DataObject) -> None:
    """The same one level down."""
    key = data.draw(st.sampled_from(sorted(COMMENT[part])))
    changed = COMMENT[part] | {key: data.draw(JSON_VALUES)}
    try:
        parse("issue_comment", _encoded(COMMENT | {part: changed}))
    except PayloadError:
        return
