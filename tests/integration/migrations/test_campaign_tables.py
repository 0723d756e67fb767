"""Campaign tables: the platform's own where it has them, made where it has not."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

import sql as statements_of_ours
from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.adapters.postgres.migrations import migrate
from engarde_daemon.adapters.postgres.register import PostgresRegister, PostgresRegisterReader
from engarde_daemon.adapters.postgres.sessions import SessionLimits, Sessions
from engarde_daemon.domain.errors import Rejected
from engarde_daemon.ports.register import NewSpace, SpaceKey
from tests.integration.migrations.platform import ACME, BRAND, USER, Platform, platform_database

NEWEST_WITHOUT = "0011"
_TYPES = """
    create type adplatform as enum ('google_ads', 'meta');
    create type campaignimportsource as enum ('manual_upload', 'platform_api');
"""
# The columns a platform must have, with zones where ours has none, and one that only it knows.
_SPACES = """
    create table campaign_spaces (id varchar(36) primary key,
        tenant_id varchar(36) not null references tenants on delete cascade,
        brand_id varchar(36) references brands on delete cascade,
        user_id varchar(36) not null references users on delete cascade,
        campaign_name varchar(255) not null, platform adplatform not null,
        external_campaign_id varchar(255), import_source campaignimportsource not null,
        imported_at timestamptz not null, imported_by varchar(36), approved_by text,
        created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
        deleted_at timestamptz);
    insert into campaign_spaces (id, tenant_id, user_id, campaign_name, platform, import_source, imported_at,
        approved_by) values ('space-acme', 'tenant-acme', 'user-acme', 'Theirs', 'meta', 'platform_api', now(), 'boss');
"""


@pytest.fixture
async def platform(postgres_server: EmbeddedPostgres) -> AsyncIterator[Platform]:
    """A database that no daemon has seen."""
    async with platform_database(postgres_server) as platform:
        yield platform


async def as_owner(platform: Platform, statements: str) -> None:
    """What the platform does in its own database."""
    async with platform.session() as link:
        await link.execute(f"set role {platform.owner}; {statements} reset role")


async def tables_of(platform: Platform) -> set[str]:
    """The tables of the platform's schema."""
    async with platform.session() as link:
        rows = await link.fetch("select tablename from pg_tables where schemaname = 'public'")
    return {row["tablename"] for row in rows}


def space(**fields: Any) -> NewSpace:
    """A space of Acme's."""
    given = {
        "id": "space-new",
        "tenant_id": ACME,
        "brand_id": BRAND,
        "user_id": USER,
        "campaign_name": "Ours",
        "platform": "meta",
        "external_campaign_id": None,
        **fields,
    }
    return NewSpace(**given)


async def test_types_of_the_platform_stay_as_they_are(platform: Platform):
    """Tables that are missing are made with them."""
    await as_owner(platform, _TYPES)

    done = await migrate(platform.dsn)

    assert {"campaign_spaces", "campaign_assets"} <= set(done.created)
    async with platform.session() as link:
        labels = await link.fetchval("select enum_range(null::adplatform)::text")
    assert labels == "{google_ads,meta}"


async def test_a_table_of_the_platform_is_used_as_it_is(platform: Platform):
    """Rows are read and added whatever zone its times have; what it does not know is refused."""
    await as_owner(platform, _TYPES + _SPACES)
    done = await migrate(platform.dsn)
    assert "campaign_spaces" not in done.created

    def dsn_as(role: str) -> str:
        return platform.server.dsn(user=role, database=platform.database)

    async with Sessions(dsn_as, SessionLimits()) as sessions:
        register = PostgresRegister(sessions.writers)
        reader = PostgresRegisterReader(sessions.readers)
        made, is_new = await register.add_space(space())
        listed = await reader.campaign_spaces(
            ACME, brand_ids=None, platform=None, after=None, size=9
        )
        theirs = await reader.campaign_space(SpaceKey(ACME, "space-acme"))
        with pytest.raises(Rejected, match="platform"):
            await register.add_space(space(id="other", platform="tiktok"))
        with pytest.raises(Rejected, match="campaign_spaces"):
            await register.add_space(space(id="other", user_id="nobody"))

    assert is_new
    assert made in listed
    assert theirs is not None
    assert theirs.created_at.utcoffset() is not None
    async with platform.session(platform.owner) as link:
        assert await link.fetchval(
            "select approved_by from campaign_spaces where id = 'space-acme'"
        )


async def test_a_database_of_an_older_release_gets_what_is_missing(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
):
    """Tables that came with a later release are made when that one migrates."""
    listing = statements_of_ours.listing

    def as_it_was(folder: str) -> list[str]:
        names = listing(folder)
        if folder == "platform":
            return [name for name in names if "campaign" not in name]
        return [name for name in names if name < NEWEST_WITHOUT]

    with monkeypatch.context() as older:
        older.setattr(statements_of_ours, "listing", as_it_was)
        await migrate(platform.dsn)
        assert "campaign_spaces" not in await tables_of(platform)

    done = await migrate(platform.dsn)

    assert done.created == ["campaign_spaces", "campaign_assets"]
    assert (await migrate(platform.dsn)).applied == []


async def test_the_platform_still_sees_its_campaigns(platform: Platform):
    """Those who could read the table before the daemon came still can."""
    await as_owner(
        platform, f"{_TYPES} {_SPACES} grant select on campaign_spaces to {platform.app};"
    )
    await migrate(platform.dsn)

    for role in (platform.owner, platform.app):
        async with platform.session(role) as link:
            assert await link.fetchval("select count(*) from campaign_spaces") == 1
    async with platform.session(platform.reporter) as link:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await link.fetchval("select count(*) from campaign_spaces")
