"""What a provider says of an answer is kept as far as it can be, and never stops the work."""

from decimal import Decimal

import msgspec
import pytest

from actors.generation.outcomes import Payments
from engarde_daemon.adapters.llm.prices import ListedPrices
from engarde_daemon.adapters.twins import sign
from engarde_daemon.domain.generation import Usage
from engarde_daemon.ports.models import FaultKind, ModelFault, ProviderRules, Reply
from tests.integration.generation.works import Works
from tests.support.database import Tenant

RULES = ProviderRules(
    kind="openai", needs_key=True, concurrency=2, requests_per_min=0, tokens_per_min=0
)
USAGES = {
    "endless": Usage(input_tokens=10**30, output_tokens=10**30, cached_tokens=10**30),
    "negative": Usage(input_tokens=-(10**30), output_tokens=-1),
}


@pytest.fixture
def payments() -> Payments:
    """What answers are worth, with a key of the tenant's own."""
    return Payments(ListedPrices(), {"openai": RULES}, sign)


@pytest.mark.parametrize("usage", USAGES.values(), ids=USAGES)
async def test_a_count_that_no_call_can_have_is_written_down_all_the_same(
    works: Works, payments: Payments, tenant: Tenant, usage: Usage
):
    """Numbers that PostgreSQL cannot hold would be a paid answer lost, and the scribe's end."""
    key = await works.job(tenant, 1, provider="openai")
    (claim,) = await works.claim()
    spec = msgspec.structs.replace(claim.spec, model="gpt-4o-mini")
    claim = msgspec.structs.replace(claim, spec=spec)
    held = await works.bench.note([await payments.step(claim, Reply(text="Tea.", usage=usage))])

    assert 0 in held
    assert Decimal(0) <= (await works.read(key)).spent_usd < Decimal(10) ** 8


async def test_the_name_of_a_model_is_bounded_and_is_text(
    works: Works, payments: Payments, tenant: Tenant
):
    """It is shown with the content that the model wrote."""
    await works.job(tenant, 1, provider="openai")
    (claim,) = await works.claim()
    reply = Reply(text="Tea.", usage=None, model="gpt\x00\x1b[2J\u202e" + "x" * 100_000)
    step = await payments.step(claim, reply)
    held = await works.bench.note([step])

    assert 0 in held
    assert step.answer is not None
    assert step.answer.model.startswith("gpt")
    assert step.answer.model.isprintable()
    assert len(step.answer.model) <= 100


async def test_a_refusal_in_letters_that_are_none_is_written_down(
    works: Works, payments: Payments, tenant: Tenant
):
    """A reason is text for the tenant, whatever the provider sent."""
    await works.job(tenant, 1, provider="openai")
    (claim,) = await works.claim()
    fault = ModelFault(FaultKind.REFUSED, "I will\x00 not\x1b[31m.", usage=USAGES["endless"])
    step = await payments.given_up(claim, fault)
    held = await works.bench.note([step])

    assert 0 in held
    assert step.reason == "I will not [31m."
