"""Writes that wait together are committed together, unless they contradict each other."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from actors.ingest.actor import Ingest
from actors.ingest.messages import CreateContent, CreateMany, DeleteContent, UpdateContent, Written
from engarde_daemon.adapters.postgres.content_log import PostgresContentLog
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.core import ActorCrashed
from engarde_daemon.daemon.identifiers import new_id
from engarde_daemon.domain.changes import Idempotency, Patch
from engarde_daemon.domain.content import Item, sha256_of
from engarde_daemon.domain.errors import (
    Conflict,
    KeyReused,
    NotFound,
    QuotaExceeded,
    RefusedTogether,
    StagingFull,
    VersionConflict,
)
from engarde_daemon.ports.content import Replayed
from tests.support.acting import acting, together
from tests.support.content import creation, draft
from tests.support.database import PLANS, SMALL, Tenant, add_tenant

LIMIT = 100


class Office:
    """An ingest actor without a mailbox, the tenant it writes for, and what it announced."""

    def __init__(self, sessions: Sessions, tenant: Tenant, sql: asyncpg.Connection) -> None:
        self.sessions = sessions
        self.tenant = tenant
        self.sql = sql
        self.log = PostgresContentLog(sessions.writers, PLANS)
        self.announced: list[Written] = []
        self.room_bytes = 10**9

    def admit_body(self, size_bytes: int) -> bool:
        """Whether there is room for so much more."""
        if size_bytes > self.room_bytes:
            return False
        self.room_bytes -= size_bytes
        return True

    def ingest(self) -> Ingest:
        """A fresh actor."""
        return Ingest(
            self.log,
            now=lambda: datetime.now(UTC),
            new_id=new_id,
            written=self.announced.extend,
            admit_body=self.admit_body,
        )

    async def batch(self, *messages: Any) -> Sequence[Any]:
        """What becomes of messages that wait together."""
        return await self.ingest().receive_batch(messages)

    async def item(self, body: str = "first") -> Item:
        """An item that is there already."""
        (written,) = await self.batch(self.create(body))
        assert isinstance(written, Written)
        return written.item

    def create(self, body: str, *, key: Idempotency | None = None, title: str = "T") -> Any:
        """A wish for a new item."""
        return CreateContent(
            tenant_id=self.tenant.id,
            brand_id=self.tenant.brand_id,
            user_id=self.tenant.user_id,
            draft=draft(body, title=title),
            idempotency=key,
        )

    def update(self, item: Item, body: str, expected: int | None = None) -> UpdateContent:
        """A wish for another body."""
        return UpdateContent(
            tenant_id=self.tenant.id,
            content_id=item.id,
            user_id=self.tenant.user_id,
            patch=Patch(body=body),
            expected_version=expected,
        )

    def delete(self, item: Item, expected: int | None = None) -> DeleteContent:
        """A wish for an item to be gone."""
        return DeleteContent(
            tenant_id=self.tenant.id,
            content_id=item.id,
            user_id=self.tenant.user_id,
            expected_version=expected,
        )

    async def history(self, item: Item) -> list[tuple[int, str]]:
        """Every version that was written down, with the fingerprint of its body."""
        rows = await self.sql.fetch(
            "select version, body_sha256 from engarde.content_versions"
            " where content_id = $1 order by version",
            item.id,
        )
        return [(row["version"], row["body_sha256"]) for row in rows]


@pytest.fixture
async def office(sessions: Sessions, tenant: Tenant, superuser: asyncpg.Connection) -> Office:
    """An office for a tenant with a large plan."""
    return Office(sessions, tenant, superuser)


def versions_of(answers: Sequence[Any]) -> list[int]:
    """The versions that were made."""
    return [answer.item.version for answer in answers]


class TestContradictions:
    """What cannot be true at once becomes true in turn, or is refused."""

    async def test_changes_of_one_item_in_one_batch_follow_each_other(self, office: Office):
        """Each makes a version of its own, in the order in which they came."""
        item = await office.item()

        answers = await office.batch(*[office.update(item, f"body {n}") for n in range(5)])

        assert versions_of(answers) == [2, 3, 4, 5, 6]
        bodies = ["first", *[f"body {n}" for n in range(5)]]
        expected = [(place, sha256_of(body)) for place, body in enumerate(bodies, start=1)]
        assert await office.history(item) == expected

    async def test_of_two_who_saw_the_same_version_only_the_first_changes_it(self, office: Office):
        """The second is told the version that is there now."""
        item = await office.item()

        first, second = await office.batch(
            office.update(item, "mine", expected=1), office.update(item, "yours", expected=1)
        )

        assert isinstance(first, Written)
        assert isinstance(second, VersionConflict)
        assert second.current_version == 2

    async def test_a_stale_version_is_refused_and_changes_nothing(self, office: Office):
        """Also when the change comes alone."""
        item = await office.item()
        await office.batch(office.update(item, "newer"))

        (answer,) = await office.batch(office.delete(item, expected=1))

        assert isinstance(answer, VersionConflict)
        assert len(await office.history(item)) == 2

    async def test_what_comes_after_the_deletion_finds_nothing(self, office: Office):
        """In the same batch and in a later one."""
        item = await office.item()

        answers = await office.batch(
            office.delete(item), office.update(item, "too late"), office.delete(item)
        )
        answers = [*answers, *await office.batch(office.update(item, "much too late"))]

        assert isinstance(answers[0], Written)
        assert all(isinstance(answer, NotFound) for answer in answers[1:])
        assert [version for version, _ in await office.history(item)] == [1, 2]

    async def test_another_tenants_item_is_not_there(self, office: Office):
        """Neither to change nor to delete, and the answer is that of an unknown id."""
        item = await office.item()
        office.tenant = await add_tenant(office.sql, SMALL)

        answers = await office.batch(office.update(item, "theirs"), office.delete(item))

        assert all(isinstance(answer, NotFound) for answer in answers)
        assert len(await office.history(item)) == 1


class TestKeys:
    """Two requests under one Idempotency-Key are one."""

    async def test_a_key_twice_in_one_batch_makes_one_item(self, office: Office):
        """The second is answered with what the first one made."""
        key = Idempotency("caller", "key", "fingerprint")

        first, second = await office.batch(
            office.create("body", key=key), office.create("body", key=key)
        )

        assert second == Replayed(first.item.id, 1)
        assert await office.sql.fetchval("select count(*) from content_items") == 1

    async def test_the_same_key_with_another_request_is_refused(self, office: Office):
        """A key stands for one request."""
        await office.batch(office.create("body", key=Idempotency("caller", "key", "one")))

        (answer,) = await office.batch(
            office.create("other", key=Idempotency("caller", "key", "other"))
        )

        assert isinstance(answer, KeyReused)

    async def test_keys_of_two_callers_know_nothing_of_each_other(self, office: Office):
        """Nobody can find out by a guessed key what another caller did."""
        answers = await office.batch(
            *[office.create("body", key=Idempotency(who, "key", who)) for who in ("one", "other")]
        )

        assert all(isinstance(answer, Written) for answer in answers)

    async def test_a_refused_creation_leaves_its_key_free(self, office: Office):
        """After room was made, the same request under the same key is admitted."""
        office.tenant = await add_tenant(office.sql, SMALL)
        wish = office.create("x" * (LIMIT + 1), key=Idempotency("caller", "key", "same"))
        (refused,) = await office.batch(wish)
        assert isinstance(refused, QuotaExceeded)
        await office.sql.execute("update tenants set plan_tier = 'large'")

        (admitted,) = await office.batch(wish)

        assert isinstance(admitted, Written)


class TestNeighbours:
    """What is wrong with one write is nothing to the others of its batch."""

    async def test_who_does_not_fit_does_not_keep_out_a_smaller_one(self, office: Office):
        """Room is given out first come, first served."""
        office.tenant = await add_tenant(office.sql, SMALL)

        answers = await office.batch(
            *[office.create("x" * size) for size in (LIMIT - 10, 11, 10, 1, 0)]
        )

        kinds = [type(answer) for answer in answers]
        assert kinds == [Written, QuotaExceeded, Written, QuotaExceeded, Written]

    async def test_room_that_a_batch_frees_before_is_there_for_what_comes_after(
        self, office: Office
    ):
        """A deletion and a shrinking come first, and the creation fits."""
        office.tenant = await add_tenant(office.sql, SMALL)
        gone, smaller = await office.item("x" * 60), await office.item("y" * 40)

        answers = await office.batch(
            office.delete(gone), office.update(smaller, "y"), office.create("z" * 99)
        )

        assert all(isinstance(answer, Written) for answer in answers)

    async def test_a_write_that_postgres_cannot_take_fails_alone(self, office: Office):
        """The batch is split until only the one at fault has failed."""
        async with acting(office.ingest) as address:
            good = [office.create(f"good {n}") for n in range(3)]
            outcomes = await together(
                address, [good[0], office.create("bad", title="\0"), *good[1:]]
            )

        assert [type(outcome) for outcome in outcomes] == [Written, ActorCrashed, Written, Written]
        assert await office.sql.fetchval("select count(*) from content_items") == 3

    async def test_who_breaks_a_rule_again_and_again_harms_nobody(self, office: Office):
        """The platform's tables refuse it, the actor lives on, and others are served."""
        nobody = Office(office.sessions, Tenant("nobody", "none", "none"), office.sql)
        wishes = [nobody.create("never"), office.create("good")] * 10

        async with acting(office.ingest) as address:
            alone = [(await together(address, [nobody.create("never")]))[0] for _ in range(10)]
            outcomes = await together(address, wishes)

        assert {type(outcome) for outcome in alone} == {Conflict}
        assert [type(outcome) for outcome in outcomes] == [Conflict, Written] * 10
        assert "content_items_tenant_id_fkey" in str(alone[0])

    async def test_a_transaction_that_fails_leaves_nothing(self, office: Office):
        """Two items with one id cannot be; neither is there, nor anything of theirs."""
        write = creation(office.tenant, "twice")

        with pytest.raises(asyncpg.UniqueViolationError):
            await office.log.commit([creation(office.tenant, "other"), write, write])

        for table in ("content_items", "engarde.content_versions", "engarde.staged_bodies",
                      "engarde.outbox", "engarde.content_counts"):  # fmt: skip
            assert await office.sql.fetchval(f"select count(*) from {table}") == 0, table  # noqa: S608 - named above


class TestOneTransaction:
    """Everything that a write promises is committed with it."""

    async def test_version_body_and_errands_are_there_together(self, office: Office):
        """And the body that was written is announced to whoever can use it."""
        item = await office.item("body")

        staged = await office.sql.fetchval("select body from engarde.staged_bodies")
        errands = await office.sql.fetch("select destination from engarde.outbox")
        assert staged == "body"
        assert {row["destination"] for row in errands} == {"zerodb", "bigquery", "search"}
        assert [(w.item, w.body) for w in office.announced] == [(item, "body")]

    async def test_a_change_of_the_title_stages_no_body(self, office: Office):
        """The version points at the one that carried the body."""
        item = await office.item("body")
        change = UpdateContent(
            tenant_id=office.tenant.id,
            content_id=item.id,
            user_id=office.tenant.user_id,
            patch=Patch(title="Another title"),
        )

        (written,) = await office.batch(change)

        assert (written.item.version, written.item.body_version, written.body) == (2, 1, None)
        assert await office.sql.fetchval("select count(*) from engarde.staged_bodies") == 1

    async def test_the_tombstone_is_a_version_and_frees_the_room(self, office: Office):
        """It still knows the last body, and counts nothing."""
        item = await office.item("body")

        await office.batch(office.delete(item))

        assert await office.history(item) == [(1, sha256_of("body")), (2, sha256_of("body"))]
        usage = await office.sql.fetchrow(
            "select total_content_items as items, total_storage_bytes as bytes"
            " from content_storage_usage where tenant_id = $1",
            office.tenant.id,
        )
        assert dict(usage) == {"items": 0, "bytes": 0}


class TestStagingLimit:
    """When as many bodies wait for ZeroDB as may wait, only what brings a body is refused."""

    async def test_a_body_too_many_is_refused_and_its_neighbours_are_not(self, office: Office):
        """With a word about when to come again; nothing of it is written."""
        item = await office.item()
        office.room_bytes = 4

        small, large, deleted = await office.batch(
            office.create("tiny"), office.create("large"), office.delete(item)
        )

        assert isinstance(small, Written)
        assert isinstance(large, StagingFull)
        assert large.after_s == 5.0
        assert isinstance(deleted, Written)

    async def test_many_at_once_are_refused_together(self, office: Office):
        """All or nothing, as asked."""
        office.room_bytes = 4
        wishes = (office.create("tiny"), office.create("more"))

        with pytest.raises(RefusedTogether) as refusal:
            await office.batch(CreateMany(creations=wishes))

        assert {place: type(e) for place, e in refusal.value.refusals.items()} == {1: StagingFull}
