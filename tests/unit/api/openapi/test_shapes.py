"""Schemas say of Structs what their encoder and decoder do."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import UNSET, UnsetType

from engarde_daemon.api.fields import CursorText, Moment, encoded
from engarde_daemon.api.openapi.shapes import Shapes, without_null
from engarde_daemon.api.paging import Mark


class Inner(msgspec.Struct):
    """Within another."""

    at: datetime


class Answer(msgspec.Struct):
    """Is encoded."""

    inner: list[Inner]
    told: Annotated[msgspec.Raw, encoded(list[Inner])] | UnsetType = UNSET
    when: datetime | None = None


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """Is decoded."""

    at: Moment | None = None
    cursor: Mark | None = None


def component(shape: Any, name: str) -> dict[str, Any]:
    """One schema of those that a shape brings."""
    shapes = Shapes()
    shapes.of(shape)
    return shapes.components[name]


def test_moments_are_told_as_such():
    """In answers as in requests, alone and where there may be none."""
    moment = {"type": "string", "format": "date-time"}

    assert component(Answer, "Inner")["properties"]["at"] == moment
    assert moment in component(Answer, "Answer")["properties"]["when"]["anyOf"]
    assert moment in component(Request, "Request")["properties"]["at"]["anyOf"]


def test_an_answer_is_never_without_a_field_that_has_a_default():
    """Unless the default is that it is left out; a request may leave out all of them."""
    assert component(Answer, "Answer")["required"] == ["inner", "when"]
    assert component(Request, "Request")["required"] == []


def test_what_is_json_already_is_told_by_its_shape():
    """Its Struct becomes a component like any other."""
    told = component(Answer, "Answer")["properties"]["told"]

    assert told == {"type": "array", "items": {"$ref": "#/components/schemas/Inner"}}


def test_a_query_cannot_say_null():
    """A parameter is there or not."""
    fields = Shapes().fields(Request)

    assert without_null(fields["cursor"]) == msgspec.json.schema(CursorText)
    assert without_null(fields["at"]) == {"type": "string", "format": "date-time"}


def test_two_structs_of_one_name_are_refused():
    """One would be described as the other."""
    shapes = Shapes()
    shapes.of(Inner)
    other = msgspec.defstruct("Inner", [("other", int)])

    with pytest.raises(ValueError, match="two Structs are called Inner"):
        shapes.of(other)
