"""How long the daemon believes what it was told of a key."""

import os

import asyncpg
import pytest

from engarde_daemon.adapters.postgres.keys import PostgresKeyDirectory
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.api.access import TRUST_S, Keyring
from engarde_daemon.domain.access import ApiKey, draw_key
from engarde_daemon.domain.errors import Unauthenticated
from tests.support.database import (
    Tenant,
    dsn_as,
    migrated_template,
    postgres_server,
    sessions,
    superuser,
    tenant,
)

__all__ = ["dsn_as", "migrated_template", "postgres_server", "sessions", "superuser", "tenant"]

_ADD = """
    insert into engarde.api_keys (id, tenant_id, brand_id, user_id, role, secret_sha256)
    values ($1, $2, $3, $4, 'editor', $5)
"""


class Clock:
    """A clock that stands still until it is turned."""

    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    """The keyring's clock."""
    return Clock()


@pytest.fixture
def keyring(sessions: Sessions, clock: Clock) -> Keyring:
    """A keyring on the real directory."""
    return Keyring(PostgresKeyDirectory(sessions.readers), clock)


@pytest.fixture
def key() -> ApiKey:
    """A key that nobody knows yet."""
    return draw_key(os.urandom)


async def add(superuser: asyncpg.Connection, tenant: Tenant, key: ApiKey) -> None:
    """Make a key known."""
    await superuser.execute(_ADD, key.id, tenant.id, tenant.brand_id, tenant.user_id, key.digest)


async def revoke(superuser: asyncpg.Connection, key: ApiKey) -> None:
    """End a key."""
    await superuser.execute("update engarde.api_keys set revoked_at = now() where id = $1", key.id)


async def test_a_revoked_key_is_refused_after_its_time(
    keyring: Keyring, clock: Clock, superuser: asyncpg.Connection, tenant: Tenant, key: ApiKey
):
    """And not later, however often it was used meanwhile."""
    await add(superuser, tenant, key)
    await keyring.prove(key.text)
    await revoke(superuser, key)
    clock.now_s += TRUST_S * 0.99
    assert (await keyring.prove(key.text)).tenant_id == tenant.id

    clock.now_s += TRUST_S * 0.02
    with pytest.raises(Unauthenticated):
        await keyring.prove(key.text)


async def test_a_key_that_was_guessed_too_early_works_in_time(
    keyring: Keyring, clock: Clock, superuser: asyncpg.Connection, tenant: Tenant, key: ApiKey
):
    """That it was unknown is believed no longer than that it was known."""
    with pytest.raises(Unauthenticated):
        await keyring.prove(key.text)
    await add(superuser, tenant, key)
    clock.now_s += TRUST_S

    assert (await keyring.prove(key.text)).user_id == tenant.user_id


async def test_a_wrong_secret_does_not_hide_the_right_one(
    keyring: Keyring, superuser: asyncpg.Connection, tenant: Tenant, key: ApiKey
):
    """Who guesses at a key does not lock its holder out."""
    await add(superuser, tenant, key)
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            await keyring.prove(ApiKey(key.id, draw_key(os.urandom).secret).text)

    assert (await keyring.prove(key.text)).key_id == key.id


async def test_a_remembered_key_still_needs_its_secret(
    keyring: Keyring, superuser: asyncpg.Connection, tenant: Tenant, key: ApiKey
):
    """What is remembered is the fingerprint, not that someone was let in."""
    await add(superuser, tenant, key)
    await keyring.prove(key.text)

    with pytest.raises(Unauthenticated):
        await keyring.prove(ApiKey(key.id, draw_key(os.urandom).secret).text)
