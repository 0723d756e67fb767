"""The fakes are honest: the providers' own libraries are content with them."""

import json
from typing import Any

import anthropic as anthropic_sdk
import httpx2
import openai as openai_sdk
import pytest

from engarde_daemon.domain.pieces import SCHEMA
from engarde_daemon.testing.models import FakeAnthropic, FakeOpenAI, Reaction

LOOSE = {
    "type": "json_schema",
    "json_schema": {
        "name": "x",
        "strict": True,
        "schema": {"properties": {"a": {}}, "additionalProperties": False},
    },
}


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
        {"model": "m", "messages": []},
        {"model": "m", "messages": ["x"]},
        {"model": "m", "messages": [{"role": "user", "content": "x"}], "stream_options": {}},
        {
            "model": "m",
            "messages": [{"role": "user", "content": "x"}],
            "max_completion_tokens": True,
        },
        {"model": "m", "messages": [{"role": "user", "content": "x"}], "response_format": LOOSE},
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


async def test_the_fake_openai_knows_the_flat_form_of_responses(openai_url: str):
    """That of chats, one level deeper, is none of theirs."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        answer = await client.post(
            f"{openai_url}/responses",
            json={"model": "m", "input": "x", "text": {"format": LOOSE}},
            headers={"authorization": "Bearer sk-test"},
        )

    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/chat/completions", {"authorization": "sk-test"}),
        ("/v1/messages", {"authorization": "sk-test", "anthropic-version": "2026-10-21"}),
        (
            "/v1/messages",
            {
                "authorization": "Bearer x",
                "x-api-key": "sk-test",
                "anthropic-version": "2026-10-21",
            },
        ),
    ],
)
async def test_a_key_is_shown_in_the_documented_way(
    openai_url: str, anthropic_url: str, path: str, headers: dict[str, str]
):
    """With its scheme, and one at a time."""
    base = anthropic_url if path == "/v1/messages" else openai_url.removesuffix("/v1")
    async with httpx2.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{base}{path}", json={}, headers=headers)

    assert answer.status_code == 401


async def test_a_body_is_said_to_be_json(openai_url: str):
    """Or nobody reads it."""
    body = b'{"model": "m", "messages": [{"role": "user", "content": "x"}]}'
    async with httpx2.AsyncClient(trust_env=False) as client:
        answer = await client.post(
            f"{openai_url}/chat/completions",
            content=body,
            headers={"authorization": "Bearer sk-test"},
        )

    assert answer.status_code == 400


@pytest.mark.parametrize(
    "extra", [{"temperature": 1}, {"top_p": 1}, {"max_tokens": "9"}, {"messages": []}]
)
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


def _line(name: str, model: str = "m") -> bytes:
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    return json.dumps(
        {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": body}
    ).encode()


async def test_openai_sends_and_reads_a_batch(
    openai_client: openai_sdk.AsyncOpenAI, openai: FakeOpenAI
):
    """A file up, a batch, what is listed of it, and the answers down."""
    openai.next_reactions.append(Reaction(text="Hello there"))
    openai.next_reactions.append(Reaction(status=400, code="context_length_exceeded"))
    questions = b"\n".join([_line("a"), _line("b")])
    async with openai_client as client:
        file = await client.files.create(file=("q.jsonl", questions), purpose="batch")
        made = await client.batches.create(
            input_file_id=file.id,
            endpoint="/v1/chat/completions",
            completion_window="24h",
            metadata={"job": "1"},
        )
        listed = [batch.metadata async for batch in client.batches.list(limit=1)]
        seen = [(await client.batches.retrieve(made.id)).status for _ in range(2)]
        done = await client.batches.retrieve(made.id)
        assert done.output_file_id is not None
        assert done.error_file_id is not None
        good = json.loads((await client.files.content(done.output_file_id)).text)
        bad = json.loads((await client.files.content(done.error_file_id)).text)

    assert (made.status, seen, listed) == (
        "in_progress",
        ["in_progress", "completed"],
        [{"job": "1"}],
    )
    assert done.request_counts is not None
    assert (done.request_counts.completed, done.request_counts.failed) == (1, 1)
    assert good["response"]["body"]["choices"][0]["message"]["content"] == "Hello there"
    assert (bad["custom_id"], bad["response"]["status_code"]) == ("b", 400)
    assert openai.charged == 1


async def test_openai_cancels_a_batch(openai_client: openai_sdk.AsyncOpenAI, openai: FakeOpenAI):
    """What was answered by then stays; one model a file is all that it takes."""
    openai.shop.done_before_end = 1
    async with openai_client as client:
        file = await client.files.create(
            file=("q.jsonl", b"\n".join([_line("a"), _line("b")])), purpose="batch"
        )
        mixed = await client.files.create(
            file=("q.jsonl", b"\n".join([_line("a"), _line("b", "n")])), purpose="batch"
        )
        made, refused = [
            await client.batches.create(
                input_file_id=name, endpoint="/v1/chat/completions", completion_window="24h"
            )
            for name in (file.id, mixed.id)
        ]
        stopping = await client.batches.cancel(made.id)
        done = await client.batches.retrieve(made.id)

    assert (stopping.status, done.status, refused.status) == ("cancelling", "cancelled", "failed")
    assert refused.errors is not None
    assert openai.charged == 1


async def test_anthropic_sends_and_reads_a_batch(
    anthropic_client: anthropic_sdk.AsyncAnthropic, anthropic: FakeAnthropic
):
    """With an answer, an error, and what expired."""
    anthropic.shop.done_before_end = 2
    anthropic.next_reactions.append(Reaction(text="Hello there"))
    anthropic.next_reactions.append(Reaction(status=400))
    async with anthropic_client as client:
        made = await client.messages.batches.create(
            requests=[
                {
                    "custom_id": name,
                    "params": {
                        "model": "m",
                        "max_tokens": 9,
                        "messages": [{"role": "user", "content": "hi"}],
                    },
                }
                for name in ("a", "b", "c")
            ]
        )
        listed = [batch.id async for batch in client.messages.batches.list()]
        seen = [(await client.messages.batches.retrieve(made.id)) for _ in range(2)]
        results = {
            line.custom_id: line.result
            async for line in await client.messages.batches.results(made.id)
        }

    assert listed == [made.id]
    assert [one.processing_status for one in seen] == ["in_progress", "ended"]
    assert seen[1].request_counts.expired == 1
    assert {name: result.type for name, result in results.items()} == {
        "a": "succeeded",
        "b": "errored",
        "c": "expired",
    }
    assert anthropic.charged == 1


async def test_anthropic_cancels_a_batch(
    anthropic_client: anthropic_sdk.AsyncAnthropic, anthropic: FakeAnthropic
):
    """What was not answered by then is cancelled, and not charged."""
    anthropic.shop.done_before_end = 0
    params: Any = {
        "model": "m",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "hi"}],
    }
    async with anthropic_client as client:
        made = await client.messages.batches.create(requests=[{"custom_id": "a", "params": params}])
        stopping = await client.messages.batches.cancel(made.id)
        done = await client.messages.batches.retrieve(made.id)

    assert (stopping.processing_status, done.processing_status) == ("canceling", "ended")
    assert (done.request_counts.canceled, anthropic.charged) == (1, 0)


async def test_both_list_their_models(
    openai_client: openai_sdk.AsyncOpenAI,
    anthropic_client: anthropic_sdk.AsyncAnthropic,
    openai: FakeOpenAI,
    anthropic: FakeAnthropic,
):
    """By which a key is tried; it is no call of a model."""
    async with openai_client as one, anthropic_client as other:
        names = [model.id async for model in one.models.list()]
        names += [model.id async for model in other.models.list()]

    assert names == ["m", "m"]
    assert (openai.calls, anthropic.calls) == (0, 0)
