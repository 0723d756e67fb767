"""Frames are understood by whoever is older or newer than who sent them."""

from datetime import UTC, datetime

import msgspec
import pytest

from engarde_daemon.protocol import FeedEvent, FrameKind, Missed, Severity, read_frame

EVENT = FeedEvent(
    at=datetime(2027, 5, 1, tzinfo=UTC),
    source="actors",
    type="actor.crashed",
    severity=Severity.WARNING,
    text="delivery crashed",
    subject="root/pipelines/delivery",
)


def test_a_frame_is_read_as_what_its_kind_says():
    """What was encoded comes back equal."""
    assert read_frame(FrameKind.EVENT, msgspec.json.encode(EVENT)) == EVENT


def test_a_frame_of_an_unknown_kind_is_none():
    """An older dashboard passes over what a newer daemon adds."""
    assert read_frame("weather", b"{}") is None


def test_an_unknown_field_is_passed_over():
    """A newer daemon may say more."""
    said = {**msgspec.to_builtins(Missed(count=3, why="gone")), "mood": "sorry"}

    assert read_frame(FrameKind.MISSED, msgspec.json.encode(said)) == Missed(count=3, why="gone")


def test_a_missing_field_is_no_frame():
    """What cannot be understood is refused rather than guessed."""
    with pytest.raises(msgspec.ValidationError):
        read_frame(FrameKind.EVENT, b'{"source": "actors"}')
