"""The HTTP application, put together from what the composition root gives it."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from litestar import Litestar
from litestar.config.app import AppConfig
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ASGIApp

from engarde_daemon.api.access import Authenticate
from engarde_daemon.api.content.controller import ContentController
from engarde_daemon.api.content.desk import ContentDesk
from engarde_daemon.api.content.trash import TrashController, TrashDesk
from engarde_daemon.api.front import Front
from engarde_daemon.api.measures import Measures
from engarde_daemon.api.operations.controller import OperationsController
from engarde_daemon.api.problems import render
from engarde_daemon.api.quota.controller import QuotaController
from engarde_daemon.core import HealthReport
from engarde_daemon.domain.plans import Plan
from engarde_daemon.domain.vitals import Vitals
from engarde_daemon.ports.content import ContentLibrary


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that routes need."""

    desk: ContentDesk
    trash: TrashDesk
    library: ContentLibrary
    plans: Mapping[str, Plan]
    authenticate: Authenticate
    health: Callable[[], HealthReport]
    vitals: Callable[[], Vitals]
    clock: Callable[[], float]
    version: str
    max_body_bytes: int


def create_app(services: Services) -> ASGIApp:
    """The application that uvicorn serves."""
    measures = Measures(services.health, services.vitals)
    app = Litestar(
        route_handlers=[ContentController, TrashController, QuotaController, OperationsController],
        dependencies=_dependencies(services, measures),
        exception_handlers={Exception: render},
        request_max_body_size=services.max_body_bytes,
        openapi_config=_openapi(services.version),
        logging_config=None,
        on_app_init=[_keep_quiet],
    )
    return Front(app, authenticate=services.authenticate, measures=measures, clock=services.clock)


def _dependencies(services: Services, measures: Measures) -> dict[str, Provide]:
    given: dict[str, Any] = {
        "desk": services.desk,
        "trash": services.trash,
        "library": services.library,
        "plans": services.plans,
        "health": services.health,
        "vitals": services.vitals,
        "measures": measures,
    }
    return {name: Provide(_giver(value), sync_to_thread=False) for name, value in given.items()}


def _giver(value: Any) -> Callable[[], Any]:
    return lambda: value


def _openapi(version: str) -> OpenAPIConfig:
    scheme = SecurityScheme(type="apiKey", name="X-API-Key", security_scheme_in="header")
    return OpenAPIConfig(
        title="En Garde content daemon",
        version=version,
        path="/schema",
        render_plugins=[JsonRenderPlugin(path=["/", "/openapi.json"])],
        components=Components(security_schemes={"apiKey": scheme}),
        security=[{"apiKey": []}],
    )


def _keep_quiet(config: AppConfig) -> AppConfig:
    """Leave logging to the front, which knows the request's id."""
    config.debug = False
    return config
