"""`POST /api/media`: what is taken in, what is refused, and what either leaves behind."""

import hashlib
import uuid

import anyio
import asyncpg
import httpx
import psutil
import pytest

from tests.acceptance.content import created, fields_of, problem_of
from tests.acceptance.media.uploads import examined, media_usage, send, uploaded
from tests.support.daemon import TINY_PLAN_BYTES, SharedDaemon, Tenant
from tests.support.patience import PATIENCE_S
from tests.support.pictures import archive, boasting_png, noise, picture, video

PDF = "application/pdf"


async def test_a_picture_is_kept_and_understood(http: httpx.AsyncClient, tenant: Tenant):
    """With everything that its row says of it."""
    data = picture("JPEG", (1080, 720))
    made = await uploaded(http, data, name="Sommer ☀.jpg", type_="image/jpeg")
    file = await examined(http, made["id"])

    assert made["processing_status"] in {"pending", "processing"}
    assert file == made | {
        "processing_status": "ready",
        "metadata": {"width": 1080, "height": 720, "format": "jpeg"},
        "thumbnail_url": f"/api/media/{made['id']}/thumbnail",
        "updated_at": file["updated_at"],
    }
    assert (file["type"], file["mime_type"], file["file_name"]) == (
        "image",
        "image/jpeg",
        "Sommer ☀.jpg",
    )
    assert file["sha256"] == hashlib.sha256(data).hexdigest()
    assert (file["size_bytes"], file["brand_id"]) == (len(data), tenant.brand_id)


async def test_a_video_is_kept_and_understood(http: httpx.AsyncClient):
    """Its length, codec and bit rate, and a picture out of it."""
    made = await uploaded(http, video(), name="spot.mp4", type_="video/mp4")
    file = await examined(http, made["id"])

    assert file["type"] == "video"
    assert {"width": 64, "height": 48, "duration": 2, "codec": "mpeg4"}.items() <= file[
        "metadata"
    ].items()
    assert (await http.get(file["thumbnail_url"])).headers["content-type"] == "image/webp"


async def test_what_is_kept_counts_and_what_is_deleted_does_not(http: httpx.AsyncClient):
    """To the byte; nothing stays reserved."""
    data = picture()
    made = await uploaded(http, data)
    assert await media_usage(http) == (1, len(data), 0)

    answer = await http.delete(f"/api/media/{made['id']}")

    assert answer.json()["id"] == made["id"]
    assert await media_usage(http) == (0, 0, 0)
    problem_of(await http.get(f"/api/media/{made['id']}"), 404)
    problem_of(await http.get(made["url"]), 404)
    problem_of(await http.delete(f"/api/media/{made['id']}"), 404)


@pytest.mark.parametrize(
    ("data", "name", "type_"),
    [
        (b"<html><script>alert(1)</script></html>", "sun.png", "image/png"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "sun.svg", "image/svg+xml"),
        (b"just words", "words.txt", "text/plain"),
        (archive(), "sun.png", "image/png"),
        (picture("JPEG"), "sun.png", "image/png"),
        (picture("GIF").replace(b"\x00", b"<script>", 1), "sun.gif", "image/gif"),
    ],
    ids=["page", "svg", "words", "archive", "other", "chimera"],
)
async def test_what_is_not_kept_is_refused_at_once(
    http: httpx.AsyncClient, data: bytes, name: str, type_: str
):
    """Whatever it is called: its bytes decide."""
    problem = problem_of(await send(http, data, name=name, type_=type_), 415)

    assert problem["type"] == "urn:engarde:problem:media_type_refused"
    assert await media_usage(http) == (0, 0, 0)


@pytest.mark.parametrize(
    ("data", "why"),
    [(boasting_png(100_000, 100_000), "pixels"), (picture() + archive(), "archive")],
    ids=["bomb", "chimera"],
)
async def test_what_turns_out_to_be_evil_is_thrown_away(
    http: httpx.AsyncClient, data: bytes, why: str
):
    """Its owner learns why, and it counts no more."""
    made = await uploaded(http, data)
    file = await examined(http, made["id"])

    assert file["processing_status"] == "failed"
    assert why in file["failure"]
    assert why in problem_of(await http.get(file["url"]), 409)["detail"]
    assert await media_usage(http) == (0, 0, 0)


async def test_an_empty_file_is_refused(http: httpx.AsyncClient):
    """As a form without one is."""
    assert fields_of(await send(http, b"")) == {"file"}
    assert fields_of(await http.post("/api/media", files={"brand_id": (None, "x")})) == {"file"}


async def test_another_body_than_a_form_is_refused(http: httpx.AsyncClient):
    """There is one way in."""
    problem_of(await http.post("/api/media", content=picture()), 415)
    problem_of(await http.post("/api/media", json={}), 415)


async def test_a_file_that_the_plan_has_no_room_for_is_refused(daemon: SharedDaemon):
    """Before it is stored, with what everyone is told whose plan is full; the last byte fits."""
    tiny = daemon.new_tenant("tiny")
    async with daemon.caller(daemon.new_key(tiny).api_key) as http:
        problem = problem_of(await send(http, noise(TINY_PLAN_BYTES + 1), type_=PDF), 403)
        assert problem["type"] == "urn:engarde:problem:storage_quota_exceeded"
        assert {"plan_tier", "current_usage_gb", "limit_gb", "upgrade_suggestion"} <= problem.keys()
        assert await media_usage(http) == (0, 0, 0)

        await uploaded(http, noise(TINY_PLAN_BYTES), type_=PDF)
        assert await media_usage(http) == (1, TINY_PLAN_BYTES, 0)
        problem_of(await http.post("/api/content", json={"title": "t", "body": "b"}), 403)


async def test_racing_uploads_never_pass_the_limit(daemon: SharedDaemon):
    """However many come at once: what is promised is promised once."""
    tiny = daemon.new_tenant("tiny")
    statuses: list[int] = []
    async with daemon.caller(daemon.new_key(tiny).api_key) as http:

        async def upload(seed: int) -> None:
            statuses.append((await send(http, noise(3000, seed), type_=PDF)).status_code)

        async with anyio.create_task_group() as crowd:
            for seed in range(8):
                crowd.start_soon(upload, seed)

        kept = statuses.count(201)
        assert set(statuses) <= {201, 403}
        assert 1 <= kept <= TINY_PLAN_BYTES // 3000
        assert await media_usage(http) == (kept, 3000 * kept, 0)


async def test_an_upload_that_comes_again_is_kept_once(http: httpx.AsyncClient):
    """And another file under its key is refused."""
    first = await uploaded(http, key="one")
    again = await send(http, key="one")
    other = await send(http, picture(colour=99), key="one")

    assert (again.status_code, again.json()["id"]) == (201, first["id"])
    assert again.headers["idempotent-replayed"] == "true"
    assert problem_of(other, 422)["type"] == "urn:engarde:problem:idempotency_key_reused"
    assert (await media_usage(http))[0] == 1


async def test_an_upload_that_is_cut_off_leaves_nothing(
    daemon: SharedDaemon, http: httpx.AsyncClient, tenant: Tenant
):
    """Its room comes back as soon as the daemon notices, though its length was announced."""
    head = (
        "POST /api/media HTTP/1.1\r\nHost: x\r\n"
        f"X-API-Key: {http.headers['x-api-key']}\r\n"
        "Content-Type: multipart/form-data; boundary=B\r\nContent-Length: 99000000\r\n\r\n"
        '--B\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
    )
    async with await anyio.connect_tcp("127.0.0.1", daemon.process.port) as line:
        await line.send(head.encode() + noise(3_000_000))
        with anyio.fail_after(PATIENCE_S):
            while not (await media_usage(http))[2]:
                await anyio.sleep(0.02)

    with anyio.fail_after(PATIENCE_S):
        while (await media_usage(http))[2]:
            await anyio.sleep(0.02)
    assert await media_usage(http) == (0, 0, 0)


async def test_more_than_was_announced_is_not_read(daemon: SharedDaemon, http: httpx.AsyncClient):
    """A length that lies ends the body where it said, so the form is cut off."""
    form = (
        b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
        + noise(100_000)
        + b"\r\n--B--\r\n"
    )
    answer = await http.post(
        "/api/media",
        content=form[:50_000],
        headers={"Content-Type": "multipart/form-data; boundary=B"},
    )

    problem_of(answer, 400)
    assert await media_usage(http) == (0, 0, 0)


async def test_a_file_can_be_for_a_content(http: httpx.AsyncClient, stranger: httpx.AsyncClient):
    """Of the same tenant, that is."""
    ours, theirs = (await created(http))["id"], (await created(stranger))["id"]

    assert (await uploaded(http, content_id=ours))["content_id"] == ours
    assert fields_of(await send(http, content_id=theirs)) == {"content_id"}
    assert fields_of(await send(http, content_id=str(uuid.uuid4()))) == {"content_id"}


async def test_a_large_upload_is_never_whole_in_memory(
    daemon: SharedDaemon, http: httpx.AsyncClient
):
    """Nor is its download."""
    process = psutil.Process(daemon.process.pid)
    await uploaded(http, noise(1_000_000), type_=PDF)  # whatever is loaded once
    before = process.memory_info().rss
    peak = 0
    size = 96 * 1024 * 1024

    async def watch() -> None:
        nonlocal peak
        while True:
            peak = max(peak, process.memory_info().rss)
            await anyio.sleep(0.01)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch)
        made = await uploaded(http, noise(size), type_=PDF)
        digest = hashlib.sha256()
        async with http.stream("GET", made["url"]) as answer:
            async for chunk in answer.aiter_raw():
                digest.update(chunk)
        tasks.cancel_scope.cancel()

    assert digest.hexdigest() == made["sha256"]
    assert peak - before < size // 2


async def test_the_bytes_of_a_deleted_file_leave_the_store(
    daemon: SharedDaemon, http: httpx.AsyncClient, dsn: str, tenant: Tenant
):
    """Soon after, when the curator comes by."""
    made = await uploaded(http)
    await examined(http, made["id"])
    folder = daemon.process.data_dir / "media" / "media" / tenant.tenant_id
    assert len(list(folder.iterdir())) == 2  # with the thumbnail

    await http.delete(f"/api/media/{made['id']}")
    await daemon.begin_anew("curator")

    with anyio.fail_after(PATIENCE_S):
        while list(folder.iterdir()):
            await anyio.sleep(0.1)
    link = await asyncpg.connect(dsn, timeout=PATIENCE_S)
    left = await link.fetchval(
        "select count(*) from engarde.media_uploads where tenant_id = $1 and state <> 'abandoned'",
        tenant.tenant_id,
    )
    await link.close()
    assert left == 0
