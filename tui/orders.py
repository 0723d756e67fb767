"""What an operator can have done, as data: the request, and what is asked before it is sent.

Owns the rule of confirmation: what changes where content is read from or written to has to be typed,
what only disturbs is asked about once, and what can be taken back at once is not asked about.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import quote

import msgspec

RECOVERY_KINDS = frozenset({"restore", "verify", "migrate"})
Steer: TypeAlias = Callable[[str], "Order"]

_ADMIN = "/api/admin"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do; `effect` says what it will change, `typed` what must be typed for it."""

    title: str
    path: str
    method: str = "POST"
    body: Mapping[str, Any] | None = None
    effect: str = ""
    typed: str = ""
    done: str = "Done."

    @property
    def is_asked_about(self) -> bool:
        """Whether it is asked about before it is sent."""
        return bool(self.effect)


def pause(actor: str) -> Order:
    """Let an actor take no more messages."""
    return Order(
        title=f"Pause {actor}",
        path=f"{_ADMIN}/actors/{quote(actor, safe='')}/pause",
        effect=f"{actor} takes no more messages. What is sent to it waits, and is refused once its "
        "mailbox is full. It goes on when you resume it.",
        done=f"{actor} is paused.",
    )


def resume(actor: str) -> Order:
    """Let a paused actor go on."""
    return Order(
        title=f"Resume {actor}",
        path=f"{_ADMIN}/actors/{quote(actor, safe='')}/resume",
        done=f"{actor} goes on.",
    )


def restart(actor: str) -> Order:
    """Replace an actor by a new one."""
    return Order(
        title=f"Restart {actor}",
        path=f"{_ADMIN}/actors/{quote(actor, safe='')}/restart",
        effect=f"{actor} is replaced by a new one with the same mailbox. Who waits for an answer of "
        "the old one may get a 503 and try again.",
        done=f"{actor} is being restarted.",
    )


def change_plan(tenant_id: str, name: str, plan: str) -> Order:
    """Put a tenant on another plan."""
    return Order(
        title=f"Put {name} on {plan}",
        method="PUT",
        path=f"{_ADMIN}/tenants/{quote(tenant_id, safe='')}/plan",
        body={"plan": plan},
        effect=f"{name} gets the limits of the plan {plan}. What it stores stays, even where the new "
        "plan allows less: only new writes would be refused.",
        done=f"{name} is on {plan}.",
    )


def reconcile(tenant_id: str, name: str) -> Order:
    """Count what a tenant keeps, and mend its books."""
    return Order(
        title=f"Reconcile {name}",
        path=f"{_ADMIN}/quota/{quote(tenant_id, safe='')}/reconcile",
        done=f"The books of {name} were counted anew.",
    )


def fail_over() -> Order:
    """Take ZeroDB out of service."""
    return Order(
        title="Fail over from ZeroDB",
        path=f"{_ADMIN}/recovery/failover",
        effect="Every daemon stops asking ZeroDB. Reads come from staged bodies and the archive; "
        "writes go on and stay staged in PostgreSQL until you fail back. It holds through restarts.",
        typed="failover",
        done="ZeroDB is out of service.",
    )


def fail_back() -> Order:
    """Let ZeroDB back into service."""
    return Order(
        title="Fail back to ZeroDB",
        path=f"{_ADMIN}/recovery/failback",
        effect="ZeroDB is asked again once it answers: first it takes what waits for it, then drawn "
        "samples are compared, and only then it serves reads.",
        typed="failback",
        done="ZeroDB may come back.",
    )


def restore(tenant_id: str | None = None) -> Order:
    """Put right what is missing or damaged in ZeroDB."""
    whose = f"tenant {tenant_id}" if tenant_id else "all tenants"
    return Order(
        title="Restore content",
        path=f"{_ADMIN}/recovery/restore",
        body={"tenant_id": tenant_id} if tenant_id else {},
        effect=f"Every version of {whose} is looked up; what is missing or damaged in ZeroDB or the "
        "archive is made anew from the other stores. Reads and writes go on meanwhile.",
        typed="restore",
        done="The restore has begun.",
    )


def verify(tenant_id: str | None = None) -> Order:
    """Compare the stores and change nothing."""
    return Order(
        title="Verify content",
        path=f"{_ADMIN}/recovery/verify",
        body={"tenant_id": tenant_id} if tenant_id else {},
        effect="PostgreSQL, ZeroDB and the archive are compared, version by version. Nothing is "
        "changed; the stores are read once through.",
        done="The comparison has begun.",
    )


def migrate(*, back: bool = False) -> Order:
    """Move all bodies to the other ZeroDB, or back."""
    where = "back to the ZeroDB of before" if back else "to the ZeroDB named in [zerodb_next]"
    return Order(
        title="Migrate back" if back else "Migrate ZeroDB",
        path=f"{_ADMIN}/recovery/migrate",
        body={"back": back},
        effect=f"All bodies are copied {where}; every daemon then uses it. Nothing is cut over if "
        "something could not be copied.",
        typed="migrate",
        done="The migration has begun.",
    )


def cancel_job(kind: str, job_id: str) -> Order:
    """End a job of any kind and tenant."""
    is_recovery = kind in RECOVERY_KINDS
    return Order(
        title=f"Cancel {kind} job {job_id}",
        path=f"{_ADMIN}/jobs/{quote(job_id, safe='')}/cancel",
        effect="The job ends at the next page. What it has put right stays right."
        if is_recovery
        else "Nothing more is begun for this job. What it has made so far stays.",
        done="The job is being cancelled.",
    )


def retry_job(job_id: str) -> Order:
    """Repeat the failed pieces of a generation job."""
    return Order(
        title="Retry the failed pieces",
        path=f"{_ADMIN}/jobs/{quote(job_id, safe='')}/retry",
        effect="The failed pieces are generated again, at their usual price, which the tenant pays.",
        done="The failed pieces are on their way again.",
    )


def retry_queue(queue: str, title: str) -> Order:
    """Try again at once what was refused or put off."""
    return Order(
        title=f"Retry {title}",
        path=f"{_ADMIN}/queues/{quote(queue, safe='')}/retry",
        effect="What was parked or put off is tried again at once. Mend its cause first, or it will "
        "be parked again.",
        done="It is tried again.",
    )
