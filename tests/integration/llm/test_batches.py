"""Batches over the wire: what is found again, what is not believed, and where the key goes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from engarde_daemon.adapters.llm.batch_lines import custom_id, number_in
from engarde_daemon.adapters.llm.house import HouseOfModels
from engarde_daemon.domain.prompts import Prompt
from engarde_daemon.ports.batches import Sought, StrangeBatchError
from engarde_daemon.ports.models import Ask, FaultKind, ModelFault, Reply, Secret
from engarde_daemon.testing.models import FakeAnthropic, FakeOpenAI, FakeProvider, Reaction

ID = "01a20568-44e8-7536-8119-3c419b7dab3c"
KEY = Secret("sk-test")
SPOKEN = ("openai", "responses", "anthropic")
ASK = Ask(
    model="a-model",
    prompt=Prompt(system="Be brief.", user="Write about tea.", values={}),
    max_tokens=100,
)


@pytest.fixture
def fakes(openai: FakeOpenAI, anthropic: FakeAnthropic) -> dict[str, FakeProvider]:
    """The fake behind each provider's name."""
    return {"openai": openai, "responses": openai, "anthropic": anthropic}


def sought(items: int = 2, not_these: tuple[str, ...] = ()) -> Sought:
    """Our batch, as one looks for it."""
    return Sought(id=ID, items=items, since=datetime.now(UTC), not_these=not_these)


async def outcomes(
    house: HouseOfModels, provider: str, name: str, batch_id: str = ID
) -> Mapping[int, Reply | ModelFault]:
    """What became of the items."""
    model = house.batches_of(provider, KEY)
    async with model.outcomes(batch_id, name, ASK.model) as told:
        return {number: outcome async for number, outcome in told}


@pytest.mark.parametrize("provider", SPOKEN)
async def test_answers_find_their_items(
    house: HouseOfModels, fakes: dict[str, FakeProvider], provider: str
):
    """In whatever order they come; errors and refusals are each item's own."""
    fake = fakes[provider]
    fake.shop.looks_needed = 1
    fake.next_reactions.append(Reaction(text="one"))
    fake.next_reactions.append(Reaction(refusal="No."))
    fake.next_reactions.append(Reaction(status=400))
    model = house.batches_of(provider, KEY)
    name = await model.submit(ID, dict.fromkeys((1, 2, 3), ASK))
    assert (await model.standing(name)).is_over
    told = await outcomes(house, provider, name)
    kinds = {n: one.kind for n, one in told.items() if isinstance(one, ModelFault)}

    assert isinstance(told[1], Reply)
    assert told[1].text == "one"
    assert kinds == {2: FaultKind.REFUSED, 3: FaultKind.REJECTED}


@pytest.mark.parametrize("number", ["9" * 5000, "٣", "-1", ""])
def test_a_number_that_no_item_has_is_a_strangers(number: str):
    """A tenant may name the server: what it makes up must not be more than a strange batch."""
    with pytest.raises(StrangeBatchError):
        number_in(ID, f"{ID.replace('-', '')}-{number}")


async def test_a_time_without_its_zone_is_no_answer(house: HouseOfModels, anthropic: FakeAnthropic):
    """It cannot be compared with ours."""
    order = anthropic.shop.add("batch_", "/v1/messages", {"theirs": {}})
    order.made_at = order.made_at.replace(tzinfo=None)
    with pytest.raises(ModelFault) as caught:
        await house.batches_of("anthropic", KEY).find(sought())

    assert caught.value.kind is FaultKind.BROKEN


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_a_batch_is_found_behind_many_others(
    house: HouseOfModels, fakes: dict[str, FakeProvider], provider: str
):
    """Page by page; another's of the same size is passed over by name, or tried and put back."""
    model = house.batches_of(provider, KEY)
    assert await model.find(sought()) is None
    name = await model.submit(ID, dict.fromkeys((1, 2), ASK))
    for _ in range(150):
        fakes[provider].shop.add("batch_", "/v1/messages", {"theirs": {}})

    assert await model.find(sought()) == name
    assert fakes[provider].shop.listed >= 3


async def test_what_is_known_to_be_anothers_is_not_found(
    house: HouseOfModels, anthropic: FakeAnthropic
):
    """Anthropic's batches carry no name of ours."""
    theirs = anthropic.shop.add("msgbatch_", "/v1/messages", {"a": {}, "b": {}})
    model = house.batches_of("anthropic", KEY)

    assert await model.find(sought()) == theirs.id
    assert await model.find(sought(not_these=(theirs.id,))) is None
    assert await model.find(sought(items=3)) is None


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_answers_to_somebody_else_are_not_ours(
    house: HouseOfModels, fakes: dict[str, FakeProvider], provider: str
):
    """The first one tells."""
    fakes[provider].shop.looks_needed = 1
    model = house.batches_of(provider, KEY)
    name = await model.submit(ID, {1: ASK})
    await model.standing(name)

    with pytest.raises(StrangeBatchError):
        await outcomes(house, provider, name, batch_id="another-batch")


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_an_order_that_is_refused_says_why(
    house: HouseOfModels, fakes: dict[str, FakeProvider], provider: str
):
    """Too much at once passes; of an order without an answer nobody knows."""
    shop = fakes[provider].shop
    shop.next_refused.extend([(429, ""), (402, "billing_error")])
    shop.next_unheard.append(500)
    kinds = []
    for _ in range(3):
        with pytest.raises(ModelFault) as caught:
            await house.batches_of(provider, KEY).submit(ID, {1: ASK})
        kinds.append(caught.value.kind)

    assert kinds == [FaultKind.BUSY, FaultKind.LOCKED, FaultKind.BROKEN]
    assert len(shop.orders) == 1


@pytest.mark.parametrize("name", ["../files", "a/b", "a?b", ""])
async def test_a_name_that_is_none_never_gets_into_a_path(house: HouseOfModels, name: str):
    """Whatever a server calls its batches."""
    with pytest.raises(ModelFault):
        await house.batches_of("anthropic", KEY).standing(name)


async def test_a_file_that_openai_does_not_take_fails_for_good(
    house: HouseOfModels, openai: FakeOpenAI
):
    """With its reason."""
    model = house.batches_of("openai", KEY)
    order: Any = openai.shop.add("batch_", "/v1/chat/completions", {})
    standing = await model.standing(order.id)

    assert standing.is_over
    assert standing.fault is not None
    assert standing.fault.kind is FaultKind.REJECTED


@pytest.mark.parametrize("provider", ["local", "template", "nobody"])
async def test_not_every_provider_takes_batches(house: HouseOfModels, provider: str):
    """Which is said before anything is sent."""
    with pytest.raises(ModelFault) as caught:
        house.batches_of(provider, KEY)

    assert caught.value.kind is FaultKind.LOCKED


def test_names_of_items_are_such_as_both_providers_take():
    """Anthropic's may have 64 letters, digits, hyphens and underscores."""
    assert custom_id(ID, 10_000) == "01a2056844e8753681193c419b7dab3c-10000"
