"""Answers and faults of providers, over the wire formats they document."""

import json
from typing import Any

import anyio
import pytest

from engarde_daemon.adapters.llm.house import HouseOfModels, ProviderSite
from engarde_daemon.domain.prompts import Prompt
from engarde_daemon.ports.models import Ask, FaultKind, ModelFault, Reply, Secret
from engarde_daemon.testing.models import (
    FakeAnthropic,
    FakeOpenAI,
    FakeProvider,
    Reaction,
    serving,
)
from tests.integration.llm.conftest import TIMEOUT_S, Street

SPOKEN = ("openai", "responses", "anthropic")
TEXT = '{"title": "T", "body": "Hello there.", "hashtags": []}'
KEY = Secret("sk-test")


def ask(**other: Any) -> Ask:
    """A question."""
    return Ask(
        model="a-model",
        prompt=Prompt(system="Be brief.", user="Write about tea.", values={"number": "1"}),
        max_tokens=100,
        **other,
    )


@pytest.fixture
def fakes(openai: FakeOpenAI, anthropic: FakeAnthropic) -> dict[str, FakeProvider]:
    """The fake behind each provider's name."""
    return {"openai": openai, "responses": openai, "anthropic": anthropic, "local": openai}


async def fault(house: HouseOfModels, provider: str, *, streamed: bool = False) -> ModelFault:
    """How a call fails."""
    heard: list[str] = []
    with pytest.raises(ModelFault) as caught:
        await house.model_of(provider, KEY).write(ask(), heard.append if streamed else None)
    return caught.value


@pytest.mark.parametrize("provider", SPOKEN)
@pytest.mark.parametrize("streamed", [False, True])
async def test_an_answer_comes_with_its_usage(
    house: HouseOfModels, fakes: dict[str, FakeProvider], provider: str, *, streamed: bool
):
    """Whole or in parts, it is the same answer, and the strict server takes the request."""
    fakes[provider].usual = Reaction(text=TEXT)
    heard: list[str] = []
    reply = await house.model_of(provider, KEY).write(ask(), heard.append if streamed else None)

    assert json.loads(reply.text) == json.loads(TEXT)
    assert json.loads("".join(heard) or TEXT) == json.loads(TEXT)
    assert bool(heard) is streamed
    assert reply.usage is not None
    assert reply.usage.output_tokens == len(TEXT.split())
    assert reply.usage.input_tokens > 0
    assert (reply.model, reply.is_cut_off) == ("a-model", False)


@pytest.mark.parametrize("provider", SPOKEN)
@pytest.mark.parametrize("streamed", [False, True])
async def test_an_answer_that_was_cut_off_says_so(
    house: HouseOfModels, fakes: dict[str, FakeProvider], provider: str, *, streamed: bool
):
    """It was paid for, so it is an answer."""
    fakes[provider].usual = Reaction(text="half", is_cut_off=True)
    heard: list[str] = []
    reply = await house.model_of(provider, KEY).write(ask(), heard.append if streamed else None)

    assert (reply.text.strip(), reply.is_cut_off) == ("half", True)


@pytest.mark.parametrize("provider", SPOKEN)
async def test_a_refusal_is_told_in_the_models_words(
    house: HouseOfModels, fakes: dict[str, FakeProvider], provider: str
):
    """Asking again would only cost again; what it cost is known."""
    fakes[provider].usual = Reaction(refusal="I will not.")
    found = await fault(house, provider)

    assert (found.kind, found.detail) == (FaultKind.REFUSED, "I will not.")
    assert found.usage is not None
    assert found.usage.input_tokens > 0


@pytest.mark.parametrize(
    ("provider", "reaction", "kind", "after_s"),
    [
        ("openai", Reaction(status=429, code="rate_limit_exceeded"), FaultKind.BUSY, None),
        ("openai", Reaction(status=429, retry_after="7"), FaultKind.BUSY, 7.0),
        ("openai", Reaction(status=429, retry_after="soon"), FaultKind.BUSY, None),
        ("openai", Reaction(status=429, code="insufficient_quota"), FaultKind.LOCKED, None),
        ("openai", Reaction(status=429, code="credit_balance_exhausted"), FaultKind.LOCKED, None),
        ("openai", Reaction(status=404, code="model_not_found"), FaultKind.LOCKED, None),
        ("openai", Reaction(status=400, code="context_length_exceeded"), FaultKind.REJECTED, None),
        ("openai", Reaction(status=503, code="server_is_overloaded"), FaultKind.BUSY, None),
        ("openai", Reaction(status=500), FaultKind.BROKEN, None),
        ("openai", Reaction(status=302), FaultKind.REJECTED, None),
        ("responses", Reaction(status=429, retry_after="2"), FaultKind.BUSY, 2.0),
        ("anthropic", Reaction(status=529), FaultKind.BUSY, None),
        ("anthropic", Reaction(status=402), FaultKind.LOCKED, None),
        (
            "anthropic",
            Reaction(status=429, code="enforced_spend_limit_reached"),
            FaultKind.LOCKED,
            None,
        ),
        ("anthropic", Reaction(status=429, retry_after="3.5"), FaultKind.BUSY, 3.5),
        ("anthropic", Reaction(status=500), FaultKind.BROKEN, None),
        ("anthropic", Reaction(status=400), FaultKind.REJECTED, None),
    ],
)
async def test_each_error_means_what_its_code_says(
    house: HouseOfModels,
    fakes: dict[str, FakeProvider],
    provider: str,
    reaction: Reaction,
    kind: FaultKind,
    after_s: float | None,
):
    """Two 429 can be as different as haste and an empty account; nothing is called twice."""
    fakes[provider].usual = reaction
    found = await fault(house, provider)

    assert (found.kind, found.after_s) == (kind, after_s)
    assert fakes[provider].calls == 1


@pytest.mark.parametrize("provider", SPOKEN)
@pytest.mark.parametrize(
    "raw", [b"", b"<html>", b'{"choices": 5, "content": 5, "output": 5}', b"[" * 100_000, b"\xff{}"]
)
async def test_an_answer_that_is_no_answer_is_a_broken_one(
    house: HouseOfModels, fakes: dict[str, FakeProvider], provider: str, raw: bytes
):
    """It may have been charged, so it is not repeated lightly."""
    fakes[provider].usual = Reaction(raw=raw)

    assert (await fault(house, provider)).kind is FaultKind.BROKEN


@pytest.mark.parametrize("provider", SPOKEN)
async def test_a_stream_that_breaks_off_is_broken(
    house: HouseOfModels, fakes: dict[str, FakeProvider], provider: str
):
    """A half-closed stream is no answer, however much of it came."""
    fakes[provider].usual = Reaction(text="one two three four", breaks_after=4)

    assert (await fault(house, provider, streamed=True)).kind is FaultKind.BROKEN


@pytest.mark.parametrize(
    ("provider", "kind"), [("openai", FaultKind.BROKEN), ("anthropic", FaultKind.BUSY)]
)
async def test_an_error_after_200_is_an_error(
    house: HouseOfModels, fakes: dict[str, FakeProvider], provider: str, kind: FaultKind
):
    """Its type decides, since its status says that all is well."""
    fakes[provider].usual = Reaction(text="one two three", error_after=3)

    assert (await fault(house, provider, streamed=True)).kind is kind


async def test_an_error_document_with_200_is_an_error(house: HouseOfModels, openai: FakeOpenAI):
    """As OpenRouter answers when its provider failed half-way; its code is a number."""
    openai.usual = Reaction(raw=b'{"error": {"code": 502, "message": "Provider down"}}')
    found = await fault(house, "local")

    assert (found.kind, found.detail) == (
        FaultKind.BROKEN,
        "The provider says: Provider down",
    )


async def test_a_bad_key_locks_the_credential(house: HouseOfModels):
    """And the fault does not tell the key."""
    with pytest.raises(ModelFault) as caught:
        await house.model_of("openai", Secret("sk-wrong")).write(ask())

    assert caught.value.kind is FaultKind.LOCKED
    assert "sk-wrong" not in f"{caught.value!r} {Secret('sk-wrong')!r}"


async def test_what_a_model_refuses_is_left_out_once_and_for_all(
    house: HouseOfModels, openai: FakeOpenAI
):
    """A temperature for GPT-5, a schema for an older server; refusals are not charged."""
    openai.knows_schemas = False
    model = house.model_of("local", KEY)
    await model.write(ask(temperature=0.5))
    charged = openai.calls
    await model.write(ask(temperature=0.5))

    assert (charged, openai.calls) == (1, 2)
    assert set(openai.asked[1].body) == {"model", "messages", "max_completion_tokens"}


@pytest.mark.parametrize("provider", ["local", "anthropic"])
async def test_calls_that_begin_together_find_it_out_together(
    house: HouseOfModels, openai: FakeOpenAI, anthropic: FakeAnthropic, provider: str
):
    """Each is refused before the first has learned from it, and each is answered in the end."""
    openai.knows_schemas = anthropic.knows_schemas = False
    replies: list[Reply] = []

    async def write() -> None:
        replies.append(await house.model_of(provider, KEY).write(ask(temperature=0.5)))

    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(write)

    assert len(replies) == openai.calls + anthropic.calls == 4


async def test_a_field_that_is_refused_for_ever_ends_the_call(
    house: HouseOfModels, openai: FakeOpenAI
):
    """What cannot be left out makes the request wrong."""
    openai.usual = Reaction(status=400, code="unsupported_parameter")

    assert (await fault(house, "openai")).kind is FaultKind.REJECTED
    assert openai.calls == 1


async def test_an_old_claude_is_asked_without_a_schema(
    house: HouseOfModels, anthropic: FakeAnthropic
):
    """Its text is read all the same; a temperature is never sent."""
    anthropic.knows_schemas = False
    model = house.model_of("anthropic", KEY)
    await model.write(ask(temperature=0.5))
    await house.model_of("anthropic", KEY).write(ask())

    assert [set(asked.body) for asked in anthropic.asked] == [
        {"model", "max_tokens", "system", "messages"}
    ] * 2


async def test_a_tenants_address_goes_through_the_guard(house: HouseOfModels, openai_url: str):
    """Where the operator's own leads to the same place unhindered."""
    with pytest.raises(ModelFault) as caught:
        await house.model_of("openai", Secret("sk-test", openai_url)).write(ask())

    assert caught.value.kind is FaultKind.LOCKED


@pytest.mark.parametrize("provider", ["openai", "anthropic", "nobody"])
async def test_without_a_key_there_is_no_model(house: HouseOfModels, provider: str):
    """Nor without a provider; a local server may need none."""
    with pytest.raises(ModelFault) as caught:
        house.model_of(provider, None)

    assert caught.value.kind is FaultKind.LOCKED


async def test_the_template_labels_what_it_writes(house: HouseOfModels):
    """And can be heard, too."""
    heard: list[str] = []
    prompt = Prompt(system="", user="", values={"number": "3", "topic": "{tea}"})
    reply = await house.model_of("template", None).write(
        Ask(model="template", prompt=prompt, max_tokens=9), heard.append
    )

    assert json.loads(reply.text)["body"].startswith("[template] ")
    assert "{tea}" in json.loads(reply.text)["body"]
    assert "".join(heard) == reply.text


async def test_a_server_that_does_not_count_is_believed(house: HouseOfModels, openai: FakeOpenAI):
    """What a call cost is unknown then, not nothing."""
    openai.usual = Reaction(raw=b'{"choices": [{"message": {"content": "Hi"}}]}')

    assert await house.model_of("local", KEY).write(ask()) == Reply(text="Hi", usage=None)


async def test_what_one_server_refuses_says_nothing_of_another(
    street: Street, anthropic: FakeAnthropic, anthropic_url: str
):
    """A tenant may name a server of its own, whose answers must not change what others get."""
    site = ProviderSite(kind="anthropic", base_url=anthropic_url, dialect="chat")
    house = HouseOfModels(
        {"anthropic": site}, own=street.own, guarded=street.own, timeout_s=TIMEOUT_S
    )
    theirs = FakeAnthropic()
    theirs.knows_schemas = False
    async with serving(theirs) as url:
        await house.model_of("anthropic", Secret("sk-test", url)).write(ask())
    await house.model_of("anthropic", KEY).write(ask())

    assert "output_config" not in theirs.asked[-1].body
    assert "output_config" in anthropic.asked[-1].body
