"""What every way of asking has in common: the question for an item, and what an answer is worth.

Owns that a paid answer can be written down whatever its provider says of it: a name is text of a
bounded length, and a count is one that a call can have.
"""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from engarde_daemon.domain.estimates import item_cost
from engarde_daemon.domain.generation import Failure, Usage
from engarde_daemon.domain.outside_text import one_line
from engarde_daemon.domain.pieces import piece_of
from engarde_daemon.domain.prompts import prompt_for
from engarde_daemon.ports.generation import Claim, Step, Written, failed, kept_back, received
from engarde_daemon.ports.models import (
    Ask,
    FaultKind,
    ModelFault,
    PriceList,
    ProviderRules,
    Reply,
    Sign,
)

MODEL_CHARACTERS = 100
TOKENS_MAX = 10_000_000
"""Of one call: ten times what the longest windows take."""
GIVEN_UP = {FaultKind.REFUSED: Failure.REFUSED, FaultKind.REJECTED: Failure.REJECTED}
"""Faults after which asking again would be no use."""


class Payments:
    """Reckons what answers cost, and signs them."""

    def __init__(
        self, prices: PriceList, providers: Mapping[str, ProviderRules], sign: Sign
    ) -> None:
        self._prices = prices
        self._providers = providers
        self._sign = sign

    async def step(self, claim: Claim, reply: Reply, *, wait_s: float | None = None) -> Step:
        """The step of an item whose answer has come and was paid."""
        usage = _believed(reply.usage)
        answer = Written(
            text=reply.text.replace("\x00", ""),
            model=one_line(reply.model, MODEL_CHARACTERS) or claim.spec.model,
            is_cut_off=reply.is_cut_off,
        )
        return received(
            claim,
            answer,
            usage=usage,
            cost_usd=await self._cost(claim, usage),
            signature=self._signature(claim, answer),
            wait_s=wait_s,
        )

    async def given_up(self, claim: Claim, fault: ModelFault) -> Step:
        """The step of an item that it is no use to ask for again; a refusal may have cost."""
        step = given_up(claim, GIVEN_UP[fault.kind], fault.detail)
        usage = _believed(fault.usage)
        if usage is None:
            return step
        cost_usd = await self._cost(claim, usage)
        return msgspec.structs.replace(
            step,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cost_usd=cost_usd,
            paid=True,
        )

    def _signature(self, claim: Claim, answer: Written) -> bytes | None:
        if claim.spec.target_count == 1:
            return None
        piece = piece_of(answer.text, fallback_title="")
        return self._sign(piece.body) if piece else None

    async def _cost(self, claim: Claim, usage: Usage | None) -> Decimal | None:
        spec = claim.spec
        kind = self._providers[spec.provider].kind
        price = await self._prices.price(kind, spec.model, spec.mode)
        return None if usage is None else item_cost(price, usage.input_tokens, usage.output_tokens)


def ask_for(claim: Claim) -> Ask:
    """The question for an item; one that is written anew is told what was wrong."""
    spec = claim.spec
    draft = claim.answer.text if claim.answer else ""
    return Ask(
        model=spec.model,
        prompt=prompt_for(spec, claim.number, draft=draft, findings=claim.findings),
        max_tokens=spec.params.max_tokens,
        temperature=spec.params.temperature,
    )


def _believed(usage: Usage | None) -> Usage | None:
    """What a provider counted, as far as a call can have taken it."""
    if usage is None:
        return None
    counts = msgspec.structs.asdict(usage)
    return Usage(**{name: min(max(0, count), TOKENS_MAX) for name, count in counts.items()})


def given_up(claim: Claim, failure: Failure, reason: str) -> Step:
    """The end of an item, or, where an earlier draft was paid for, a return to that."""
    if claim.answer is not None:
        return kept_back(claim, wait_s=0.0)
    return failed(claim, failure, reason)
