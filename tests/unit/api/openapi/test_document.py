"""The OpenAPI document says of every route all there is to say, and nothing that is not so."""

import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from litestar import Controller, Response, get, post
from litestar.handlers import HTTPRouteHandler

from engarde_daemon.api.app import CONTROLLERS
from engarde_daemon.api.contract import Answer, contract_in, promise
from engarde_daemon.api.decoding import decode_json
from engarde_daemon.api.openapi.document import describe
from engarde_daemon.api.openapi.examples import REQUESTS
from engarde_daemon.api.openapi.refusals import SAMPLES, refusal_of
from engarde_daemon.domain.errors import EngardeError

COMMITTED = Path(__file__).parents[4] / "docs" / "openapi.json"
DOCUMENT = describe(CONTROLLERS, version=version("engarde-daemon"))
ELSEWHERE = {
    "beginUpload", "continueUpload", "createContentBulk", "followEvents", "importContent",
    "putAnalytics", "uploadMedia",
}  # fmt: skip
"""Operations whose request is read by a function of its own, with the Structs of the contract."""


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation by its id."""
    for methods in DOCUMENT["paths"].values():
        for operation in methods.values():
            yield operation["operationId"], operation


def handlers() -> Iterator[HTTPRouteHandler]:
    """Every handler that is described."""
    for controller in CONTROLLERS:
        yield from (one for one in vars(controller).values() if isinstance(one, HTTPRouteHandler))


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """A part of the document, or what it refers to."""
    found: Any = DOCUMENT if "$ref" in part else part
    for name in part.get("$ref", "").removeprefix("#/").split("/") if "$ref" in part else ():
        found = found[name]
    whole: dict[str, Any] = found
    return whole


def contents() -> Iterator[tuple[str, dict[str, Any]]]:
    """What is sent and answered, each with a name for the test's report."""
    for name, operation in operations():
        for content in operation.get("requestBody", {}).get("content", {}).values():
            yield f"{name} takes", content
        for status, response in operation["responses"].items():
            for content in resolved(response).get("content", {}).values():
                yield f"{name} answers {status}", content


def faults(schema: dict[str, Any], value: Any) -> list[str]:
    """What is wrong with a value."""
    whole = {**schema, "components": DOCUMENT["components"]}
    validator = jsonschema_rs.validator_for(whole, validate_formats=True)
    return [str(error) for error in validator.iter_errors(value)]


def items_of(content: dict[str, Any]) -> dict[str, Any]:
    """The schema of a stream's items; of server-sent events, that of their data."""
    items: dict[str, Any] = content["itemSchema"]
    data = items.get("properties", {}).get("data", {})
    schema: dict[str, Any] = data.get("contentSchema", items)
    return schema


def test_the_committed_document_is_the_present_one():
    """`make openapi` renews it; the difference is read in the review."""
    assert json.loads(COMMITTED.read_text()) == DOCUMENT


def test_operations_have_ids_of_their_own():
    """Generated clients name their functions after them."""
    names = [name for name, _ in operations()]

    assert len(set(names)) == len(names) > 40
    assert all(name.isidentifier() for name in names)


def test_every_operation_says_what_it_does():
    """In a line, and whether it needs a caller."""
    for name, operation in operations():
        assert operation["summary"], name
        assert operation.get("description") or operation["security"] == [], name


def test_every_refusal_is_a_problem():
    """RFC 9457, whoever refused; an answer below /api/ says at least these."""
    for path, methods in DOCUMENT["paths"].items():
        for operation in methods.values():
            statuses = {s for s in operation["responses"] if s >= "400"}
            told = [resolved(operation["responses"][status]) for status in statuses]
            if path.startswith("/api/"):
                assert statuses >= {"401", "403", "422", "429", "431", "500", "503"}
                assert all(set(one["content"]) == {"application/problem+json"} for one in told)


@pytest.mark.parametrize(
    "content", [c for _, c in contents()], ids=[name for name, _ in contents()]
)
def test_every_body_has_an_example_that_fits_it(content: dict[str, Any]):
    """A reader looks at the example first, so it must not lie."""
    values = [content["example"]] if "example" in content else []
    values += [one["value"] for one in content.get("examples", {}).values() if "value" in one]
    lines = [one["serializedValue"] for one in content.get("examples", {}).values() if not values]

    assert values or lines
    for value in values:
        assert faults(content["schema"], value) == []
    for line in lines:
        told = json.loads(line.rpartition("data: ")[2])
        assert faults(items_of(content), told) == []


@pytest.mark.parametrize("shape", REQUESTS, ids=str)
def test_the_daemon_reads_every_example_of_a_request(shape: Any):
    """With the Struct that reads requests."""
    assert decode_json(msgspec.json.encode(REQUESTS[shape]), shape)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: type(sample).__name__)
def test_a_problem_has_no_member_that_its_schema_does_not_know(sample: EngardeError):
    """An error that gets another attribute has to declare it."""
    refusal = refusal_of(type(sample))
    known = {field.name for field in msgspec.structs.fields(refusal.shape)}

    assert refusal.problem.document().keys() == known


@pytest.mark.parametrize("handler", list(handlers()), ids=lambda one: str(one.operation_id))
def test_a_handler_reads_what_its_contract_says(handler: HTTPRouteHandler):
    """No Struct is read that the document does not name, and none is named that is not read."""
    contract = contract_in(handler.opt)
    named = {shape for shape in (contract.query, contract.body) if shape is not None}
    names, known = handler.fn.__code__.co_names, handler.fn.__globals__
    used = {known[name] for name in names if _reads(known.get(name))}

    if handler.operation_id not in ELSEWHERE:
        assert used == named


def _reads(thing: Any) -> bool:
    is_struct = isinstance(thing, type) and issubclass(thing, msgspec.Struct)
    return is_struct and thing.__struct_config__.forbid_unknown_fields


class Wish(msgspec.Struct):
    """Something that nobody wrote an example of."""


class Silent(Controller):
    """Says nothing of its answer."""

    path = "/api/silent"
    tags = ("silent",)

    @get(operation_id="beSilent")
    async def page(self) -> Response[bytes]:
        """Nothing."""
        return Response(b"")


class Bare(Controller):
    """Names a body without an example."""

    path = "/api/bare"
    tags = ("bare",)

    @post(operation_id="beBare", opt=promise(body=Wish, answers={200: Answer()}))
    async def page(self) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    ("controller", "said"), [(Silent, "contract of beSilent"), (Bare, "add an example")]
)
def test_a_route_that_says_too_little_is_named(controller: type[Controller], said: str):
    """The document is never made without it."""
    with pytest.raises(LookupError, match=said):
        describe([controller], version="1")
