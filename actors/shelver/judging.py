"""What becomes of an answer: a piece to be stored, a step back, or a failure with its reason."""

import msgspec

from engarde_daemon.domain.adherence import Verdict, findings_of, verdict_on
from engarde_daemon.domain.generation import (
    REWRITES_MAX,
    Failure,
    Finding,
    JobSpec,
    Piece,
    Strictness,
)
from engarde_daemon.domain.pieces import piece_of
from engarde_daemon.ports.generation import Claim, Step, Written, failed, to_rewrite

_EMPTY = "The model answered with nothing that could be published."
_CUT_OFF = "The answer broke off: max_tokens is too low for what the prompt asks for."
_SEVERAL_FAULTS = 3


class Accepted(msgspec.Struct, frozen=True):
    """A piece to be stored, with what its readers shall know about it."""

    piece: Piece
    findings: list[Finding]


def judge(claim: Claim, answer: Written, *, twin: int | None) -> Accepted | Step:
    """Parse, check and decide on one answer, which may be like that of an earlier item."""
    spec = claim.spec
    piece = piece_of(answer.text, fallback_title=_title_of(spec, claim.number))
    if piece is None:
        failure = Failure.CUT_OFF if answer.is_cut_off else Failure.EMPTY
        return failed(claim, failure, _CUT_OFF if answer.is_cut_off else _EMPTY)
    findings = [*findings_of(piece, spec), *_resemblance(twin)]
    level = Strictness.RELAXED if claim.is_cancelled else spec.adherence.level
    rewrites = REWRITES_MAX[level] if claim.is_final else claim.rewrites
    match verdict_on(findings, level, rewrites):
        case Verdict.REWRITE:
            return to_rewrite(claim, findings)
        case Verdict.FAILED:
            return failed(claim, Failure.ADHERENCE, _told(findings), findings=findings)
        case _:
            return Accepted(piece, findings)


def _resemblance(twin: int | None) -> list[Finding]:
    if twin is None:
        return []
    return [Finding(rule="duplicate", message=f"It says nearly the same as item {twin}.")]


def _title_of(spec: JobSpec, number: int) -> str:
    topic = spec.topic_of(number)
    return f"{topic}, no. {number}" if topic else f"{spec.content_type.value} no. {number}"


def _told(findings: list[Finding]) -> str:
    said = " ".join(finding.message for finding in findings[:_SEVERAL_FAULTS])
    return f"It broke the brand's rules after every rewrite: {said}"
