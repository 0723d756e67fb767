"""An En Garde database as the platform made it, before any daemon came.

Its tables are the platform's as its architecture page describes them, with a few columns that only
the platform knows, rows of all ages, and roles whose rights must stay what they are.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import msgspec

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from tests.support.patience import PATIENCE_S
from tests.support.postgres import fresh_database

ACME, BOND = "tenant-acme", "tenant-bond"
BRAND, USER = "brand-acme", "user-acme"
TABLES = ("tenants", "users", "brands", "brand_members", "content_items", "content_storage_usage")

_TABLES = """
    create table tenants (id varchar(36) primary key, name varchar(255), plan_tier varchar(50) not null,
        billing_email text, created_at timestamp not null default now());
    create table users (id varchar(36) primary key, tenant_id varchar(36) references tenants on delete cascade,
        email varchar(255), created_at timestamp not null default now());
    create table brands (id varchar(36) primary key,
        tenant_id varchar(36) not null references tenants on delete cascade,
        name varchar(255) not null, plan_tier varchar(50) default 'free',
        created_at timestamp not null default now());
    create table brand_members (id varchar(36) primary key default gen_random_uuid()::text,
        brand_id varchar(36) not null references brands, user_id varchar(36) not null references users,
        tenant_id varchar(36) not null references tenants, role varchar(20) not null,
        is_active boolean not null default true, unique (brand_id, user_id));
    create table content_items (id varchar(36) primary key,
        tenant_id varchar(36) not null references tenants on delete cascade,
        brand_id varchar(36) references brands, user_id varchar(36) references users,
        title varchar(255) not null, content_body text, content_type varchar(50) not null,
        status varchar(50) not null default 'draft', content_metadata json, approved_by varchar(36),
        created_at timestamp not null default now(), updated_at timestamp not null default now(),
        zerodb_id varchar(36), bigquery_backed_up boolean default false,
        bigquery_last_sync_at timestamp, storage_size_bytes integer default 0,
        version integer default 1, version_of varchar(36) references content_items on delete set null,
        deleted_at timestamp);
    create index idx_content_items_zerodb_id on content_items (zerodb_id);
    create index idx_content_items_deleted_at on content_items (deleted_at) where deleted_at is null;
    create table content_storage_usage (id varchar(36) primary key default gen_random_uuid()::text,
        tenant_id varchar(36) not null unique references tenants on delete cascade,
        brand_id varchar(36) references brands on delete set null,
        total_content_items int default 0, total_storage_bytes bigint default 0,
        total_media_files int default 0, total_media_storage_bytes bigint default 0,
        usage_by_type jsonb default '{}', last_calculated_at timestamp not null default now(),
        updated_at timestamp not null default now());
"""
_ROWS = """
    insert into tenants (id, name, plan_tier, billing_email) values
        ('tenant-acme', 'Acme', 'starter', 'pay@acme.example'), ('tenant-bond', 'Bond', 'free', null),
        ('tenant-idle', 'Idle', 'free', null);
    insert into users values ('user-acme', 'tenant-acme', 'a@acme.example'), ('user-bond', 'tenant-bond', null);
    insert into brands (id, tenant_id, name) values
        ('brand-acme', 'tenant-acme', 'Acme'), ('brand-bond', 'tenant-bond', 'Bond');
    insert into brand_members (brand_id, user_id, tenant_id, role)
        values ('brand-acme', 'user-acme', 'tenant-acme', 'owner');
    insert into content_items (id, tenant_id, brand_id, user_id, title, content_body, content_type, status,
        content_metadata, storage_size_bytes, version, deleted_at, approved_by) values
        ('cnt_plain', 'tenant-acme', 'brand-acme', 'user-acme', 'Plain', 'größe', 'post', 'draft',
            '{"tags": ["spring"], "platforms": ["instagram"]}', 0, 1, null, 'boss'),
        ('cnt_counted', 'tenant-acme', 'brand-acme', 'user-acme', 'Counted', 'hello', 'article', 'published',
            null, 5, 3, null, null),
        ('cnt_odd', 'tenant-acme', 'brand-acme', null, 'Odd', null, 'newsletter', 'in_review',
            '["not", "an object"]', null, 1, null, null),
        ('cnt_gone', 'tenant-acme', 'brand-acme', 'user-acme', 'Gone', 'gone', 'post', 'archived',
            null, 4, 2, now(), null),
        ('cnt_brandless', 'tenant-acme', null, 'user-acme', 'Brandless', 'none', 'post', 'draft',
            null, 4, 1, null, null),
        ('7e3c9f0a-1d52-4a0b-8f63-5b1c7d2e9a44', 'tenant-bond', 'brand-bond', 'user-bond', 'Theirs',
            'secret', 'post', 'draft', null, 6, 1, null, null);
    insert into content_storage_usage (tenant_id, total_content_items, total_storage_bytes,
        total_media_files, total_media_storage_bytes, usage_by_type)
        values ('tenant-acme', 77, 777, 2, 2000, '{"post": {"count": 77}}');
"""


class Platform(msgspec.Struct, frozen=True):
    """The database, and the roles that the platform's own programs use."""

    server: EmbeddedPostgres
    database: str
    owner: str
    app: str
    reporter: str
    analyst: str

    @property
    def dsn(self) -> str:
        """The address of the one who migrates."""
        return self.server.dsn(database=self.database)

    @asynccontextmanager
    async def session(self, role: str = "postgres") -> AsyncIterator[asyncpg.Connection]:
        """A connection of one of the platform's programs."""
        dsn = self.server.dsn(user=role, database=self.database)
        connection = await asyncpg.connect(dsn, timeout=PATIENCE_S, command_timeout=20)
        try:
            yield connection
        finally:
            connection.terminate()


@asynccontextmanager
async def platform_database(
    server: EmbeddedPostgres, *, secured: bool = False
) -> AsyncIterator[Platform]:
    """A database of the platform; `secured` says that it uses row level security itself."""
    mark = uuid.uuid4().hex[:8]
    roles = [f"{kind}_{mark}" for kind in ("owner", "app", "reporter", "analyst", "readers")]
    async with fresh_database(server) as name:
        platform = Platform(server, name, *roles[:4])
        async with platform.session() as sql:
            await _make(sql, platform, readers=roles[4], secured=secured)
        yield platform
    async with server_session(server) as sql:
        await sql.execute(f"drop role {', '.join(roles)}")


@asynccontextmanager
async def server_session(server: EmbeddedPostgres) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the server itself."""
    connection = await asyncpg.connect(server.dsn(), timeout=PATIENCE_S, command_timeout=20)
    try:
        yield connection
    finally:
        connection.terminate()


async def _make(
    sql: asyncpg.Connection, platform: Platform, *, readers: str, secured: bool
) -> None:
    for role in (platform.owner, platform.app, platform.reporter, platform.analyst):
        await sql.execute(f"create role {role} login")
    await sql.execute(f"create role {readers}; grant {readers} to {platform.analyst}")
    await sql.execute(f"grant all on schema public to {platform.owner}")
    await sql.execute(f"set role {platform.owner}; {_TABLES} {_ROWS} reset role")
    tables = ", ".join(TABLES)
    await sql.execute(f"grant select, insert, update, delete on {tables} to {platform.app}")
    await sql.execute(f"grant select (id, title) on content_items to {platform.reporter}")
    await sql.execute(f"grant select on content_items to {readers}")
    if secured:
        await sql.execute("alter table content_items enable row level security")
        await sql.execute(
            f"create policy by_platform on content_items to {platform.app} using (tenant_id = '{ACME}')"
        )
