"""How keys are made, read and proved, and which role reaches what."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engarde_daemon.domain.access import ApiKey, Role, draw_key, read_key

keys = st.binary(min_size=32, max_size=32).map(lambda seed: draw_key(lambda size: seed[:size]))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "eg_",
        "eg_abcdefghijkl",
        f"eg_abcdefghijkl_{'a' * 42}",
        f"eg_abcdefghijkl_{'a' * 44}",
        f"eg_abcdefghijk1_{'a' * 43}",
        f"EG_abcdefghijkl_{'a' * 43}",
        f"eg_abcdefghijkl_{'a' * 42}-",
        f"eg_abcdefghijkl_{'a' * 42}é",
        f"eg_abcdefghijkl_{'a' * 43}\n",
        f" eg_abcdefghijkl_{'a' * 43}",
    ],
)
def test_what_cannot_be_a_key_is_not_read(text: str):
    """Nothing is looked up for text of another form."""
    assert read_key(text) is None


@given(keys)
def test_a_key_that_is_sent_is_the_key_that_was_drawn(key: ApiKey):
    """The text holds id and secret, and nothing between them is ambiguous."""
    assert read_key(key.text) == key


@given(keys)
def test_the_digest_proves_its_own_secret_only(key: ApiKey):
    """Another secret, be it one character off, proves nothing."""
    other = ApiKey(key.id, key.secret[:-1] + ("0" if key.secret[-1] != "0" else "1"))

    assert key.proves(key.digest)
    assert not other.proves(key.digest)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_no_randomness_is_lost_in_the_secret(one: bytes, other: bytes):
    """Two secrets are the same only if all 256 bits are."""
    first = draw_key(lambda size: one[:size])
    second = draw_key(lambda size: other[:size])

    assert (first.secret == second.secret) == (one == other)


def test_a_key_can_be_printed_without_its_secret():
    """A traceback or a debug log that shows a key does not give it away."""
    key = draw_key(secrets.token_bytes)

    assert key.secret not in repr(key)


@pytest.mark.parametrize("role", Role)
def test_a_role_reaches_itself_and_everything_before_it(role: Role):
    """Viewer, editor, admin, operator: the order in which they are written."""
    reached = [required for required in Role if role.reaches(required)]

    assert reached == list(Role)[: list(Role).index(role) + 1]
