"""Request bodies that no client should send: refused with every fault named, and never stored."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.acceptance.content import created, draft, fields_of, holds_nothing, problem_of
from tests.support.daemon import SharedDaemon

DEEP = 10_000
MEGABYTE = 1_000_000
SURROGATE = "\ud800"


@pytest.fixture(scope="module")
async def editor(shared_daemon: SharedDaemon) -> AsyncIterator[httpx.AsyncClient]:
    """An editor whose tenant must hold nothing for as long as these tests run."""
    key = shared_daemon.new_key(shared_daemon.new_tenant())
    async with shared_daemon.caller(key.api_key) as http:
        yield http


@pytest.fixture
async def http(daemon: SharedDaemon, editor: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """That editor, whose tenant still holds nothing after the test."""
    yield editor
    assert await holds_nothing(editor)


async def sent(http: httpx.AsyncClient, body: bytes | str) -> httpx.Response:
    """The answer to a creation with this body."""
    return await http.post("/api/content", content=body)


def deep(before: str, after: str, core: str = "") -> str:
    """Something inside itself, 10,000 times."""
    return before * DEEP + core + after * DEEP


def with_metadata(text: str) -> str:
    """A creation with this JSON as its metadata."""
    return '{"title": "t", "body": "b", "metadata": ' + text + "}"


class TestWrongFields:
    """JSON objects whose fields are wrong."""

    async def test_all_wrong_types_are_named_at_once(self, http: httpx.AsyncClient):
        """However many there are."""
        body = {
            "title": 5,
            "body": ["text"],
            "type": None,
            "status": True,
            "platforms": "instagram",
            "tags": {"a": 1},
            "hashtags": [1],
            "mentions": ["@a", None],
            "media": [["x"]],
            "scheduled_at": [],
            "metadata": [1],
            "campaign_space_id": 7,
            "brand_id": False,
        }

        assert fields_of(await sent(http, json.dumps(body))) == {
            *(body.keys() - {"hashtags", "mentions", "media"}),
            "hashtags[0]", "mentions[1]", "media[0]",
        }  # fmt: skip

    async def test_unknown_and_missing_fields_are_named_together(self, http: httpx.AsyncClient):
        """A misspelt name is unknown, and the one that was meant is missing."""
        assert fields_of(await sent(http, '{"tittle": "x", "body": "y", "": 1}')) == {
            "tittle", "", "title"
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("title", ""),
            ("title", "x" * 256),
            ("title", None),
            ("title", "a\x00b"),
            ("title", SURROGATE),
            ("body", None),
            ("body", "\x00"),
            ("body", f"text {SURROGATE}"),
            ("body", "\udc00\ud800"),
            ("type", "POST"),
            ("type", "nope"),
            ("type", SURROGATE),
            ("status", "deleted"),
            ("status", ""),
            ("scheduled_at", "yesterday"),
            ("scheduled_at", "2026-02-30T00:00:00Z"),
            ("scheduled_at", "2026-06-01T25:00:00Z"),
            ("scheduled_at", "2026-06-01"),
            ("scheduled_at", "2026-06-01T10:00:00"),
            ("scheduled_at", 1_780_000_000),
            ("scheduled_at", ""),
            ("scheduled_at", "9999-12-31T23:59:59-10:00"),
            ("scheduled_at", "0001-01-01T00:00:00+10:00"),
            ("scheduled_at", "10000-01-01T00:00:00Z"),
            ("scheduled_at", SURROGATE),
            ("campaign_space_id", ""),
            ("campaign_space_id", "x" * 37),
            ("campaign_space_id", "a b"),
            ("campaign_space_id", "a" * 36 + "\n"),
            ("campaign_space_id", "a\n"),
            ("campaign_space_id", "\x00"),
            ("brand_id", "../x"),
            ("metadata", "text"),
        ],
    )
    async def test_a_wrong_value_is_named(self, http: httpx.AsyncClient, field: str, value: object):
        """By its field, and no other field is accused."""
        assert fields_of(await sent(http, json.dumps(draft(**{field: value})))) == {field}

    @pytest.mark.parametrize(
        ("field", "value", "named"),
        [
            ("tags", [""], "tags[0]"),
            ("tags", ["ok", "x" * 101], "tags[1]"),
            ("tags", ["ok", "\x00"], "tags[1]"),
            ("tags", ["x"] * 101, "tags"),
            ("media", ["a/b"], "media[0]"),
            ("media", ["a" * 36 + "\n"], "media[0]"),
            ("metadata", {"a": {"b": ["ok", "\x00"]}}, "metadata.a.b[1]"),
            ("metadata", {"a\x00": 1}, "metadata"),
            ("metadata", {"a": {SURROGATE: 1}}, "metadata.a"),
            ("metadata", {"a": SURROGATE}, "metadata.a"),
        ],
    )
    async def test_a_value_inside_a_field_is_named_by_its_place(
        self, http: httpx.AsyncClient, field: str, value: object, named: str
    ):
        """So that it can be found in a long list."""
        assert fields_of(await sent(http, json.dumps(draft(**{field: value})))) == {named}

    @pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 5000])
    async def test_a_number_that_nothing_can_hold_is_named(
        self, http: httpx.AsyncClient, number: str
    ):
        """JSON allows it, PostgreSQL and Python do not."""
        assert fields_of(await sent(http, with_metadata(f'{{"n": [{number}]}}'))) == {
            "metadata.n[0]"
        }

    async def test_a_fault_does_not_hide_another_behind_it(self, http: httpx.AsyncClient):
        """Wrong types, unknown names and unstorable text come in one answer."""
        body = '{"title": 5, "body": "\\ud800", "nope": "\\u0000", "tags": ["\\u0000"]}'

        assert fields_of(await sent(http, body)) == {"title", "body", "nope", "tags[0]"}

    async def test_more_depth_than_allowed_is_named(self, http: httpx.AsyncClient):
        """Below the depth that breaks parsers, above the one that is served."""
        metadata = '{"a": ' + "[" * 100 + "]" * 100 + "}"

        assert fields_of(await sent(http, with_metadata(metadata))) == {"metadata"}

    async def test_a_million_faults_make_a_short_answer(self, http: httpx.AsyncClient):
        """Nobody gets more out of the daemon than they sent."""
        answer = await sent(http, json.dumps({f"field{n}": n for n in range(100_000)}))

        assert len(problem_of(answer, 422)["errors"]) == 100
        assert len(answer.content) < 50_000


class TestNoObject:
    """What is no JSON object, or no JSON at all."""

    @pytest.mark.parametrize("body", ["[]", "null", '"text"', "5", "true", '[{"title": "t"}]'])
    async def test_other_json_is_refused(self, http: httpx.AsyncClient, body: str):
        """The problem says that an object is wanted."""
        assert "object" in problem_of(await sent(http, body), 422)["detail"]

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "hello",
            "{",
            '{"title": "t", "body": "b"',
            '{"title": 5, ',
            '{"title": "t", "body": "b"} {}',
            '{"title": "t", "body": "b",}',
            "{'title': 't'}",
            '{"title": "t", "body": "b", "metadata": {"n": NaN}}',
            '{"title": "t", "body": "b", "metadata": {"n": Infinity}}',
            '{"title": "a\nb", "body": "b"}',
            "title=t&body=b",
            "\x00",
            "\ufeff{}",
            b'{"title": "\xff", "body": "b"}',
            b'{"title": 5, "body": "\xed\xa0\x80"}',
            '{"title": "t", "body": "b"}'.encode("utf-16"),
            b"\x1f\x8b\x08\x00",
        ],
    )
    async def test_what_cannot_be_read_is_refused(self, http: httpx.AsyncClient, body: bytes | str):
        """400: there is no field that could be named."""
        assert problem_of(await sent(http, body), 400)["type"].endswith("malformed_request")

    @pytest.mark.parametrize(
        "body",
        [
            deep("[", "]"),
            deep('{"a":', "}", "1"),
            with_metadata('{"a": ' + deep("[", "]") + "}"),
            '{"title": "t", "body": ' + deep("[", "]") + "}",
            '{"title": 5, "nope": ' + deep('{"a":', "}", "1") + "}",
            deep("[", ""),
        ],
        ids=["arrays", "objects", "in metadata", "in body", "behind a fault", "never closed"],
    )
    async def test_ten_thousand_levels_are_refused(self, http: httpx.AsyncClient, body: str):
        """By a sentence, not by a full stack."""
        assert "nested" in problem_of(await sent(http, body), 400)["detail"]


class TestTooLarge:
    """Bodies beyond `max_body_bytes`."""

    async def test_fifty_megabytes_are_refused(self, http: httpx.AsyncClient):
        """413, told by the length alone."""
        body = json.dumps(draft(body="x" * 50 * MEGABYTE))

        problem_of(await sent(http, body), 413)

    async def test_a_length_that_nobody_announced_is_refused_too(self, http: httpx.AsyncClient):
        """413, as soon as the stream passes the limit."""

        async def stream() -> AsyncIterator[bytes]:
            for _ in range(50):
                yield b"x" * MEGABYTE

        problem_of(await http.post("/api/content", content=stream()), 413)

    async def test_one_byte_more_than_the_limit_is_refused(self, http: httpx.AsyncClient):
        """10,000,000 bytes are the configured default."""
        body = json.dumps(draft(body=""))

        problem = problem_of(await sent(http, body.ljust(10 * MEGABYTE + 1)), 413)
        assert problem["limit_bytes"] == 10 * MEGABYTE
        assert "[server] max_body_bytes" in problem["detail"]

    async def test_a_body_of_too_many_values_is_refused(self, http: httpx.AsyncClient):
        """By a sentence, before they are looked at; in a bulk they are counted together."""
        crowd = json.dumps({"all": [[]] * 2 * MEGABYTE})
        half = json.dumps({"all": [[]] * 60_000})
        single = json.dumps(draft(metadata={})).replace('"metadata": {}', f'"metadata": {crowd}')
        two = json.dumps(draft(metadata={})).replace('"metadata": {}', f'"metadata": {half}')

        refused = [
            await sent(http, single),
            await http.post("/api/content/bulk", content=f'{{"items": [{two}, {two}]}}'),
        ]
        for answer in refused:
            assert "values" in problem_of(answer, 400)["detail"]


async def test_the_last_byte_of_the_limit_may_be_used(daemon: SharedDaemon):
    """A body of exactly the limit is an item."""
    async with daemon.caller(daemon.new_key(daemon.new_tenant()).api_key) as http:
        room = 10 * MEGABYTE - len(json.dumps(draft(body="")))
        answer = await http.post("/api/content", content=json.dumps(draft(body="x" * room)))

        assert answer.status_code == 201


@pytest.mark.parametrize(
    "body",
    ["[]", "{", '{"title": 5}', '{"nope": 1}', deep("[", "]")],
    ids=["array", "broken", "wrong type", "unknown field", "deep"],
)
async def test_a_bad_change_leaves_the_item_as_it_was(daemon: SharedDaemon, body: str):
    """What is refused of a creation is refused of a change."""
    async with daemon.caller(daemon.new_key(daemon.new_tenant()).api_key) as http:
        made: dict[str, Any] = await created(http)
        answer = await http.patch(f"/api/content/{made['id']}", content=body)

        assert answer.status_code in {400, 422}
        assert (await http.get(f"/api/content/{made['id']}")).json()["version"] == 1
