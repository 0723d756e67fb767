"""Whatever bytes come in: a checked value comes out, or a refusal that the caller can read."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engarde_daemon.api.content.listing import ListQuery, query_of
from engarde_daemon.api.content.schemas import ContentCreate, ContentPatch
from engarde_daemon.api.decoding import VALUES_MAX, _values_in, decode_json, decode_query
from engarde_daemon.domain.errors import EngardeError, Invalid, Malformed

FIELDS = list(ContentCreate.__struct_fields__)
PARAMETERS = [field.encode_name for field in msgspec.structs.fields(ListQuery)]

patient = settings(deadline=None)  # on a busy machine, time says nothing about a case
anything = st.text(st.characters(exclude_categories=[]), max_size=20)  # half surrogates too
numbers = st.integers() | st.floats() | st.just(10**400)
leaves = st.none() | st.booleans() | numbers | anything
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(anything, inner, max_size=4),
    max_leaves=12,
)
plausible = st.fixed_dictionaries(
    {"metadata": st.dictionaries(anything, st.lists(anything) | anything, max_size=4)},
    optional={"body": anything, "tags": st.just([])},
)
documents = st.dictionaries(st.sampled_from(FIELDS) | anything, values, max_size=8)


def outcome_of(raw: bytes, shape: type[msgspec.Struct]) -> msgspec.Struct | EngardeError:
    """What became of a body; any other error is a defect."""
    try:
        return decode_json(raw, shape)
    except EngardeError as refusal:
        return refusal


def outcome_of_query(query: bytes) -> msgspec.Struct | EngardeError:
    """What became of a query; any other error is a defect."""
    try:
        return decode_query(query_of(query), ListQuery)
    except EngardeError as refusal:
        return refusal


def is_storable(text: str) -> bool:
    """Whether PostgreSQL would take it."""
    return "\x00" not in text and text == text.encode(errors="replace").decode()


def texts_in(value: Any) -> list[str]:
    """Every text in a value, keys too."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in texts_in(part)]
    if isinstance(value, list | tuple):
        return [text for part in value for text in texts_in(part)]
    return []


@patient
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes):
    """Never is an error of a parser let through."""
    outcome = outcome_of(raw, ContentCreate)

    assert isinstance(outcome, ContentCreate | Invalid | Malformed)


@patient
@given(documents)
def test_every_unknown_field_is_named(document: dict[str, Any]):
    """Beside whatever else is wrong."""
    outcome = outcome_of(json.dumps(document).encode(), ContentCreate)

    assert isinstance(outcome, ContentCreate | Invalid | Malformed)
    if isinstance(outcome, Invalid):
        unknown = document.keys() - set(FIELDS)
        shown = {name.encode(errors="replace").decode() for name in unknown}
        assert shown <= {error.field for error in outcome.errors}


@patient
@given(plausible)
def test_what_is_read_can_be_stored(document: dict[str, Any]):
    """Neither NUL nor half a surrogate pair passes, however deep it lies."""
    texts = texts_in(document)
    storable = all(is_storable(text) for text in texts)
    outcome = outcome_of(json.dumps(document).encode(), ContentPatch)

    assert isinstance(outcome, ContentPatch if storable else Invalid)


@patient
@given(st.lists(st.tuples(st.sampled_from(PARAMETERS), st.binary(max_size=12)), max_size=5))
def test_any_query_is_read_or_refused(parameters: list[tuple[str, bytes]]):
    """Percent-encoded bytes of every kind."""
    quoted = [f"{name}={''.join(f'%{byte:02x}' for byte in text)}" for name, text in parameters]

    assert isinstance(outcome_of_query("&".join(quoted).encode()), ListQuery | Invalid)


@patient
@given(st.binary(max_size=60))
def test_any_query_string_is_read_or_refused(query: bytes):
    """Also one that no client would write."""
    assert isinstance(outcome_of_query(query), ListQuery | Invalid)


@pytest.mark.parametrize("depth", [64, 65, 900, 1_100, 10_000, 200_000])
def test_depth_is_bounded_at_any_depth(depth: int):
    """Before and behind the depths at which parsers give up."""
    nested = "[" * (depth - 2) + "]" * (depth - 2)
    raw = b'{"title": "t", "body": "b", "metadata": {"a": %b}}' % nested.encode()
    outcome = outcome_of(raw, ContentCreate)

    assert isinstance(outcome, ContentCreate if depth == 64 else Invalid | Malformed)


@pytest.mark.parametrize("one", ["[]", "{}", "0", '""', '{"a":""}'])
def test_values_beyond_the_limit_are_refused_before_they_are_made(one: str):
    """Whatever they are: making and checking them would take seconds."""
    raw = f'{{"metadata": {{"all": [{",".join([one] * (VALUES_MAX + 1))}]}}}}'
    outcome = outcome_of(raw.encode(), ContentPatch)

    assert isinstance(outcome, Malformed)
    assert f"{VALUES_MAX:,} values" in outcome.detail


@pytest.mark.parametrize("text", [",[{", '",', '\\",\\', "\\\\", '"' * 9 + ","])
def test_marks_inside_of_texts_are_no_values(text: str):
    """A long article is one value, however it quotes, and however it is escaped."""
    article = text * VALUES_MAX
    outcome = outcome_of(json.dumps({"body": article}).encode(), ContentPatch)

    assert isinstance(outcome, ContentPatch)
    assert outcome.body == article


@patient
@given(values)
def test_no_document_is_thought_to_have_more_than_twice_its_values(value: Any):
    """Lists and objects count twice; names in texts, escaped or not, count for nothing."""
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, separators=(",", ":"))):
        assert _values_in(text.encode(errors="replace")) <= 2 * count_of(value)


def count_of(value: Any) -> int:
    """How many values there are, itself and names included."""
    if isinstance(value, dict):
        return 1 + sum(1 + count_of(inner) for inner in value.values())
    return 1 + sum(count_of(inner) for inner in value) if isinstance(value, list) else 1
