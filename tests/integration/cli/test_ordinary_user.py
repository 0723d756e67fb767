"""Commands on a server whose superuser is somebody else, as managed ones are."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from tests.integration.cli.conftest import Engarde, answer_of
from tests.support.patience import PATIENCE_S
from tests.support.postgres import enterable_directory


@pytest.fixture
async def dsn(anyio_backend: str) -> AsyncIterator[str]:
    """An empty database of a user who may create roles and nothing else.

    On a server of its own, because roles belong to all databases of a server.
    """
    with enterable_directory() as directory:
        async with EmbeddedPostgres(directory / "postgres", ephemeral=True) as server:
            superuser = await asyncpg.connect(server.dsn(), timeout=PATIENCE_S)
            await superuser.execute("create role platform login createrole")
            await superuser.execute("create database platform owner platform")
            await superuser.close(timeout=PATIENCE_S)
            yield server.dsn(user="platform", database="platform")


def test_before_the_schema_is_there_commands_say_how_to_get_it(run: Engarde):
    """The role that commands act as does not exist yet either."""
    ended = run("tenants", "list", "--json")

    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "run `engarde migrate schema` first" in ended.stderr


def test_the_owner_of_a_database_needs_no_superuser(run: Engarde):
    """Migrating, making tenants and keys, and doctor all work with the rights of one database."""
    assert answer_of(run("migrate", "schema", "--json"))["applied"]
    tenant = answer_of(run("tenants", "create", "--name", "Acme", "--json"))
    key = ("keys", "create", "--tenant", tenant["tenant_id"], "--role", "admin", "--json")
    assert answer_of(run(*key))["api_key"].startswith("eg_")
    assert answer_of(run("doctor", "--json"))["ok"] is True
