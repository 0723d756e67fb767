"""A parameter that a route does not know is refused by name: it may be one that was mistyped."""

from collections.abc import AsyncIterator

import httpx
import pytest

from engarde_daemon.api.app import CONTROLLERS
from engarde_daemon.api.openapi.examples import placed
from engarde_daemon.api.openapi.routes import Route, routes_of
from tests.acceptance.content import fields_of
from tests.support.daemon import SharedDaemon

ROUTES = {route.operation_id: route for route in routes_of(CONTROLLERS)}
OURS = {name: route for name, route in ROUTES.items() if route.needs_caller}
OTHERS = [route for route in ROUTES.values() if not route.needs_caller]
MISTYPED = {"partail": "true"}
TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture(scope="module")
async def operator(shared_daemon: SharedDaemon) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who may ask for everything."""
    key = shared_daemon.new_key(shared_daemon.new_tenant(), "operator")
    async with shared_daemon.caller(key.api_key) as http:
        yield http


@pytest.mark.parametrize("route", OURS.values(), ids=OURS)
async def test_every_route_names_what_it_does_not_know(operator: httpx.AsyncClient, route: Route):
    """Whether it takes a query or not, before it does anything."""
    path = route.path.format(**{name: placed(name) for name in route.parameters})
    answer = await operator.request(route.method, path, params=MISTYPED, headers=TUS)

    assert answer.status_code == 422
    if route.method != "head":
        assert "partail" in fields_of(answer)


async def test_all_unknown_parameters_are_named(operator: httpx.AsyncClient):
    """However often they come, and with or without a value."""
    answer = await operator.get("/api/content/quota?a=1&b&a=2&%ff=3")

    assert fields_of(answer) == {"a", "b", "?"}


@pytest.mark.parametrize("query", ["", "?", "?&"])
async def test_a_query_of_nothing_is_none(operator: httpx.AsyncClient, query: str):
    """As clients leave it who put their parameters together."""
    assert (await operator.get(f"/api/content/quota{query}")).status_code == 200


@pytest.mark.parametrize("route", OTHERS, ids=lambda route: route.operation_id)
async def test_probes_may_say_what_they_like(daemon: SharedDaemon, route: Route):
    """Some add the moment, so that no cache answers."""
    async with daemon.caller(None) as anybody:
        answer = await anybody.get(route.path, params={"_": "1764000000"})

    assert answer.status_code == 200


async def test_asking_for_the_methods_needs_no_right_query(operator: httpx.AsyncClient):
    """A browser asks before a request with the query of that request."""
    answer = await operator.options("/api/content/quota", params={"a": "1"})

    assert answer.status_code == 204
