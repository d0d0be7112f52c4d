"""What others wrote, inside a proof."""

from __future__ import annotations

from hypothesis import given, settings, strategies as st
from markdown_it import MarkdownIt

from bot import render
from bot.models import FailureKind, Neighbour, Signature, Trials, Verdict
from bot.redaction import Redactor
from bot.render.evidence import evidence
from tests import proofs
from tests.proofs import OTHER, RED, proof, ran

REDACTOR = Redactor(["hunter2hunter2"])
HOSTILE = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "@someone fixes #7 | <!-- x -->",
            "</details><img src=x>",
            "| a | b |\n|---|",
            "``` ` ```",
            "hunter2hunter2",
            "/ptq investigate",
        ]
    ),
)


@given(HOSTILE, HOSTILE, HOSTILE)
@settings(max_examples=150, deadline=None)
def test_text_of_others_stays_in_its_cell(one: str, two: str, three: str) -> None:
    """Names, outputs, messages and builds neither leave their cell nor act on GitHub."""
    trial = RED.model_copy(update={"output": three})
    shown = proof(
        Verdict.BROKE_OTHERS,
        why=three,
        signature=Signature(kind=FailureKind.EXCEPTION, exception=one, message=two),
        red=ran(trial, OTHER.model_copy(update={"output": two})),
        neighbours=(proofs.near(one, "passed", "failed", broken=(two, three)),),
        gpu=one,
        torch_version=two,
        python=three,
    )
    table = render.proof_table(shown, redactor=REDACTOR)
    said = render.verdict_by_proof(shown, redactor=REDACTOR)
    tokens = MarkdownIt("commonmark").enable("table").parse(table)
    cells = [token.type for token in tokens if token.type in {"tr_open", "th_open", "td_open"}]
    rows = len(cells) // 3
    assert cells == ["tr_open", *["th_open"] * 2, *["tr_open", "td_open", "td_open"] * (rows - 1)]
    assert tokens[-1].type == "table_close"
    for text in (table, said):
        assert "hunter2hunter2" not in text
        assert _html(text) <= {"<code>", "</code>"}
    assert "\n" not in said


@given(HOSTILE, HOSTILE)
@settings(max_examples=150, deadline=None)
def test_text_of_others_stays_in_the_evidence(one: str, two: str) -> None:
    """Paths, reasons, commands and hashes keep the tables whole; outputs stay in their fences."""
    trial = OTHER.model_copy(update={"output": f"{one}\n{two}"})
    shown = proof(
        Verdict.NOT_FIXED,
        why=one,
        repro_source="agent",
        repro_diff=two,
        repro_sha256=one,
        patch_sha256=two,
        commit=one,
        red=Trials(command=(one, two), trials=(trial,)),
        neighbours=(Neighbour(path=one, reason=two, base="passed", patched="failed"),),
    )
    text = evidence(shown, repro=one, redactor=REDACTOR)
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    cells = [token.type for token in tokens if token.type in {"tr_open", "td_open"}]
    row = ["tr_open", *["td_open"] * 4]
    assert cells == ["tr_open", *row, *row, "tr_open", *row]
    assert "hunter2hunter2" not in text
    assert _html(text) <= {"<code>", "</code>"}


def _html(text: str) -> set[str]:
    """Return the HTML that a text would have on GitHub."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    every = [*tokens, *(child for token in tokens for child in token.children or ())]
    return {token.content for token in every if token.type in {"html_block", "html_inline"}}
