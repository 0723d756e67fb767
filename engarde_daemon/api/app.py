"""The HTTP application, put together from what the composition root gives it."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from litestar import Controller, Litestar
from litestar.config.app import AppConfig
from litestar.di import Provide
from litestar.types import ASGIApp

from actors.ledger.messages import LedgerMessage
from engarde_daemon.api.access import Authenticate
from engarde_daemon.api.admin.actors import ActorsController, Steering
from engarde_daemon.api.admin.jobs import JobsController, JobSteering
from engarde_daemon.api.admin.log import LogController
from engarde_daemon.api.admin.overview import OverviewController, OverviewDesk
from engarde_daemon.api.admin.tenants import TenantsController
from engarde_daemon.api.analytics.controller import AnalyticsController
from engarde_daemon.api.analytics.desk import AnalyticsDesk
from engarde_daemon.api.audit.controller import AuditController
from engarde_daemon.api.brands.controller import BrandDesk, BrandsController
from engarde_daemon.api.bulk.controller import BulkController
from engarde_daemon.api.bulk.desk import BulkDesk
from engarde_daemon.api.campaigns.controller import CampaignSpacesController, SpaceDesk
from engarde_daemon.api.content.controller import ContentController
from engarde_daemon.api.content.desk import ContentDesk
from engarde_daemon.api.content.history import HistoryController, HistoryDesk
from engarde_daemon.api.content.trash import TrashController, TrashDesk
from engarde_daemon.api.contract import hold_to_contract
from engarde_daemon.api.events.controller import EventsController, Listening
from engarde_daemon.api.events.measures import NewsState
from engarde_daemon.api.fence import Fence
from engarde_daemon.api.front import Front
from engarde_daemon.api.generation.controller import (
    CredentialsController,
    GenerateController,
    GenerationJobsController,
)
from engarde_daemon.api.generation.credentials import CredentialDesk
from engarde_daemon.api.generation.desk import JobDesk
from engarde_daemon.api.generation.following import Following
from engarde_daemon.api.imports.controller import CampaignImportController, ImportJobsController
from engarde_daemon.api.imports.desk import ImportDesk
from engarde_daemon.api.keys.controller import KeysController
from engarde_daemon.api.keys.desk import KeyDesk
from engarde_daemon.api.measures import Measures
from engarde_daemon.api.media.controller import MediaController
from engarde_daemon.api.media.desk import MediaDesk
from engarde_daemon.api.media.resuming import ResumingDesk
from engarde_daemon.api.media.uploads import UploadsController
from engarde_daemon.api.openapi.controller import Description, DescriptionController
from engarde_daemon.api.openapi.document import describe
from engarde_daemon.api.operations.controller import OperationsController
from engarde_daemon.api.operations.measures import Condition, ProcessState
from engarde_daemon.api.options import TruthfulOptions
from engarde_daemon.api.origins import Origins
from engarde_daemon.api.problems import render
from engarde_daemon.api.quota.controller import QuotaController
from engarde_daemon.api.rates import Rates
from engarde_daemon.api.recovery.controller import RecoveryController, RecoveryDesk
from engarde_daemon.api.recovery.measures import StoreState
from engarde_daemon.api.traffic import Traffic
from engarde_daemon.api.trail import Trail
from engarde_daemon.api.transfer.controller import TransferController, TransferDesk
from engarde_daemon.api.webhooks.controller import WebhooksController
from engarde_daemon.api.webhooks.desk import WebhookDesk
from engarde_daemon.core import Address, HealthReport
from engarde_daemon.domain.plans import Plan
from engarde_daemon.domain.vitals import NewsVitals, PoolVitals, Vitals
from engarde_daemon.ports.content import ContentLibrary
from engarde_daemon.ports.register import RegisterReader
from engarde_daemon.ports.tenants import TenantOffice
from engarde_daemon.recent_log import RecentLog

CONTROLLERS: tuple[type[Controller], ...] = (
    ContentController,
    BulkController,
    TransferController,
    TrashController,
    HistoryController,
    QuotaController,
    OperationsController,
    KeysController,
    BrandsController,
    CampaignSpacesController,
    AuditController,
    EventsController,
    WebhooksController,
    MediaController,
    UploadsController,
    AnalyticsController,
    ActorsController,
    TenantsController,
    OverviewController,
    JobsController,
    LogController,
    GenerateController,
    GenerationJobsController,
    CredentialsController,
    CampaignImportController,
    ImportJobsController,
    RecoveryController,
)
"""Everything that is served, and therefore described."""


class AccessServices(msgspec.Struct, frozen=True, kw_only=True):
    """What stands between a caller and the routes, and the routes of access themselves."""

    authenticate: Authenticate
    rates: Rates
    origins: Origins
    trail: Trail
    fence: Fence
    register: RegisterReader
    keys: KeyDesk
    brands: BrandDesk
    spaces: SpaceDesk


class TellingServices(msgspec.Struct, frozen=True, kw_only=True):
    """What the routes of events and webhooks need."""

    listening: Listening
    webhooks: WebhookDesk
    news: Callable[[], NewsVitals]


class GenerationServices(msgspec.Struct, frozen=True, kw_only=True):
    """What the routes of generation need."""

    jobs: JobDesk
    credentials: CredentialDesk
    following: Following


class AdminServices(msgspec.Struct, frozen=True, kw_only=True):
    """What the routes of operators need."""

    steering: Steering
    tenants: TenantOffice
    overview: OverviewDesk
    jobs: JobSteering
    log: RecentLog
    traffic: Traffic
    ledger: Address[LedgerMessage]


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that routes need."""

    desk: ContentDesk
    bulk: BulkDesk
    transfer: TransferDesk
    trash: TrashDesk
    history: HistoryDesk
    media: MediaDesk
    resuming: ResumingDesk
    analytics: AnalyticsDesk
    library: ContentLibrary
    plans: Mapping[str, Plan]
    access: AccessServices
    telling: TellingServices
    generation: GenerationServices
    imports: ImportDesk
    admin: AdminServices
    recovery: RecoveryDesk
    health: Callable[[], HealthReport]
    vitals: Callable[[], Vitals]
    pools: Callable[[], tuple[PoolVitals, ...]]
    loop_lag_s: Callable[[], float]
    clock: Callable[[], float]
    version: str
    max_body_bytes: int


def create_app(services: Services) -> ASGIApp:
    """The application that uvicorn serves."""
    measures = Measures(
        services.admin.traffic,
        services.health,
        services.vitals,
        NewsState(services.telling.news),
        StoreState(services.vitals),
        ProcessState(
            Condition(
                health=services.health,
                vitals=services.vitals,
                pools=services.pools,
                loop_lag_s=services.loop_lag_s,
                version=services.version,
            )
        ),
    )
    access = services.access
    app = Litestar(
        route_handlers=[*CONTROLLERS, DescriptionController],
        dependencies=_dependencies(services, measures),
        exception_handlers={Exception: render},
        before_request=hold_to_contract,
        cors_config=access.origins.config,
        opt={"fence": access.fence},
        request_max_body_size=services.max_body_bytes,
        openapi_config=None,
        logging_config=None,
        on_app_init=[_keep_quiet],
    )
    return Front(
        TruthfulOptions(app),
        authenticate=access.authenticate,
        rates=access.rates,
        origins=access.origins,
        trail=access.trail,
        measures=measures,
        vitals=services.vitals,
        clock=services.clock,
    )


def _dependencies(services: Services, measures: Measures) -> dict[str, Provide]:
    given: dict[str, Any] = {
        "desk": services.desk,
        "bulk": services.bulk,
        "transfer": services.transfer,
        "trash": services.trash,
        "history": services.history,
        "media_desk": services.media,
        "resuming_desk": services.resuming,
        "analytics_desk": services.analytics,
        "library": services.library,
        "plans": services.plans,
        "health": services.health,
        "vitals": services.vitals,
        "measures": measures,
        "description": Description(lambda: describe(CONTROLLERS, version=services.version)),
        "fence": services.access.fence,
        "register": services.access.register,
        "key_desk": services.access.keys,
        "brand_desk": services.access.brands,
        "space_desk": services.access.spaces,
        "steering": services.admin.steering,
        "tenant_office": services.admin.tenants,
        "overview_desk": services.admin.overview,
        "job_steering": services.admin.jobs,
        "recent_log": services.admin.log,
        "ledger": services.admin.ledger,
        "listening": services.telling.listening,
        "webhook_desk": services.telling.webhooks,
        "job_desk": services.generation.jobs,
        "credential_desk": services.generation.credentials,
        "following": services.generation.following,
        "import_desk": services.imports,
        "recovery_desk": services.recovery,
    }
    return {name: Provide(_giver(value), sync_to_thread=False) for name, value in given.items()}


def _giver(value: Any) -> Callable[[], Any]:
    return lambda: value


def _keep_quiet(config: AppConfig) -> AppConfig:
    """Leave logging to the front, which knows the request's id."""
    config.debug = False
    return config
