"""What the first start makes for its user: a tenant, keys, and a file that says where they lie.

Owns `credentials.json`: readable by its owner alone, and its `base_url` is true after every start.
"""

import secrets
import uuid
from pathlib import Path

import asyncpg
import msgspec
import structlog

from engarde_daemon.adapters.postgres.administration import Administration, Holder
from engarde_daemon.adapters.postgres.faults import translated
from engarde_daemon.adapters.private_files import replace_private
from engarde_daemon.config import Settings
from engarde_daemon.domain.access import Role
from sql import statements

_LOG = structlog.get_logger("engarde.daemon")
_SQL = statements("schema")


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a first client needs."""

    base_url: str
    tenant_id: str
    brand_id: str
    user_id: str
    api_key: str
    operator_key: str


async def ensure_credentials(dsn: str, settings: Settings) -> bool:
    """Make the first tenant where there is none; answers whether this was the first start.

    Raises:
        Unavailable: PostgreSQL does not answer.
        OSError: The file cannot be written.
    """
    file = settings.storage.credentials_file
    with translated():
        connection = await asyncpg.connect(dsn, timeout=settings.postgres.connect_timeout_s)
    try:
        async with connection.transaction():
            await connection.execute(_SQL["lock"])
            made = await _make(connection, settings)
            if made is not None:
                # Before the commit, and over what may lie there: a crash in between leaves keys
                # of a tenant that never came to be, and the next start makes another.
                _write(file, made)
    finally:
        connection.terminate()
    if made is None and file.exists():
        _refresh(file, settings)
    return made is not None


async def _make(connection: asyncpg.Connection, settings: Settings) -> Credentials | None:
    office = Administration(
        connection, new_id=lambda: str(uuid.uuid4()), randomness=secrets.token_bytes
    )
    if await office.has_tenants():
        return None
    tenant = await office.create_tenant("My first tenant", "professional")
    holder = Holder(tenant_id=tenant.tenant_id, brand_id=tenant.brand_id, user_id=tenant.user_id)
    api_key = await office.create_key(holder, Role.ADMIN, "first API key")
    operator_key = await office.create_key(holder, Role.OPERATOR, "first operator key")
    return Credentials(
        base_url=settings.server.base_url,
        tenant_id=tenant.tenant_id,
        brand_id=tenant.brand_id,
        user_id=tenant.user_id,
        api_key=api_key.text,
        operator_key=operator_key.text,
    )


def _refresh(file: Path, settings: Settings) -> None:
    try:
        kept = msgspec.json.decode(file.read_bytes(), type=Credentials)
    except msgspec.DecodeError:  # nothing but commands and people read it
        _LOG.warning("credentials.json is damaged; it was left as it is", file=str(file))
        return
    if kept.base_url != settings.server.base_url:
        _write(file, msgspec.structs.replace(kept, base_url=settings.server.base_url))


def _write(file: Path, credentials: Credentials) -> None:
    replace_private(file, msgspec.json.format(msgspec.json.encode(credentials)) + b"\n")


def welcome(settings: Settings, *, first: bool) -> str:
    """What a person reads once the daemon serves."""
    url = settings.server.base_url
    lines = [f"En Garde is ready at {url}"]
    file = settings.storage.credentials_file
    if file.exists():
        lines += [f"  credentials   {file}", f"  data          {settings.storage.path}"]
    if first:
        lines += [
            "",
            "This was the first start: a tenant, a brand and two keys were made. Try:",
            "",
            f'  KEY=$(python3 -c \'import json; print(json.load(open("{file}"))["api_key"])\')',
            f'  curl -s {url}/api/content -H "X-API-Key: $KEY" \\',
            '       --json \'{"title": "Hello", "body": "My first content"}\'',
            f'  curl -s {url}/api/content -H "X-API-Key: $KEY"',
            "",
            "Stop with Ctrl-C. Everything is still there when you start again.",
        ]
    return "\n".join(lines) + "\n"
