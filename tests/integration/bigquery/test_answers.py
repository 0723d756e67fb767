"""What the Storage Write API can answer, and the emulator never does."""

from collections.abc import AsyncIterator
from typing import TypeAlias

import anyio
import grpc
import pytest
from google.cloud.bigquery_storage_v1.types import RowError, StorageError

from engarde_daemon.adapters.bigquery.appending import ATTEMPTS, IDLE_S
from engarde_daemon.adapters.bigquery.archive import BigQueryArchive, Bounds, opened
from engarde_daemon.adapters.bigquery.place import Place
from engarde_daemon.adapters.bigquery.writer import WritePace
from engarde_daemon.domain.errors import Denied, StreamLost, Unavailable
from engarde_daemon.ports.archive import Appended
from tests.integration.bigquery.archives import Clock, some
from tests.integration.bigquery.rows import frozen
from tests.support.write_api import WriteApi, error, write_api

STREAM = "projects/p/datasets/d/tables/content_snapshots/streams/s"
Code: TypeAlias = grpc.StatusCode
Reason: TypeAlias = StorageError.StorageErrorCode
LOOK_S = 0.01


@pytest.fixture
async def api() -> AsyncIterator[WriteApi]:
    """A server that says yes until told otherwise."""
    async with write_api() as api:
        yield api


@pytest.fixture
def clock() -> Clock:
    """Time that stands still."""
    return Clock()


@pytest.fixture
async def writer(api: WriteApi, clock: Clock) -> AsyncIterator[BigQueryArchive]:
    """An archive that writes to that server."""
    place = Place(project="p", dataset="d", write_endpoint=f"127.0.0.1:{api.port}", anonymous=True)
    bounds, pace = Bounds(timeout_s=10.0), WritePace()
    async with opened(place, bounds=bounds, pace=pace, clock=clock) as archive:
        yield archive


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (Code.OUT_OF_RANGE, Reason.OFFSET_OUT_OF_RANGE),
        (Code.INVALID_ARGUMENT, Reason.STREAM_FINALIZED),
        (Code.NOT_FOUND, Reason.STREAM_NOT_FOUND),
        (Code.FAILED_PRECONDITION, Reason.INVALID_STREAM_STATE),
        (Code.FAILED_PRECONDITION, None),
    ],
)
async def test_a_stream_of_no_more_use_is_lost(
    api: WriteApi, writer: BigQueryArchive, code: Code, reason: Reason | None
):
    """However the server says it, the remedy is another stream."""
    api.answers.append(error(code, reason))

    with pytest.raises(StreamLost):
        await writer.append(frozen(STREAM, 0, *some("t", 1)))


async def test_a_row_the_server_refuses_is_named_in_bounded_words(
    api: WriteApi, writer: BigQueryArchive
):
    """The index is the batch's own; the reason cannot fill a table of ours."""
    answer = error(Code.INVALID_ARGUMENT)
    answer.row_errors.append(RowError(index=1, message="x" * 1000))
    api.answers.append(answer)

    appended = await writer.append(frozen(STREAM, 0, *some("t", 2)))

    assert appended == Appended({1: "x" * 300})


async def test_a_missing_permission_is_named_with_the_role_that_has_it(
    api: WriteApi, writer: BigQueryArchive
):
    """Google writes the permission in capitals here; administrators know it by the other name."""
    api.answers.append(
        error(
            Code.PERMISSION_DENIED,
            message="Permission 'TABLES_UPDATE_DATA' denied on resource "
            "'projects/p/datasets/d/tables/content_snapshots' (or it may not exist).",
        )
    )

    with pytest.raises(Denied, match=r"bigquery\.tables\.updateData.*roles/bigquery\.dataEditor"):
        await writer.append(frozen(STREAM, 0, *some("t", 1)))


@pytest.mark.parametrize("code", [Code.RESOURCE_EXHAUSTED, Code.INTERNAL, Code.UNAVAILABLE])
async def test_trouble_of_the_server_is_unavailable(
    api: WriteApi, writer: BigQueryArchive, code: Code
):
    """Nothing is known of the batch."""
    api.answers.append(error(code))

    with pytest.raises(Unavailable):
        await writer.append(frozen(STREAM, 0, *some("t", 1)))


async def test_a_table_that_lacks_a_column_is_unavailable_until_the_next_start(
    api: WriteApi, writer: BigQueryArchive
):
    """Another stream would not help, so the stream is kept."""
    api.answers.append(error(Code.INVALID_ARGUMENT, Reason.SCHEMA_MISMATCH_EXTRA_FIELDS))

    with pytest.raises(Unavailable, match="next start"):
        await writer.append(frozen(STREAM, 0, *some("t", 1)))


@pytest.mark.parametrize("code", [Code.ABORTED, Code.UNAVAILABLE])
async def test_a_server_that_restarts_is_called_again(
    api: WriteApi, writer: BigQueryArchive, code: Code
):
    """Google says that clients are expected to reconnect; the offset makes it safe."""
    api.answers += [code] * (ATTEMPTS - 1)

    assert await writer.append(frozen(STREAM, 7, *some("t", 1))) == Appended()

    assert api.offsets == [7] * ATTEMPTS
    assert api.connections == ATTEMPTS


async def test_a_server_that_stays_overloaded_is_left_alone(api: WriteApi, writer: BigQueryArchive):
    """After some tries the replicator decides when to come back."""
    api.answers += [Code.UNAVAILABLE] * ATTEMPTS

    with pytest.raises(Unavailable):
        await writer.append(frozen(STREAM, 0, *some("t", 1)))

    assert api.connections == ATTEMPTS


async def test_a_connection_is_kept_until_it_was_idle_for_long(
    api: WriteApi, writer: BigQueryArchive, clock: Clock
):
    """Google hangs up after ten minutes; the daemon opens another before it runs into that."""
    await writer.append(frozen(STREAM, 0, *some("t", 1)))
    clock.now += IDLE_S - 1
    await writer.append(frozen(STREAM, 1, *some("t", 1)))
    assert api.connections == 1
    clock.now += IDLE_S + 1

    await writer.append(frozen(STREAM, 2, *some("t", 1)))

    assert api.connections == 2


async def test_a_batch_behind_a_refused_one_is_sent_again_on_the_same_stream(
    api: WriteApi, writer: BigQueryArchive
):
    """The stream is not lost: the one before has to be settled first."""
    refusal = error(Code.INVALID_ARGUMENT)
    refusal.row_errors.append(RowError(index=0, message="no"))
    api.answers += [refusal, error(Code.OUT_OF_RANGE, Reason.OFFSET_OUT_OF_RANGE)]
    outcomes: list[Appended | Unavailable] = []

    async def append(offset: int) -> None:
        try:
            outcomes.append(await writer.append(frozen(STREAM, offset, *some("t", 1))))
        except Unavailable as waited:
            outcomes.append(waited)

    async with anyio.create_task_group() as callers:
        callers.start_soon(append, 0)
        callers.start_soon(append, 1)

    assert outcomes[0] == Appended({0: "no"})
    assert isinstance(outcomes[1], Unavailable)
    assert await writer.append(frozen(STREAM, 0, *some("t", 1))) == Appended()


async def test_a_caller_that_goes_away_leaves_its_answer_to_nobody(
    api: WriteApi, writer: BigQueryArchive
):
    """Whoever waits before it is answered on another connection, where no stale answer can come."""
    api.held = anyio.Event()
    outcomes: list[Appended] = []

    async def append(offset: int) -> None:
        outcomes.append(await writer.append(frozen(STREAM, offset, *some("t", 1))))

    async with anyio.create_task_group() as stays:
        stays.start_soon(append, 0)
        while not api.offsets:
            await anyio.sleep(LOOK_S)
        async with anyio.create_task_group() as goes:
            goes.start_soon(append, 1)
            await anyio.sleep(LOOK_S)
            goes.cancel_scope.cancel()
        api.held.set()

    assert outcomes == [Appended()]
    assert api.connections == 2
