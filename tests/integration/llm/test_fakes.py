"""The fakes are honest: the providers' own libraries are content with them."""

import json

import anthropic as anthropic_sdk
import httpx2
import openai as openai_sdk
import pytest

from engarde_daemon.domain.pieces import SCHEMA
from engarde_daemon.testing.models import FakeAnthropic, FakeOpenAI, Reaction


@pytest.fixture
def openai_client(openai_url: str) -> openai_sdk.AsyncOpenAI:
    """OpenAI's own client, without its repeats."""
    return openai_sdk.AsyncOpenAI(
        api_key="sk-test",
        base_url=openai_url,
        max_retries=0,
        http_client=httpx2.AsyncClient(trust_env=False),
    )


@pytest.fixture
def anthropic_client(anthropic_url: str) -> anthropic_sdk.AsyncAnthropic:
    """Anthropic's own client, without its repeats."""
    return anthropic_sdk.AsyncAnthropic(
        api_key="sk-test",
        base_url=anthropic_url,
        max_retries=0,
        http_client=httpx2.AsyncClient(trust_env=False),
    )


async def test_openai_reads_a_chat(openai_client: openai_sdk.AsyncOpenAI, openai: FakeOpenAI):
    """Whole and streamed."""
    openai.usual = Reaction(text="Hello there")
    async with openai_client as client:
        whole = await client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "hi"}], max_completion_tokens=9
        )
        stream = await client.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": "hi"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]

    assert whole.choices[0].message.content == "Hello there"
    assert whole.usage is not None
    assert whole.usage.completion_tokens == 2
    said = "".join(c.delta.content or "" for chunk in chunks for c in chunk.choices)
    assert said.strip() == "Hello there"
    assert chunks[-1].usage is not None


async def test_openai_reads_responses(openai_client: openai_sdk.AsyncOpenAI, openai: FakeOpenAI):
    """Whole and streamed, with structured output."""
    openai.usual = Reaction(text="Hello there")
    async with openai_client as client:
        whole = await client.responses.create(
            model="m",
            input="hi",
            text={"format": {"type": "json_schema", "name": "x", "schema": SCHEMA}},
        )
        stream = await client.responses.create(model="m", input="hi", stream=True)
        kinds = [event.type async for event in stream]

    assert whole.output_text == "Hello there"
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (429, openai_sdk.RateLimitError),
        (500, openai_sdk.InternalServerError),
        (400, openai_sdk.BadRequestError),
    ],
)
async def test_openai_knows_the_errors(
    openai_client: openai_sdk.AsyncOpenAI,
    openai: FakeOpenAI,
    status: int,
    error: type[openai_sdk.APIStatusError],
):
    """By its own classes."""
    openai.usual = Reaction(status=status, code="some_code")
    async with openai_client as client:
        with pytest.raises(error) as caught:
            await client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": "hi"}]
            )

    assert caught.value.code == "some_code"


async def test_anthropic_reads_a_message(
    anthropic_client: anthropic_sdk.AsyncAnthropic, anthropic: FakeAnthropic
):
    """Whole and streamed, with structured output."""
    anthropic.usual = Reaction(text="Hello there")
    async with anthropic_client as client:
        whole = await client.messages.create(
            model="m",
            max_tokens=9,
            messages=[{"role": "user", "content": "hi"}],
            output_config={"format": {"type": "json_schema", "schema": SCHEMA}},
        )
        async with client.messages.stream(
            model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
        ) as stream:
            final = await stream.get_final_message()

    (block,) = whole.content
    assert block.type == "text"
    assert block.text == "Hello there"
    assert whole.usage.output_tokens == final.usage.output_tokens == 2
    assert final.stop_reason == "end_turn"


async def test_anthropic_knows_the_errors(
    anthropic_client: anthropic_sdk.AsyncAnthropic, anthropic: FakeAnthropic
):
    """Before the answer and in the middle of it."""
    anthropic.next_reactions.append(Reaction(status=429))
    anthropic.next_reactions.append(Reaction(text="a b c", error_after=4))
    async with anthropic_client as client:
        with pytest.raises(anthropic_sdk.RateLimitError):
            await client.messages.create(
                model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
            )
        with pytest.raises(anthropic_sdk.APIStatusError) as caught:
            async with client.messages.stream(
                model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
            ) as stream:
                await stream.get_final_message()

    assert "overloaded_error" in json.dumps(caught.value.body)


@pytest.mark.parametrize(
    "body",
    [
        {"model": "m", "messages": [{"role": "user", "content": "x"}], "max_tokens": 9},
        {"model": "m", "messages": [{"role": "user", "content": "x"}], "temperature": 0.5},
        {"model": "m", "messages": [{"role": "user", "content": "x"}], "surprise": 1},
        {"model": "m"},
        {"model": 5, "messages": []},
    ],
)
async def test_the_fake_openai_refuses_what_openai_refuses(openai_url: str, body: object):
    """And does not count it as a call."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        answer = await client.post(
            f"{openai_url}/chat/completions",
            json=body,
            headers={"authorization": "Bearer sk-test"},
        )

    assert answer.status_code == 400
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("extra", [{"temperature": 1}, {"top_p": 1}, {"max_tokens": "9"}])
async def test_the_fake_anthropic_refuses_what_anthropic_refuses(
    anthropic_url: str, extra: dict[str, object]
):
    """A temperature, even the default one."""
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}], **extra}
    async with httpx2.AsyncClient(trust_env=False) as client:
        answer = await client.post(
            f"{anthropic_url}/v1/messages",
            json=body,
            headers={"x-api-key": "sk-test", "anthropic-version": "2026-10-21"},
        )

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
