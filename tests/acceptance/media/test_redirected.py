"""`[media] signed_url_s`: downloads that the bucket serves itself."""

from collections.abc import AsyncIterator

import httpx
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from tests.acceptance.access.conftest import running
from tests.acceptance.media.resuming import appended, begun
from tests.acceptance.media.uploads import examined, uploaded
from tests.support.daemon import SharedDaemon
from tests.support.pictures import noise, picture
from tests.support.s3_server import BUCKET, CREDENTIALS, s3_server

__all__ = ["s3_server"]

PDF = "application/pdf"


@pytest.fixture(scope="module")
async def bucket_daemon(
    postgres_server: EmbeddedPostgres, s3_server: str
) -> AsyncIterator[SharedDaemon]:
    """A daemon that keeps files in S3, and sends who wants them there."""
    given = {
        "ENGARDE_MEDIA__URL": f"s3://{BUCKET}/redirected",
        "ENGARDE_MEDIA__ENDPOINT": s3_server,
        "ENGARDE_MEDIA__SIGNED_URL_S": "60",
    }
    async with running(postgres_server, **given, **CREDENTIALS) as daemon:
        yield daemon


@pytest.fixture
async def http(bucket_daemon: SharedDaemon) -> AsyncIterator[httpx.AsyncClient]:
    """An editor of a tenant of that daemon."""
    key = await bucket_daemon.quick_key(await bucket_daemon.quick_tenant())
    async with bucket_daemon.caller(key.api_key) as http:
        yield http


async def followed(http: httpx.AsyncClient, url: str, **headers: str) -> httpx.Response:
    """What the bucket answers to who was sent there, without a key of ours."""
    sent = await http.get(url)
    assert sent.status_code == 307, sent.text
    assert sent.headers["cache-control"] == "private, no-store"
    async with httpx.AsyncClient(trust_env=False) as stranger:
        return await stranger.get(sent.headers["location"], headers=headers)


async def test_a_file_comes_from_the_bucket_as_it_would_from_the_daemon(http: httpx.AsyncClient):
    """With its type and its name, whole and in part."""
    data = picture("JPEG")
    made = await uploaded(http, data, name="sun.jpg", type_="image/jpeg")

    answer = await followed(http, made["url"])
    assert answer.content == data
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-disposition"] == "inline; filename*=UTF-8''sun.jpg"
    part = await followed(http, made["url"], Range="bytes=0-9")
    assert (part.status_code, part.content) == (206, data[:10])


async def test_a_document_is_never_shown(http: httpx.AsyncClient):
    """Nor is one that came bit by bit."""
    data = noise(300_000)
    made = await uploaded(http, data, name="a.pdf", type_=PDF)
    assert (
        (await followed(http, made["url"])).headers["content-disposition"].startswith("attachment;")
    )

    upload_id = await begun(http, len(data), filename="b.pdf")
    await appended(http, upload_id, data[:100_000], at=0)
    await appended(http, upload_id, data[100_000:], at=100_000)
    answer = await followed(http, f"/api/media/{upload_id}/file")
    assert answer.content == data
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''b.pdf"


async def test_who_has_the_file_is_sent_nowhere(http: httpx.AsyncClient):
    """And a thumbnail comes from the daemon."""
    made = await uploaded(http, picture("JPEG", (1080, 720)), type_="image/jpeg")
    file = await examined(http, made["id"])

    again = await http.get(made["url"], headers={"If-None-Match": f'"{made["sha256"]}"'})
    assert again.status_code == 304
    assert (await http.get(file["thumbnail_url"])).headers["content-type"] == "image/webp"


async def test_another_tenant_is_sent_nowhere(bucket_daemon: SharedDaemon, http: httpx.AsyncClient):
    """A signature is given to who may have the file, and to nobody else."""
    made = await uploaded(http)
    stranger = await bucket_daemon.quick_key(await bucket_daemon.quick_tenant())
    async with bucket_daemon.caller(stranger.api_key) as other:
        assert (await other.get(made["url"])).status_code == 404
