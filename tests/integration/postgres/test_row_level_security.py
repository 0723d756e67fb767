"""Row level security as the only guard: the readers' functions without their own conditions.

Each condition on a tenant is cut out of the functions that `engarde_api` may call, inside a
transaction that is rolled back. Readers must see no more than before. That the cut went deep enough
is shown by `engarde_actor`, which no policy binds: the same functions show it everything.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import msgspec
import pytest

from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.library import PostgresLibrary
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.domain.content import Item
from engarde_daemon.ports.content import ContentKey, Filters, Listed
from tests.support.content import creation
from tests.support.database import (
    LARGE,
    PLANS,
    Tenant,
    add_tenant,
    dsn_as,
    migrated_template,
    postgres_server,
    sessions,
    superuser,
)

__all__ = ["dsn_as", "migrated_template", "postgres_server", "sessions", "superuser"]

# Their tables know no row level security or are asked before a tenant is known: what these
# functions answer is one word about ids that the caller must name.
_ANSWER_ALONE = ["brand_belongs_v1", "plan_of_v1", "find_api_key_v1"]
_CONDITION = re.compile(r"\b\w+\.tenant_id\s*=\s*(?:\(\$\d+\)\.\w+|\$\d+|\w+\[n\]|\w+(?:\.\w+)?)")
_READERS = """
    select p.proname, pg_get_functiondef(p.oid) as definition from pg_proc p
    where p.pronamespace = 'engarde'::regnamespace and p.prokind = 'f'
      and has_function_privilege('engarde_api', p.oid, 'execute') and p.proname <> all ($1)
"""


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """Two tenants with an item each, of whom `ours` is asking."""

    ours: Tenant
    theirs: Tenant
    our_item: Item
    their_item: Item


@pytest.fixture
async def scene(superuser: asyncpg.Connection, sessions: Sessions) -> Scene:
    """Both items hold the same word and tag; theirs is staged still."""
    ours, theirs = [await add_tenant(superuser, LARGE) for _ in range(2)]
    log = PostgresContentLog(sessions.writers, PLANS)
    writes = [creation(tenant, "secret words", tags=("shared",)) for tenant in (ours, theirs)]
    await log.commit(writes)
    return Scene(ours=ours, theirs=theirs, our_item=writes[0].item, their_item=writes[1].item)


@asynccontextmanager
async def without_conditions(
    connection: asyncpg.Connection, role: str
) -> AsyncIterator[PostgresLibrary]:
    """The library on functions without their own conditions, asked by this role."""
    change = connection.transaction()
    await change.start()
    try:
        for row in await connection.fetch(_READERS, _ANSWER_ALONE):
            await connection.execute(_CONDITION.sub("true", row["definition"]))
        await connection.execute(f"set local role {role}")
        yield PostgresLibrary(connection)
    finally:
        await change.rollback()


async def listed(
    library: PostgresLibrary, tenant: Tenant, brand_id: str, **wanted: object
) -> Listed:
    """A page of a brand in a tenant's name."""
    filters = msgspec.convert(wanted, Filters)
    return await library.list_items(
        tenant.id, brand_id, filters=filters, after=None, size=10, skip=0
    )


async def finds_their_item(library: PostgresLibrary, scene: Scene) -> bool:
    """Whether their item is found in our name."""
    return await library.find(ContentKey(scene.ours.id, scene.their_item.id)) is not None


async def finds_their_version(library: PostgresLibrary, scene: Scene) -> bool:
    """Whether a version of their item is found in our name."""
    key = ContentKey(scene.ours.id, scene.their_item.id)
    return await library.find_version(key, 1) is not None


async def reads_their_body(library: PostgresLibrary, scene: Scene) -> bool:
    """Whether the body of their item is found in our name."""
    return bool(await library.staged(scene.ours.id, [scene.their_item]))


async def lists_their_brand(library: PostgresLibrary, scene: Scene) -> bool:
    """Whether a page of their brand shows or counts anything in our name."""
    page = await listed(library, scene.ours, scene.theirs.brand_id)
    return bool(page.items or page.total)


async def filters_their_brand(library: PostgresLibrary, scene: Scene) -> bool:
    """Whether a filtered page of their brand shows or counts anything in our name."""
    page = await listed(library, scene.ours, scene.theirs.brand_id, types=["post"])
    return bool(page.items or page.total)


async def searches_their_brand(library: PostgresLibrary, scene: Scene) -> bool:
    """Whether a search in their brand shows or counts anything in our name."""
    brand_id = scene.theirs.brand_id
    page = await listed(library, scene.ours, brand_id, words="secret", tags=["shared"])
    return bool(page.items or page.total)


async def counts_their_usage(library: PostgresLibrary, scene: Scene) -> bool:
    """Whether our usage counts more than our one item."""
    usage = await library.usage(scene.ours.id)
    return usage.items != 1 or usage.by_type["post"]["count"] != 1


Look = Callable[[PostgresLibrary, Scene], Awaitable[bool]]
LOOKS: list[Look] = [
    finds_their_item,
    finds_their_version,
    reads_their_body,
    lists_their_brand,
    filters_their_brand,
    searches_their_brand,
    counts_their_usage,
]


@pytest.mark.parametrize("look", LOOKS)
async def test_readers_see_nothing_foreign(superuser: asyncpg.Connection, scene: Scene, look: Look):
    """Although no statement asks only for their tenant any more."""
    async with without_conditions(superuser, "engarde_api") as library:
        assert not await look(library, scene)


@pytest.mark.parametrize("look", LOOKS)
async def test_without_the_policies_everything_would_show(
    superuser: asyncpg.Connection, scene: Scene, look: Look
):
    """Which proves that nothing else held the readers back."""
    async with without_conditions(superuser, "engarde_actor") as library:
        assert await look(library, scene)


async def test_readers_still_see_their_own(superuser: asyncpg.Connection, scene: Scene):
    """The policies hide what is foreign, and nothing else."""
    async with without_conditions(superuser, "engarde_api") as library:
        found = await library.find(ContentKey(scene.ours.id, scene.our_item.id))
        pages = [
            await listed(library, scene.ours, scene.ours.brand_id, **wanted)
            for wanted in ({}, {"types": ["post"]}, {"words": "secret"}, {"tags": ["shared"]})
        ]

    assert found is not None
    assert found.body == "secret words"
    assert [[item.id for item in page.items] for page in pages] == [[scene.our_item.id]] * 4
    assert [page.total for page in pages] == [1] * 4


@pytest.mark.parametrize(
    "table", ["public.content_items", "engarde.content_versions", "engarde.staged_bodies"]
)
@pytest.mark.parametrize("setting", [None, "", "nobody"])
@pytest.mark.usefixtures("scene")
async def test_readers_who_name_no_tenant_see_nothing(
    superuser: asyncpg.Connection, table: str, setting: str | None
):
    """A statement that forgot to say for whom it asks answers for nobody."""
    async with superuser.transaction():
        if setting is not None:
            await superuser.execute("select set_config('app.tenant_id', $1, true)", setting)
        await superuser.execute("set local role engarde_api")
        assert await superuser.fetchval(f"select count(*) from {table}") == 0  # noqa: S608 - ours


async def test_the_tenant_of_one_transaction_is_forgotten_in_the_next(
    superuser: asyncpg.Connection, scene: Scene
):
    """Connections go from caller to caller."""
    async with superuser.transaction():
        await superuser.execute("set local role engarde_api")
        await PostgresLibrary(superuser).find(ContentKey(scene.ours.id, scene.our_item.id))
        inside = await superuser.fetchval("select count(*) from public.content_items")
    async with superuser.transaction():
        await superuser.execute("set local role engarde_api")
        after = await superuser.fetchval("select count(*) from public.content_items")

    assert (inside, after) == (1, 0)
