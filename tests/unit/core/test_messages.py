"""What a message is."""

import msgspec
import pytest

from tests.unit.core.stage import Note, Say


def test_a_message_cannot_be_changed():
    """Sender and receiver hold the same object, so neither may alter it."""
    with pytest.raises(AttributeError):
        Note("hello").text = "bye"  # type: ignore[misc]


def test_a_union_of_messages_survives_encoding():
    """The class name is the tag, so a union decodes to the right class."""
    wire = msgspec.json.encode(Say("hello"))

    assert msgspec.json.decode(wire, type=Say | Note) == Say("hello")


def test_messages_compare_by_value():
    """Two messages that say the same are equal."""
    assert Note("hello") == Note("hello")
