"""The index of likeness keeps tenants apart, forgets, and can be made anew from the body store."""

from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from actors.embedder.actor import Embedder
from engarde_daemon.adapters.likeness.embedded import FILE_NAME, EmbeddedLikeness
from engarde_daemon.adapters.likeness.store import IndexedBodyStore
from engarde_daemon.adapters.zerodb.embedded import EmbeddedZeroDB
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.records import ContentRecord
from engarde_daemon.testing.records import record_with
from tests.support.acting import acting
from tests.support.patience import PATIENCE_S

OURS, THEIRS = "tenant-a", "tenant-b"
BRAND = record_with("", content_id="c", tenant_id=OURS).brand_id


def texts(tenant_id: str, **bodies: str) -> list[ContentRecord]:
    """A first version of each text, by its content id."""
    return [record_with(body, content_id=i, tenant_id=tenant_id) for i, body in bodies.items()]


@pytest.fixture
def index(tmp_path: Path) -> Iterator[EmbeddedLikeness]:
    """An index in a new file."""
    with closing(EmbeddedLikeness(tmp_path, timeout_s=PATIENCE_S)) as index:
        yield index


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[EmbeddedZeroDB]:
    """An empty body store."""
    async with EmbeddedZeroDB(tmp_path) as store:
        await store.prepare()
        yield store


async def found(index: EmbeddedLikeness, text: str, tenant_id: str = OURS) -> list[str]:
    """The ids of what is most like a text."""
    alike = await index.nearest(tenant_id, BRAND, text, most=10)
    return [one.content_id for one in alike]


async def test_a_damaged_file_is_named_with_its_remedy(tmp_path: Path):
    """It holds nothing that cannot be made anew."""
    (tmp_path / FILE_NAME).write_bytes(b"no database" * 1000)
    with closing(EmbeddedLikeness(tmp_path, timeout_s=PATIENCE_S)) as index:
        with pytest.raises(Unavailable, match="remove the file"):
            await index.is_complete()


async def test_tenants_are_apart(index: EmbeddedLikeness):
    """Each finds its own, and removes its own."""
    await index.add(texts(OURS, ours="cheap shoes"))
    await index.add(texts(THEIRS, theirs="cheap shoes"))
    await index.remove(OURS, ["theirs"])

    assert await found(index, "discount sandals") == ["ours"]
    assert await found(index, "discount sandals", THEIRS) == ["theirs"]
    assert await index.nearest(OURS, "another brand", "discount sandals", most=10) == []


async def test_an_older_version_replaces_nothing(index: EmbeddedLikeness):
    """Deliveries come in any order."""
    newer = record_with("tomato soup", content_id="c", tenant_id=OURS, version=2)
    await index.add([newer])
    await index.add(texts(OURS, c="quantum physics"))
    (alike,) = await index.nearest(OURS, BRAND, "Spring launch 🌱\ntomato soup", most=10)

    assert alike.likeness == pytest.approx(1.0, abs=0.01)


async def test_a_removed_row_takes_its_vector_along(index: EmbeddedLikeness, store: EmbeddedZeroDB):
    """The row of an older version does not."""
    indexed = IndexedBodyStore(store, index)
    first = record_with("tomato soup", content_id="c", tenant_id=OURS)
    second = record_with("onion soup", content_id="c", tenant_id=OURS, version=2)
    await indexed.put_many([first, second])

    await indexed.delete_many(OURS, [first.id])
    assert await found(index, "soup") == ["c"]
    await indexed.delete_many(OURS, [second.id])
    assert await found(index, "soup") == []


async def test_what_was_stored_before_is_caught_up_with(
    index: EmbeddedLikeness, store: EmbeddedZeroDB
):
    """Once: the mark outlives the file's owner."""
    await store.put_many([r for n in range(70) for r in texts(OURS, **{f"c{n}": f"text {n}"})])

    async with acting(lambda: Embedder(store, index, rest_s=lambda: 0.0, retry_s=0.05)):
        with anyio.fail_after(PATIENCE_S):
            while not await index.is_complete():
                await anyio.lowlevel.checkpoint()
    assert len(await index.nearest(OURS, BRAND, "text", most=100)) == 70
