"""What may be said to the ledger.

A caller names its reservation, so that asking twice is the same as asking once.
"""

from datetime import date
from typing import TypeAlias

from engarde_daemon.core import Message, Request
from engarde_daemon.ports.ledger import Drift, Entry, Resource, Verdict


class Reserve(Request[Verdict], frozen=True, kw_only=True):
    """Promise room of a tenant's plan for `ttl_s` seconds."""

    id: str
    tenant_id: str
    resource: Resource
    amount: int
    ttl_s: float
    period: date | None = None

    def entry(self) -> Entry:
        """How the book writes it down."""
        return Entry(
            verb="reserve",
            id=self.id,
            tenant_id=self.tenant_id,
            resource=self.resource,
            period=self.period,
            amount=self.amount,
            ttl_s=self.ttl_s,
        )


class Settle(Request[Verdict], frozen=True, kw_only=True):
    """Say how much of a promise was used; the rest is free again."""

    id: str
    tenant_id: str
    resource: Resource
    actual: int
    period: date | None = None

    def entry(self) -> Entry:
        """How the book writes it down."""
        return Entry(
            verb="settle",
            id=self.id,
            tenant_id=self.tenant_id,
            resource=self.resource,
            period=self.period,
            amount=self.actual,
        )


class Release(Request[Verdict], frozen=True, kw_only=True):
    """Give a promise back unused."""

    id: str
    tenant_id: str
    resource: Resource
    period: date | None = None

    def entry(self) -> Entry:
        """How the book writes it down."""
        return Entry(
            verb="release",
            id=self.id,
            tenant_id=self.tenant_id,
            resource=self.resource,
            period=self.period,
            amount=0,
        )


class Reconcile(Request[list[Drift]], frozen=True):
    """Make a tenant's figures what they count, and say which were wrong."""

    tenant_id: str


class ExpireDue(Message, frozen=True):
    """Give back what nobody settled in time."""


class CheckBooks(Message, frozen=True):
    """Prove the next few tenants' figures."""


LedgerMessage: TypeAlias = Reserve | Settle | Release | Reconcile | ExpireDue | CheckBooks
