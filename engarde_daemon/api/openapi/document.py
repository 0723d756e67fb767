"""The OpenAPI 3.2 document (https://spec.openapis.org/oas/v3.2.0.html), made from the routes.

3.2, because it is the first version that can say what the items of a stream are.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from litestar import Controller

from engarde_daemon.api.content.schemas import Id
from engarde_daemon.api.contract import RETRY_AFTER, Header
from engarde_daemon.api.openapi.bodies import body_of, content_of
from engarde_daemon.api.openapi.examples import placed
from engarde_daemon.api.openapi.refusals import refusals_of, response_of
from engarde_daemon.api.openapi.routes import Route, routes_of
from engarde_daemon.api.openapi.shapes import Schema, Shapes, without_null

_EVERYWHERE = (
    Header(
        name="X-Request-ID",
        says="Under which the daemon's log tells of this request; yours, if you send one.",
        example="4e0e5f8ab57e0f0a",
    ),
    Header(name="RateLimit", says="What is left of the rates.", example='"principal";r=119;t=1'),
    Header(name="RateLimit-Policy", says="The rates.", example='"principal";q=120;w=60'),
)
_REFUSED = (
    RETRY_AFTER,
    Header(name="WWW-Authenticate", says="How to prove who calls.", example="Bearer"),
)
_SECURITY = {
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "An API key, `eg_…`.",
    },
    "bearerToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of the platform, or an API key.",
    },
}
_CONVENTIONS = (
    "Every refusal is a problem document (RFC 9457) that names all faults of a request at once, "
    "query parameters that the route does not know among them. "
    "What belongs to another tenant answers like what does not exist. Moments are RFC 3339 with an "
    "offset. No text may hold a NUL character."
)
_PATH_SHAPES = {"str": Id, "int": int}


def describe(controllers: Sequence[type[Controller]], *, version: str) -> Schema:
    """The document of these controllers.

    Raises:
        LookupError: A route does not say enough of itself; the text says what is missing.
    """
    return _Description().of(controllers, version)


class _Description:
    """A document in the making."""

    def __init__(self) -> None:
        self._shapes = Shapes()
        self._responses: dict[str, Schema] = {}

    def of(self, controllers: Sequence[type[Controller]], version: str) -> Schema:
        paths: dict[str, Schema] = {}
        for route in routes_of(controllers):
            paths.setdefault(route.path, {})[route.method] = self._operation(route)
        headers = {header.name: self._header(header) for header in (*_EVERYWHERE, *_REFUSED)}
        return {
            "openapi": "3.2.0",
            "info": {
                "title": "En Garde content daemon",
                "version": version,
                "description": _CONVENTIONS,
            },
            "servers": [{"url": "/"}],
            "security": [{"apiKey": []}, {"bearerToken": []}],
            "tags": list(_tags(controllers)),
            "paths": dict(sorted(paths.items())),
            "components": {
                "schemas": dict(sorted(self._shapes.components.items())),
                "responses": dict(sorted(self._responses.items())),
                "headers": headers,
                "securitySchemes": _SECURITY,
            },
        }

    def _operation(self, route: Route) -> Schema:
        summary, _, rest = route.doc.partition("\n")
        told: Schema = {
            "operationId": route.operation_id,
            "tags": [route.tag],
            "summary": summary.rstrip("."),
            "description": "\n\n".join(filter(None, [rest.strip(), _role_of(route)])),
            "parameters": list(self._parameters(route)),
            "responses": self._responses_of(route),
        }
        if route.contract.takes_body:
            told["requestBody"] = body_of(route.contract, self._shapes)
        if not route.needs_caller:
            told["security"] = []
        return {name: value for name, value in told.items() if value or name == "security"}

    def _parameters(self, route: Route) -> Iterator[Schema]:
        for name, kind in route.parameters.items():
            schema = self._shapes.of(_PATH_SHAPES[kind])
            yield {
                "name": name,
                "in": "path",
                "required": True,
                "schema": schema,
                "example": placed(name),
            }
        query = route.contract.query
        for name, schema in (self._shapes.fields(query) if query else {}).items():
            yield {"name": name, "in": "query", "schema": without_null(schema)}
        for header in route.contract.headers:
            yield {"name": header.name, "in": "header", **self._header(header)}

    def _responses_of(self, route: Route) -> Schema:
        told: Schema = {}
        common = _references(_EVERYWHERE if route.needs_caller else _EVERYWHERE[:1])
        for status, answer in sorted(route.answers.items()):
            own = {header.name: self._header(header) for header in answer.headers}
            told[str(status)] = {"description": answer.says, "headers": {**common, **own}}
            if content := content_of(answer, self._shapes):
                told[str(status)]["content"] = content
        for status, refusals in refusals_of(route):
            name = "Or".join(refusal.name for refusal in refusals)
            self._responses[name] = response_of(refusals, self._shapes, _references(_EVERYWHERE))
            told.setdefault(str(status), {"$ref": f"#/components/responses/{name}"})
        return told

    def _header(self, header: Header) -> Schema:
        required = {"required": True} if header.always else {}
        schema = self._shapes.of(header.shape)
        return {
            "description": header.says,
            **required,
            "schema": schema,
            "example": header.example,
        }


def _references(headers: Sequence[Header]) -> Schema:
    return {header.name: {"$ref": f"#/components/headers/{header.name}"} for header in headers}


def _tags(controllers: Sequence[Any]) -> Iterator[Schema]:
    told: dict[str, str] = {}
    for controller in controllers:
        told.setdefault(controller.tags[0], controller.__doc__.partition("\n")[0])
    for name, description in told.items():
        yield {"name": name, "description": description}


def _role_of(route: Route) -> str:
    if route.role is None:
        return "" if not route.needs_caller else "Needs a key or token."
    where = " in every brand of the tenant" if route.whole_tenant else " or higher"
    return f"Needs the role `{route.role.value}`{where}."
