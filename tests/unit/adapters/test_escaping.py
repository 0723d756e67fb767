"""Values that ZeroDB's storage would refuse or change go in and come out as they were."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engarde_daemon.adapters.zerodb.escaping import escaped, restored

TEXT = st.text(st.characters(codec=None, categories=None))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=10,
)


def stored(value: object) -> object:
    """What PostgreSQL's jsonb gives back: numbers are decimal, so large ones become whole."""

    def number(text: str) -> float | int:
        value = float(text)
        return value if abs(value) < 1e16 else int(value)

    text = json.dumps(value, allow_nan=False)
    assert "\\u0000" not in text.replace("\\\\", "")
    return json.loads(text.encode(), parse_float=number)


@given(VALUES)
def test_every_value_comes_back(value: object):
    """Whatever can be said in Python's JSON, and lone surrogates too."""
    assert restored(stored(escaped(value))) == value


@pytest.mark.parametrize("value", [math.inf, -math.inf, 1e300, 1.5e16], ids=str)
def test_numbers_that_json_or_jsonb_cannot_keep_come_back(value: float):
    """They travel as text, and are floats again afterwards."""
    back = restored(stored(escaped({"n": [value]})))

    assert back == {"n": [value]}
    assert isinstance(back["n"][0], float)


def test_not_a_number_comes_back():
    """It equals nothing, so it is asked for by name."""
    assert math.isnan(restored(stored(escaped(math.nan))))


def test_what_is_harmless_is_left_for_others_to_read():
    """Other readers of the collection see plain text."""
    plain = {"title": "Größe 👋", "n": 1.5, "tags": ["\n", "\ue000"]}

    assert escaped(plain) == plain


def test_no_surrogate_leaves():
    """What leaves can be encoded, whatever came in."""
    json.dumps(escaped("\ud83d alone"), ensure_ascii=False).encode()
