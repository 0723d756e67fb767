"""`engarde keys`: who may call the API."""

from typing import TYPE_CHECKING

import msgspec
import rich_click as click

from engarde_daemon.cli.deferred import administer
from engarde_daemon.cli.options import Words, as_json, configured, examples
from engarde_daemon.cli.output import note, print_list, print_object
from engarde_daemon.config import Settings
from engarde_daemon.domain.access import ApiKey, Role

if TYPE_CHECKING:
    from engarde_daemon.adapters.postgres.administration import Administration

_ID = Words(36)
_ROLES = click.Choice([role.value for role in Role])


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it is shown once, to the person who creates it."""

    key_id: str
    api_key: str


@click.group()
def keys() -> None:
    """Create, list and revoke the API keys of tenants."""


@keys.command(
    epilog=examples(
        "engarde keys create --tenant $TENANT --role editor",
        "engarde keys create --tenant $TENANT --role viewer --json",
        "engarde keys create --tenant $TENANT --role operator --read-only",
    )
)
@click.option(
    "--tenant", "tenant_id", metavar="TENANT", type=_ID, required=True, help="Whose data it opens."
)
@click.option(
    "--role", metavar="ROLE", type=_ROLES, required=True, help=f"One of {', '.join(Role)}."
)
@click.option(
    "--brand", "brand_id", metavar="BRAND", type=_ID, help="The brand it works for by default."
)
@click.option("--user", "user_id", metavar="USER", type=_ID, help="The user it acts as.")
@click.option("--name", metavar="NAME", type=Words(100), default="", help="What it is for.")
@click.option("--read-only", is_flag=True, help="It may look, and change nothing.")
@as_json
@configured
def create(
    settings: Settings,
    *,
    tenant_id: str,
    role: str,
    brand_id: str | None,
    user_id: str | None,
    name: str,
    read_only: bool,
    as_json: bool,
) -> None:
    """Create a key and show it, this once.

    Without --brand and --user it is for the first ones of the tenant.
    """

    async def draw(operator: "Administration") -> ApiKey:
        holder = await operator.find_holder(tenant_id, brand_id=brand_id, user_id=user_id)
        return await operator.create_key(holder, Role(role), name, read_only=read_only)

    key = administer(settings, draw)
    print_object(NewKey(key_id=key.id, api_key=key.text), as_json=as_json)
    if not as_json:
        note("Keep the key now: only its fingerprint is stored, so it cannot be shown again.")


@keys.command("list", epilog=examples("engarde keys list", "engarde keys list --json"))
@click.option(
    "--tenant", "tenant_id", metavar="TENANT", type=_ID, help="Only the keys of this tenant."
)
@as_json
@configured
def list_(settings: Settings, tenant_id: str | None, *, as_json: bool) -> None:
    """List keys without their secrets, revoked ones too."""
    found = administer(settings, lambda operator: operator.list_keys(tenant_id))
    print_list("keys", found, as_json=as_json)


@keys.command(epilog=examples("engarde keys revoke k3v7qpl2mz4a"))
@click.argument("key_id", metavar="KEY_ID", type=_ID)
@as_json
@configured
def revoke(settings: Settings, key_id: str, *, as_json: bool) -> None:
    """Let a key open nothing any more, within seconds.

    KEY_ID is what stands between the two underscores of the key.
    """
    revoked = administer(settings, lambda operator: operator.revoke_key(key_id))
    print_object(revoked, as_json=as_json)
