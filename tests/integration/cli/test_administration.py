"""Tenants and keys, as operators make them."""

import secrets
import uuid

import asyncpg
import pytest

from engarde_daemon.adapters.postgres.administration import Administration
from engarde_daemon.domain.access import Role, read_key
from tests.integration.cli.conftest import Engarde, answer_of
from tests.support.commands import run_command
from tests.support.patience import PATIENCE_S


def new_id() -> str:
    """Draw an id."""
    return str(uuid.uuid4())


@pytest.fixture
def tenant(run: Engarde) -> dict[str, str]:
    """A tenant with its brand and user."""
    return answer_of(run("tenants", "create", "--name", "Acme", "--json"))


async def fetch(dsn: str, query: str) -> list[asyncpg.Record]:
    """Look into the database past every guard."""
    connection = await asyncpg.connect(dsn, timeout=PATIENCE_S)
    try:
        return list(await connection.fetch(query))
    finally:
        await connection.close(timeout=PATIENCE_S)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["tenants", "set-plan", "nobody", "business"], "no tenant 'nobody'"),
        (["keys", "create", "--tenant", "nobody", "--role", "viewer"], "no tenant 'nobody'"),
        (["keys", "revoke", "nothing"], "no key 'nothing'"),
    ],
)
def test_what_does_not_exist_is_refused(run: Engarde, arguments: list[str], named: str):
    """A refusal ends with 1, names the thing and prints no data."""
    ended = run(*arguments, "--json")

    assert (ended.exit_code, ended.stdout) == (1, "")
    assert named in ended.stderr


@pytest.mark.parametrize("part", ["brand", "user"])
def test_a_key_cannot_be_for_another_tenants_brand_or_user(
    run: Engarde, tenant: dict[str, str], part: str
):
    """What belongs to tenant B looks as if it did not exist."""
    other = answer_of(run("tenants", "create", "--name", "Other", "--json"))

    foreign = ("--tenant", tenant["tenant_id"], f"--{part}", other[f"{part}_id"])
    ended = run("keys", "create", *foreign, "--role", "viewer", "--json")

    assert (ended.exit_code, ended.stdout) == (1, "")
    assert f"The tenant has no {part}" in ended.stderr


async def test_a_login_without_rights_is_told_which_one_is_needed(dsn: str, run: Engarde):
    """Not every user of a database may make tenants and keys."""
    await fetch(dsn, "create role guest login")
    try:
        ended = run_command(
            "tenants", "list", environ={"ENGARDE_POSTGRES__DSN": dsn.replace("postgres@", "guest@")}
        )
    finally:
        await fetch(dsn, "drop role guest")

    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "[postgres] dsn lacks the rights" in ended.stderr


def test_an_empty_list_is_no_table(run: Engarde):
    """A person reads that there is nothing, a script reads an empty list."""
    ended = run("keys", "list")

    assert (ended.exit_code, ended.stdout) == (0, "")
    assert ended.stderr == "There are no keys.\n"
    assert answer_of(run("keys", "list", "--json")) == {"keys": []}


def test_a_new_tenant_is_listed_with_its_plan_and_no_usage(run: Engarde):
    """The ids that were answered are those that are listed."""
    made = answer_of(run("tenants", "create", "--name", "Acme", "--plan", "starter", "--json"))

    assert set(made) == {"tenant_id", "brand_id", "user_id"}
    assert answer_of(run("tenants", "list", "--json")) == {
        "tenants": [
            {
                "tenant_id": made["tenant_id"],
                "name": "Acme",
                "plan": "starter",
                "items": 0,
                "bytes": 0,
            }
        ]
    }


async def test_a_new_tenant_is_whole(dsn: str, tenant: dict[str, str]):
    """Brand, user, membership and usage row come with it, tied together."""
    (row,) = await fetch(
        dsn,
        "select t.id as tenant_id, b.id as brand_id, u.id as user_id"
        " from public.tenants t join public.brands b on b.tenant_id = t.id"
        " join public.users u on u.tenant_id = t.id"
        " join public.brand_members m on (m.brand_id, m.user_id) = (b.id, u.id)"
        " join public.content_storage_usage s on s.tenant_id = t.id",
    )

    assert dict(row) == tenant


async def test_a_tenant_that_cannot_be_whole_is_not_made(dsn: str, run: Engarde):
    """A platform that wants more of a user refuses, and the tenant is gone again."""
    await fetch(dsn, "alter table public.users alter column email set not null")

    ended = run("tenants", "create", "--name", "Acme", "--json")

    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "users refuses the row (email)" in ended.stderr
    assert await fetch(dsn, "select from public.tenants") == []


def test_a_tenant_can_be_put_on_another_plan(run: Engarde, tenant: dict[str, str]):
    """The list shows it at once."""
    changed = answer_of(run("tenants", "set-plan", tenant["tenant_id"], "business", "--json"))

    (listed,) = answer_of(run("tenants", "list", "--json"))["tenants"]
    assert changed == {"tenant_id": tenant["tenant_id"], "plan": "business"}
    assert listed["plan"] == "business"


async def test_a_key_is_shown_once_and_stored_as_a_fingerprint(
    dsn: str, run: Engarde, tenant: dict[str, str]
):
    """The key that is printed is proved by what is stored, and nothing stored contains it."""
    made = answer_of(
        run("keys", "create", "--tenant", tenant["tenant_id"], "--role", "editor", "--json")
    )

    (row,) = await fetch(dsn, "select * from engarde.api_keys")
    key = read_key(made["api_key"])
    assert key is not None
    assert key.proves(row["secret_sha256"])
    assert key.secret not in str(dict(row))


def test_a_key_is_for_the_tenants_first_brand_and_user(run: Engarde, tenant: dict[str, str]):
    """Nothing but the tenant has to be named."""
    made = answer_of(
        run("keys", "create", "--tenant", tenant["tenant_id"], "--role", "admin", "--json")
    )

    (listed,) = answer_of(run("keys", "list", "--json"))["keys"]
    assert {name: listed[name] for name in ("key_id", "role", *tenant)} == {
        "key_id": made["key_id"],
        "role": "admin",
        **tenant,
    }


def test_the_list_of_keys_can_be_narrowed_to_a_tenant(run: Engarde, tenant: dict[str, str]):
    """Another tenant's keys are left out, and no secret is in."""
    other = answer_of(run("tenants", "create", "--name", "Other", "--json"))
    for owner in (tenant, other):
        run("keys", "create", "--tenant", owner["tenant_id"], "--role", "viewer")

    listed = answer_of(run("keys", "list", "--tenant", other["tenant_id"], "--json"))["keys"]

    assert [key["tenant_id"] for key in listed] == [other["tenant_id"]]
    assert not any("secret" in name for name in listed[0])


def test_a_revoked_key_stays_revoked_since_the_first_time(run: Engarde, tenant: dict[str, str]):
    """Revoking again is no error and moves nothing."""
    owner = ("--tenant", tenant["tenant_id"])
    made = answer_of(run("keys", "create", *owner, "--role", "viewer", "--json"))

    first = answer_of(run("keys", "revoke", made["key_id"], "--json"))
    second = answer_of(run("keys", "revoke", made["key_id"], "--json"))

    (listed,) = answer_of(run("keys", "list", "--json"))["keys"]
    assert first == second
    assert listed["revoked_at"] == first["revoked_at"]


async def test_several_things_can_be_made_in_one_transaction(dsn: str):
    """The first start makes all or nothing, so no step may leave the next without its rights."""
    connection = await asyncpg.connect(dsn, timeout=PATIENCE_S)
    operator = Administration(connection, new_id=new_id, randomness=secrets.token_bytes)
    try:
        async with connection.transaction():
            assert await operator.list_tenants() == []
            for name in ("One", "Two"):
                made = await operator.create_tenant(name, "free")
                await operator.create_key(await operator.find_holder(made.tenant_id), Role.EDITOR)
        assert {tenant.name for tenant in await operator.list_tenants()} == {"One", "Two"}
    finally:
        await connection.close(timeout=PATIENCE_S)


def test_people_get_a_table_and_a_warning_about_the_key(run: Engarde, tenant: dict[str, str]):
    """Without `--json` standard output is for reading, and hints go to standard error."""
    made = run("keys", "create", "--tenant", tenant["tenant_id"], "--role", "viewer")
    listed = run("keys", "list")

    assert made.stdout.startswith("key_id   ")
    assert "cannot be shown again" in made.stderr
    assert [line.split()[0] for line in listed.stdout.splitlines()] == [
        "KEY_ID",
        made.stdout.split()[1],
    ]
