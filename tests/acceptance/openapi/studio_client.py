"""A client that knows nothing of the API but its document.

It finds operations by their ids, refuses to send what the document does not allow, and believes no
answer that the document does not tell of: status, media type, headers and body are all checked.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

import httpx
import jsonschema_rs
import msgspec


class Undocumented(AssertionError):
    """The document does not allow this request, or does not tell of this answer."""


class Told(msgspec.Struct, frozen=True):
    """A checked answer."""

    status: int
    headers: Mapping[str, str]
    body: Any


class Operation(msgspec.Struct, frozen=True):
    """One operation as the document tells it."""

    method: str
    path: str
    told: dict[str, Any]


class StudioClient:
    """Content Studio's way to the daemon."""

    def __init__(self, http: httpx.AsyncClient, document: dict[str, Any]) -> None:
        self._http = http
        self._document = document
        self._operations = {
            told["operationId"]: Operation(method.upper(), path, told)
            for path, methods in document["paths"].items()
            for method, told in methods.items()
        }

    @classmethod
    async def meet(cls, http: httpx.AsyncClient) -> Self:
        """Read the document of a daemon."""
        answer = await http.get("/schema/openapi.json")
        return cls(http, answer.raise_for_status().json())

    async def call(
        self, name: str, parameters: Mapping[str, Any] | None = None, *, body: Any = None
    ) -> Told:
        """Call an operation and check its answer.

        Raises:
            Undocumented: Request or answer are not what the document says.
        """
        request = self._request(name, parameters or {}, body)
        answer = await self._http.send(request)
        return self._checked(self._operations[name], answer)

    async def lines(self, name: str, parameters: Mapping[str, Any] | None = None) -> list[Any]:
        """The lines of JSON that an operation answers with.

        Raises:
            Undocumented: One of them is not what the document says.
        """
        answer = await self._http.send(self._request(name, parameters or {}, None))
        content = self._content(self._operations[name], answer)
        lines = [json.loads(line) for line in answer.text.splitlines()]
        for line in lines:
            self._insist(content["itemSchema"], line, f"a line of {name}")
        return lines

    @asynccontextmanager
    async def follow(
        self, name: str, parameters: Mapping[str, Any] | None = None
    ) -> AsyncIterator[AsyncIterator[Any]]:
        """The events that an operation streams, each checked.

        Raises:
            Undocumented: The stream or one of them is not what the document says.
        """
        request = self._request(name, parameters or {}, None)
        answer = await self._http.send(request, stream=True)
        try:
            content = self._content(self._operations[name], answer)
            schema = content["itemSchema"]["properties"]["data"]["contentSchema"]
            yield self._events(answer, schema)
        finally:
            await answer.aclose()

    async def _events(self, answer: httpx.Response, schema: Any) -> AsyncIterator[Any]:
        async for line in answer.aiter_lines():
            field, _, value = line.partition(": ")
            if field == "data":
                event = json.loads(value)
                self._insist(schema, event, "an event")
                yield event

    def _request(self, name: str, parameters: Mapping[str, Any], body: Any) -> httpx.Request:
        operation = self._operations[name]
        told = {one["name"]: one for one in operation.told.get("parameters", ())}
        path, places = operation.path, {"query": dict[str, Any](), "header": dict[str, Any]()}
        for parameter, value in parameters.items():
            if parameter not in told:
                raise Undocumented(f"{name} has no parameter {parameter}")
            self._insist(told[parameter]["schema"], value, f"{parameter} of {name}")
            if told[parameter]["in"] == "path":
                path = path.replace(f"{{{parameter}}}", str(value))
            else:
                places[told[parameter]["in"]][parameter] = value
        content, headers = self._body(operation, body)
        headers |= places["header"]
        return self._http.build_request(
            operation.method, path, params=places["query"], content=content, headers=headers
        )

    def _body(self, operation: Operation, body: Any) -> tuple[bytes | None, dict[str, str]]:
        taken = operation.told.get("requestBody")
        if taken is None:
            return None, {}
        ((media_type, content),) = taken["content"].items()
        if "itemSchema" in content:
            for line in body:
                self._insist(content["itemSchema"], line, "a line that is sent")
            raw = b"".join(msgspec.json.encode(line) + b"\n" for line in body)
        else:
            self._insist(content["schema"], body, "a body that is sent")
            raw = json.dumps(body).encode()
        return raw, {"Content-Type": media_type}

    def _checked(self, operation: Operation, answer: httpx.Response) -> Told:
        content = self._content(operation, answer)
        body = None
        if content is not None:
            body = answer.json()
            self._insist(content["schema"], body, f"{answer.status_code} of {operation.path}")
        return Told(answer.status_code, answer.headers, body)

    def _content(self, operation: Operation, answer: httpx.Response) -> Any:
        """What the document says of the body of an answer, once the rest was found right."""
        known = operation.told["responses"].get(str(answer.status_code))
        if known is None:
            raise Undocumented(f"{operation.path} answered {answer.status_code}: {answer.text}")
        response = self._found(known)
        for name, header in response["headers"].items():
            if self._found(header).get("required") and name not in answer.headers:
                raise Undocumented(f"{operation.path} answered without {name}")
        if "content" not in response:
            return None
        media_type = answer.headers["content-type"].partition(";")[0]
        if media_type not in response["content"]:
            raise Undocumented(f"{operation.path} answered with {media_type}")
        return response["content"][media_type]

    def _found(self, part: Any) -> Any:
        if "$ref" not in part:
            return part
        found: Any = self._document
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        return found

    def _insist(self, schema: Any, value: Any, what: str) -> None:
        whole = {**schema, "components": self._document["components"]}
        for error in jsonschema_rs.validator_for(whole, validate_formats=True).iter_errors(value):
            raise Undocumented(f"{what}: {error.message}")
