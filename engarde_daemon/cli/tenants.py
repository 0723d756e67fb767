"""`engarde tenants`: who may store how much."""

import rich_click as click

from engarde_daemon.cli.deferred import administer
from engarde_daemon.cli.options import Words, as_json, configured, examples
from engarde_daemon.cli.output import print_list, print_object
from engarde_daemon.config import Settings
from engarde_daemon.domain.errors import FieldError, Invalid
from engarde_daemon.domain.plans import FREE


@click.group()
def tenants() -> None:
    """Create tenants, list them, and choose their plans."""


@tenants.command(
    epilog=examples(
        'engarde tenants create --name "Acme"',
        'engarde tenants create --name "Acme" --plan starter --json',
    )
)
@click.option("--name", metavar="NAME", type=Words(255), required=True, help="What it is called.")
@click.option(
    "--plan", metavar="PLAN", default=FREE, show_default=True, help="A plan of engarde.toml."
)
@as_json
@configured
def create(settings: Settings, name: str, plan: str, *, as_json: bool) -> None:
    """Create a tenant with its first brand and user."""
    _require_plan(settings, plan)
    made = administer(settings, lambda operator: operator.create_tenant(name, plan))
    print_object(made, as_json=as_json)


@tenants.command("list", epilog=examples("engarde tenants list", "engarde tenants list --json"))
@as_json
@configured
def list_(settings: Settings, *, as_json: bool) -> None:
    """List all tenants with their plan, items and bytes."""
    found = administer(settings, lambda operator: operator.list_tenants())
    print_list("tenants", found, as_json=as_json)


@tenants.command(
    "set-plan",
    epilog=examples("engarde tenants set-plan $TENANT business"),
)
@click.argument("tenant_id", metavar="TENANT", type=Words(36))
@click.argument("plan", metavar="PLAN")
@as_json
@configured
def set_plan(settings: Settings, tenant_id: str, plan: str, *, as_json: bool) -> None:
    """Put a tenant on another plan.

    What it stores already stays, even where the new plan allows less: only new writes are refused.
    """
    _require_plan(settings, plan)
    administer(settings, lambda operator: operator.set_plan(tenant_id, plan))
    print_object({"tenant_id": tenant_id, "plan": plan}, as_json=as_json)


def _require_plan(settings: Settings, plan: str) -> None:
    if plan not in settings.plans:
        wrong = f"there is no plan {plan[:60]!r}, only {', '.join(settings.plans)}"
        raise Invalid([FieldError("plan", wrong)])
