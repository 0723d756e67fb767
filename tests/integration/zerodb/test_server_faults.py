"""A server that fails, lies or falls silent: no row is lost, doubled in an answer, or believed."""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anyio
import pytest

from engarde_daemon.adapters.zerodb import door
from engarde_daemon.adapters.zerodb.connecting import Connection, connect
from engarde_daemon.adapters.zerodb.door import Place
from engarde_daemon.adapters.zerodb.http import HttpZeroDB
from engarde_daemon.adapters.zerodb.refusals import Paused
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.records import ContentRecord
from engarde_daemon.testing.records import key_of, record_with
from engarde_daemon.testing.zerodb_cloud import Fault, ZeroDBCloud
from tests.support.patience import PATIENCE_S

ACME = "0d4b1a3e-6f0a-4a53-8f0f-6c3c9d6b9a01"
SECRET = "the text that nobody else may see"


def acme(body: str = SECRET) -> ContentRecord:
    """A row of a content of its own."""
    return record_with(body, content_id=str(uuid.uuid4()), tenant_id=ACME)


HASTY_S = 2
ENDLESS = {Fault.SLOW_BYTES, Fault.BLACK_HOLE}


@pytest.fixture
async def cloud() -> AsyncIterator[ZeroDBCloud]:
    """A service that works until a test disturbs it."""
    async with ZeroDBCloud() as cloud:
        yield cloud


@asynccontextmanager
async def opened(
    cloud: ZeroDBCloud,
    *,
    timeout_s: float = PATIENCE_S,
    api_key: str = "sk_test",
    scheme: str = "x-api-key",
) -> AsyncIterator[HttpZeroDB]:
    """A store on the service."""
    place = Place(base_url=cloud.base_url, api_key=api_key, auth_scheme=scheme, timeout_s=timeout_s)
    connection = Connection(mode="cloud", place=place, project_id=cloud.project_id)
    async with connect(connection, new_id=lambda: str(uuid.uuid4())) as store:
        yield store


@pytest.fixture
async def store(cloud: ZeroDBCloud, request: pytest.FixtureRequest) -> AsyncIterator[HttpZeroDB]:
    """A store that is prepared; it waits for no answer that its test makes slow for ever."""
    asked = getattr(request.node, "callspec", None)
    is_hasty = asked is not None and asked.params.get("fault") in ENDLESS
    async with opened(cloud, timeout_s=HASTY_S if is_hasty else PATIENCE_S) as store:
        await store.prepare()
        yield store


def ids(records: Sequence[ContentRecord]) -> set[str]:
    """The ids of rows."""
    return {record.id for record in records}


class TestWriting:
    """Insertions that do not go as they should."""

    @pytest.mark.parametrize(
        "fault",
        [Fault.FAILED_AFTER, Fault.REPLY_LOST, Fault.SLOW_BYTES, Fault.INVALID_JSON],
        ids=lambda fault: fault.name.lower(),
    )
    async def test_a_row_that_arrived_without_an_answer_is_not_sent_again(
        self, cloud, store, fault
    ):
        """Whether it arrived is asked before it is repeated."""
        row = acme()
        cloud.faults.add(fault, method="POST", path_end="/rows")

        assert await store.put_many([row]) == {row.id}

        assert cloud.faults.met[fault] == 1
        assert len(cloud.rows("content_items")) == 1

    @pytest.mark.parametrize(
        "fault",
        [Fault.FAILED_BEFORE, Fault.HUGE_ERROR, Fault.BLACK_HOLE],
        ids=lambda fault: fault.name.lower(),
    )
    async def test_a_row_that_did_not_arrive_is_sent_again(self, cloud, store, fault):
        """Asking showed that it is not there."""
        rows = [acme() for _ in range(5)]
        cloud.faults.add(fault, method="POST", path_end="/rows")

        assert await store.put_many(rows) == ids(rows)

        assert cloud.faults.met[fault] == 1
        assert len(cloud.rows("content_items")) == 5

    async def test_a_row_that_is_never_taken_does_not_hold_up_its_neighbours(self, cloud, store):
        """It is missing from the answer, and the others are in it."""
        rows = [acme() for _ in range(3)]
        cloud.faults.add(Fault.FAILED_BEFORE, method="POST", path_end="/rows", count=4)

        proved = await store.put_many(rows, unsent=ids(rows))

        assert proved < ids(rows)
        assert len(cloud.rows("content_items")) == len(proved) == 2

    async def test_a_row_that_is_refused_for_its_size_does_not_hold_up_its_neighbours(
        self, cloud, store
    ):
        """It stays where it is staged, and is tried again some time."""
        rows = [acme() for _ in range(3)]
        cloud.faults.add(Fault.TOO_LARGE, method="POST", path_end="/rows", count=2)
        first = await store.put_many(rows[:1], unsent=ids(rows[:1]))

        assert first == frozenset()
        assert await store.put_many(rows) == ids(rows)

    async def test_two_daemons_that_put_the_same_rows_leave_each_of_them_once(self, cloud, store):
        """Whoever reads meets one, however the two interleaved."""
        rows = [acme() for _ in range(10)]
        async with opened(cloud) as other, anyio.create_task_group() as daemons:
            daemons.start_soon(store.put_many, rows)
            daemons.start_soon(other.put_many, rows)

        assert await store.get_many([key_of(row) for row in rows]) == {r.id: r for r in rows}
        assert sorted([met.id async for met in store.scan()]) == sorted(ids(rows))

    async def test_rows_that_could_not_be_sent_are_not_looked_for_one_by_one(self, cloud):
        """The backlog of an outage goes as fast as new content."""
        rows = [acme() for _ in range(3)]
        await cloud.close()
        async with opened(cloud) as store:
            with pytest.raises(Unavailable):
                await store.put_many(rows, unsent=ids(rows))
            await cloud.open()
            assert await store.put_many(rows) == ids(rows)

        assert not any(path.endswith("/query") for _, path in cloud.requests)

    async def test_a_row_that_comes_back_changed_is_not_proved(self, cloud, store):
        """The hash decides, not the status."""
        row = acme()
        cloud.faults.add(Fault.CHANGED_BODY, count=10)

        assert await store.put_many([row], unsent={row.id}) == frozenset()

    async def test_a_silent_server_is_unavailable(self, cloud):
        """The caller hears of it after the time it allowed, not later."""
        async with opened(cloud, timeout_s=HASTY_S) as store:
            await store.prepare()
            cloud.faults.add(Fault.BLACK_HOLE, count=100)

            with anyio.fail_after(PATIENCE_S), pytest.raises(Unavailable, match="within 2 s"):
                await store.put_many([acme()])

    async def test_a_closed_port_is_unavailable(self, cloud):
        """The sentence names the setting."""
        await cloud.close()

        with pytest.raises(Unavailable, match="base_url"):
            async with opened(cloud) as other:
                await other.put_many([acme()])


class TestReading:
    """Answers that are not what was asked for."""

    @pytest.fixture
    async def row(self, store) -> ContentRecord:
        """A row that the service holds."""
        row = acme()
        assert await store.put_many([row]) == {row.id}
        return row

    @pytest.mark.parametrize(
        "fault",
        [Fault.FAILED_BEFORE, Fault.FAILED_AFTER, Fault.REPLY_LOST, Fault.HUGE_ERROR],
        ids=lambda fault: fault.name.lower(),
    )
    async def test_a_question_that_failed_is_asked_again(self, cloud, store, row, fault):
        """Asking twice changes nothing, so two failures are forgiven."""
        cloud.faults.add(fault, path_end="/query", count=2)

        assert await store.get_many([key_of(row)]) == {row.id: row}

    async def test_a_question_that_goes_on_failing_is_given_up(self, cloud, store, row):
        """Somebody else may know; the caller is told so."""
        cloud.faults.add(Fault.FAILED_BEFORE, path_end="/query", count=3)

        with pytest.raises(Unavailable, match="status 500"):
            await store.get_many([key_of(row)])

    @pytest.mark.parametrize("fault", [Fault.SLOW_BYTES, Fault.BLACK_HOLE], ids=lambda f: f.name)
    async def test_a_slow_answer_is_cut_off(self, cloud, store, row, fault):
        """Bytes that keep coming do not keep a caller waiting."""
        cloud.faults.add(fault, path_end="/query")

        with anyio.fail_after(PATIENCE_S), pytest.raises(Unavailable, match="did not answer"):
            await store.get_many([key_of(row)])

    async def test_more_than_can_be_read_at_once_is_read_in_parts(
        self, store, monkeypatch: pytest.MonkeyPatch
    ):
        """By keys and by a walk; nothing is left out."""
        rows = [acme("x" * 1000) for _ in range(40)]
        assert await store.put_many(rows) == ids(rows)
        monkeypatch.setattr(door, "ANSWER_BYTES_MAX", 10_000)

        found = await store.get_many([key_of(row) for row in rows])

        assert found == {row.id: row for row in rows}
        assert sorted([met.id async for met in store.scan(ACME)]) == sorted(ids(rows))

    async def test_half_an_answer_is_unavailable(self, cloud, store, row):
        """It is an outage, not an empty store."""
        cloud.faults.add(Fault.INVALID_JSON, path_end="/query")

        with pytest.raises(Unavailable, match="no JSON"):
            await store.get_many([key_of(row)])

    async def test_copies_are_met_once_and_counted(self, cloud, store, row):
        """Nothing makes rows unique at the server."""
        cloud.faults.add(Fault.DUPLICATE_ROWS, path_end="/query", count=100)

        assert await store.get_many([key_of(row)]) == {row.id: row}
        assert [met async for met in store.scan()] == [row]
        assert store.tally.duplicate_rows_seen == 2

    async def test_a_row_nobody_asked_for_is_dropped_and_counted(self, cloud, store, row):
        """A server that ignores a filter gives no tenant another tenant's row."""
        cloud.faults.add(Fault.FOREIGN_ROW, path_end="/query", count=100)

        assert await store.get_many([key_of(row)]) == {row.id: row}
        assert [met async for met in store.scan(ACME)] == [row]
        assert store.tally.foreign_rows_seen == 2

    async def test_a_changed_body_counts_as_missing(self, cloud, store, row):
        """It is not handed out, and it is counted."""
        cloud.faults.add(Fault.CHANGED_BODY, path_end="/query")

        assert await store.get_many([key_of(row)]) == {}
        assert store.tally.damaged_rows_seen == 1

    async def test_a_walk_that_fails_says_so(self, cloud, store):
        """Half a walk must not look like a whole one."""
        cloud.faults.add(Fault.FAILED_BEFORE, path_end="/query", count=100)

        with pytest.raises(Unavailable):
            [met async for met in store.scan()]


class TestPauses:
    """A server that asks to be left alone."""

    async def test_a_short_pause_is_waited_for(self, cloud):
        """The row arrives after it, nobody called before it, and there is no copy."""
        row = acme()
        async with opened(cloud) as store:
            await store.prepare()
            cloud.faults.add(Fault.TOO_MANY_REQUESTS, path_end="/rows")

            assert await store.put_many([row], unsent={row.id}) == {row.id}

        assert cloud.faults.early_requests == 0
        assert len(cloud.rows("content_items")) == 1

    async def test_a_long_pause_is_told_and_kept(self, cloud):
        """Nobody waits for it, and nobody calls the server before it ends."""
        async with opened(cloud, timeout_s=HASTY_S) as store:
            await store.prepare()
            cloud.faults.retry_after_s = 30
            cloud.faults.add(Fault.TOO_MANY_REQUESTS, path_end="/query")
            with pytest.raises(Unavailable):
                await store.get_many([key_of(acme())])
            asked = len(cloud.requests)

            with pytest.raises(Paused) as told:
                await store.put_many([acme()])

        assert HASTY_S < told.value.after_s <= 30
        assert len(cloud.requests) == asked


class TestPreparing:
    """The first calls."""

    async def test_the_collections_are_made_once(self, cloud):
        """A second start finds them."""
        for _ in range(2):
            async with opened(cloud) as store:
                await store.prepare()

        assert set(cloud.tables) == {"content_items", "content_versions", "content_media_files"}
        assert cloud.requests.count(("POST", cloud.requests[1][1])) == 3

    async def test_a_table_made_without_an_answer_is_not_an_error(self, cloud):
        """Whoever asked looks whether it is there."""
        cloud.faults.add(Fault.REPLY_LOST, method="POST", path_end="/tables", count=3)
        async with opened(cloud) as store:
            await store.prepare()

        assert len(cloud.tables) == 3

    async def test_a_service_that_wants_a_table_described_otherwise_gets_it(self):
        """Sources disagree on the body; both forms are tried."""
        async with ZeroDBCloud(tables_named_by="table_name") as cloud:
            async with opened(cloud) as store:
                await store.prepare()

            assert len(cloud.tables) == 3

    async def test_a_store_that_was_not_there_at_the_start_is_prepared_when_it_is(self, cloud):
        """A daemon starts without it and needs no restart."""
        row = acme()
        await cloud.close()
        async with opened(cloud) as store:
            with pytest.raises(Unavailable):
                await store.prepare()
            await cloud.open()

            assert await store.put_many([row]) == {row.id}

    async def test_collections_that_went_away_are_made_again(self, cloud, store):
        """A service that was wiped is usable for whoever restores it."""
        row = acme()
        cloud.tables.clear()

        with pytest.raises(Unavailable):
            await store.put_many([row])

        assert await store.put_many([row]) == {row.id}

    @pytest.mark.parametrize("scheme", ["x-api-key", "bearer"])
    async def test_the_key_is_shown_in_the_way_that_was_chosen(self, scheme):
        """And never in both ways, which the service refuses."""
        async with ZeroDBCloud(auth_scheme=scheme) as cloud:
            async with opened(cloud, scheme=scheme) as store:
                await store.prepare()

    async def test_a_refused_key_is_told_with_the_settings_to_look_at(self, cloud):
        """And without the key."""
        async with opened(cloud, api_key="sk_wrong") as store:
            with pytest.raises(Unavailable, match="api_key, auth_scheme") as told:
                await store.prepare()

        assert "sk_wrong" not in str(told.value)


class TestSilence:
    """Text that must stay where it is."""

    async def test_no_word_of_an_error_answer_is_repeated(self, cloud, store):
        """Servers repeat content and SQL in theirs."""
        cloud.faults.add(Fault.HUGE_ERROR, count=100)

        with pytest.raises(Unavailable) as told:
            await store.put_many([acme()])

        assert SECRET not in str(told.value)
        assert len(str(told.value)) < 200

    async def test_the_key_is_in_no_representation(self):
        """Tracebacks and logs show representations."""
        place = Place(base_url="http://127.0.0.1:1/v1", api_key="sk_live_secret")

        assert "sk_live" not in repr(Connection(mode="cloud", place=place, project_id="p"))
