"""What may be asked of the foreman. Whether the asker may, was found out at the edge."""

from decimal import Decimal
from typing import TypeAlias

from engarde_daemon.core import Request
from engarde_daemon.ports.generation import JobDraft, JobKey, Made
from engarde_daemon.ports.models import Secret
from engarde_daemon.ports.platforms import PlatformSecret


class StartJob(Request[Made], frozen=True):
    """Make a job; the same draft twice makes one."""

    draft: JobDraft


class CancelJob(Request[None], frozen=True):
    """Call nothing more for a job."""

    key: JobKey


class ApproveJob(Request[None], frozen=True):
    """Go on with a job after its preview."""

    key: JobKey


class RetryJob(Request[None], frozen=True):
    """Try the failed items of a job again, perhaps under a higher cost limit."""

    key: JobKey
    max_cost_usd: Decimal | None = None


class PutCredential(Request[None], frozen=True, kw_only=True):
    """Keep a tenant's key for a provider."""

    tenant_id: str
    provider: str
    secret: Secret | PlatformSecret
    by: str


class RemoveCredential(Request[None], frozen=True, kw_only=True):
    """Forget a tenant's key for a provider."""

    tenant_id: str
    provider: str


ForemanMessage: TypeAlias = (
    StartJob | CancelJob | ApproveJob | RetryJob | PutCredential | RemoveCredential
)
