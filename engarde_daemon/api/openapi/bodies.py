"""Bodies of requests and answers as the document tells them: one value, or a stream of items."""

from collections.abc import Callable
from types import UnionType
from typing import Any, get_args

import msgspec

from engarde_daemon.api.contract import JSON, Answer, Contract
from engarde_daemon.api.openapi.examples import answered, sent
from engarde_daemon.api.openapi.shapes import Schema, Shapes

EVENT_STREAM = "text/event-stream"


def body_of(contract: Contract, shapes: Shapes) -> Schema:
    """What a route takes."""
    if contract.lines is None:
        content: Schema = {"schema": shapes.of(contract.body), **_examples(contract.body, sent)}
    else:
        first = (get_args(contract.lines) or (contract.lines,))[0]
        content = _lines(contract.lines, sent(first), shapes)
    required = contract.needs_body and contract.lines is None
    return {"required": required, "content": {contract.media_type: content}}


def content_of(answer: Answer, shapes: Shapes) -> Schema:
    """What a route answers with; nothing where it answers without a body."""
    if answer.items is not None:
        first = answered(get_args(answer.items)[0])
        if answer.media_type == EVENT_STREAM:
            content = _events(answer.items, (answer.event or first["type"], first), shapes)
        else:
            content = _lines(answer.items, first, shapes)
        return {answer.media_type: content}
    if answer.shape is None:
        return {}
    schema = shapes.of(answer.shape)
    return {answer.media_type: {"schema": schema, **_examples(answer.shape, answered)}}


def _examples(shape: Any, example_of: Callable[[Any], Any]) -> Schema:
    if not isinstance(shape, UnionType):
        return {"example": example_of(shape)}
    return {"examples": {one.__name__: {"value": example_of(one)} for one in get_args(shape)}}


def _lines(items: Any, first: Any, shapes: Shapes) -> Schema:
    """Lines of JSON, with the first for an example."""
    return _stream(shapes.of(items), _text(first) + "\n")


def _events(items: Any, first: tuple[str, Any], shapes: Shapes) -> Schema:
    """Server-sent events whose data is JSON, with the first for an example."""
    text = {"type": "string"}
    data = {**text, "contentMediaType": JSON, "contentSchema": shapes.of(items)}
    event = {
        "type": "object",
        "required": ["data"],
        "properties": {"id": text, "event": text, "data": data},
    }
    name, data_of_first = first
    return _stream(event, f"id: 42\nevent: {name}\ndata: {_text(data_of_first)}\n\n")


def _stream(schema: Schema, first: str) -> Schema:
    return {"itemSchema": schema, "examples": {"first": {"serializedValue": first}}}


def _text(document: Any) -> str:
    return msgspec.json.encode(document).decode()
