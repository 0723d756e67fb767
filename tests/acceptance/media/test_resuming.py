"""`/api/media/uploads`: files that come bit by bit."""

import base64
import hashlib
import uuid
from collections.abc import AsyncIterator

import anyio
import asyncpg
import httpx
import pytest

from engarde_daemon.domain.resuming import PART_BYTES
from tests.acceptance.content import created, fields_of, problem_of
from tests.acceptance.media.resuming import (
    BYTES,
    TUS,
    UPLOADS,
    appended,
    begun,
    metadata,
    outcome_of,
    stored,
)
from tests.acceptance.media.uploads import examined, media_usage
from tests.support.daemon import TINY_PLAN_BYTES, SharedDaemon, Tenant
from tests.support.patience import PATIENCE_S
from tests.support.pictures import archive, noise, picture

_BEGIN_TO_JOIN = """
    insert into engarde.media_uploads (id, tenant_id, media_id, storage_path, leased_until)
    values ($1, $2, $3, 'media/of/nobody', now() + interval '1 hour')
"""
_FALL_SILENT = "update engarde.media_uploads set leased_until = '-infinity' where media_id = $1 and not in_parts"
_IS_MISSED = "update engarde.resumable_uploads set join_due_at = '-infinity' where id = $1"


async def until_stored(http: httpx.AsyncClient, upload_id: str, size: int) -> None:
    """Wait until so much of an upload is stored."""
    with anyio.fail_after(PATIENCE_S):
        while await stored(http, upload_id) < size:
            await anyio.sleep(0.02)


async def test_a_file_comes_in_pieces_of_any_size(http: httpx.AsyncClient):
    """And is then what it would be if it had come at once."""
    data = noise(2 * PART_BYTES + 12_345)
    upload_id = await begun(http, len(data), filename="Sommer ☀.pdf", filetype="application/pdf")
    at = 0
    for size in (1, 9_000, PART_BYTES + 7, len(data)):
        answer = await appended(http, upload_id, data[at : at + size], at=at)
        assert answer.status_code == 204, answer.text
        at = min(at + size, len(data))
        assert int(answer.headers["upload-offset"]) == at == await stored(http, upload_id)

    file = await examined(http, upload_id)
    assert file["sha256"] == hashlib.sha256(data).hexdigest()
    assert (file["file_name"], file["size_bytes"]) == ("Sommer ☀.pdf", len(data))
    assert (await http.get(file["url"])).content == data
    assert await media_usage(http) == (1, len(data), 0)


async def test_a_picture_that_came_in_pieces_is_understood(http: httpx.AsyncClient):
    """As every picture is."""
    data = picture("JPEG", (1080, 720))
    upload_id = await begun(http, len(data), filetype="image/jpeg")
    await appended(http, upload_id, data[:3000], at=0)
    await appended(http, upload_id, data[3000:], at=3000)

    file = await examined(http, upload_id)
    assert file["metadata"] == {"width": 1080, "height": 720, "format": "jpeg"}
    assert await outcome_of(http, upload_id) == {
        "id": upload_id,
        "brand_id": file["brand_id"],
        "content_id": None,
        "file_name": "file",
        "length_bytes": len(data),
        "offset_bytes": len(data),
        "outcome": "kept",
        "failure": None,
        "expires_at": None,
    }


async def test_the_first_bytes_may_come_with_the_beginning(http: httpx.AsyncClient):
    """All of them, too."""
    data = picture()
    headers = BYTES | {"Upload-Length": str(len(data))}
    answer = await http.post(UPLOADS, content=data, headers=headers)

    assert answer.status_code == 201
    assert int(answer.headers["upload-offset"]) == len(data)
    upload_id = answer.headers["location"].rpartition("/")[2]
    assert (await examined(http, upload_id))["processing_status"] == "ready"


async def test_bytes_for_another_place_are_refused(http: httpx.AsyncClient):
    """With the place that the upload is at; nothing changes."""
    upload_id = await begun(http, 1000)
    await appended(http, upload_id, noise(100), at=0)

    for wrong in (0, 99, 101):
        problem = problem_of(await appended(http, upload_id, b"x", at=wrong), 409)
        assert problem["upload_offset"] == 100
    assert await stored(http, upload_id) == 100


async def test_of_two_who_go_on_the_later_one_does(http: httpx.AsyncClient):
    """A line that hangs keeps nobody from going on; what still comes of it counts for nothing."""
    data = noise(30_000)
    upload_id = await begun(http, len(data))
    is_gone_on = anyio.Event()
    problems: list[str] = []

    async def hanging() -> AsyncIterator[bytes]:
        yield data[:10_000]
        await is_gone_on.wait()
        yield b"x" * 20_000

    async def hang() -> None:
        problems.append(problem_of(await appended(http, upload_id, hanging(), at=0), 409)["type"])

    async with anyio.create_task_group() as rivals:
        rivals.start_soon(hang)
        with anyio.fail_after(PATIENCE_S):
            while not (await media_usage(http))[2]:  # it is at its first part
                await anyio.sleep(0.02)
        assert (await appended(http, upload_id, data[:20_000], at=0)).status_code == 204
        is_gone_on.set()

    assert problems == ["urn:engarde:problem:upload_taken"]
    assert await stored(http, upload_id) == 20_000
    await appended(http, upload_id, data[20_000:], at=20_000)
    assert (await examined(http, upload_id))["sha256"] == hashlib.sha256(data).hexdigest()


async def test_what_came_before_a_line_broke_is_kept(daemon: SharedDaemon, http: httpx.AsyncClient):
    """Though it was less than a part."""
    data = noise(300_000)
    upload_id = await begun(http, len(data))
    head = (
        f"PATCH {UPLOADS}/{upload_id} HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\n"
        f"X-API-Key: {http.headers['x-api-key']}\r\nUpload-Offset: 0\r\n"
        f"Content-Type: application/offset+octet-stream\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    async with await anyio.connect_tcp("127.0.0.1", daemon.process.port) as line:
        await line.send(head.encode() + data[:200_000])

    await until_stored(http, upload_id, 1)
    at = await stored(http, upload_id)
    assert at <= 200_000
    await appended(http, upload_id, data[at:], at=at)
    assert (await examined(http, upload_id))["sha256"] == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
async def test_bytes_that_do_not_fit_their_checksum_are_not_kept(
    http: httpx.AsyncClient, algorithm: str
):
    """None of them; the same bytes that do are."""
    data = picture()
    upload_id = await begun(http, len(data))
    right = base64.b64encode(hashlib.new(algorithm, data).digest()).decode()
    wrong = base64.b64encode(hashlib.new(algorithm, data[1:]).digest()).decode()

    refused = await appended(
        http, upload_id, data, at=0, **{"Upload-Checksum": f"{algorithm} {wrong}"}
    )
    assert refused.status_code == 460
    assert await stored(http, upload_id) == 0

    taken = await appended(
        http, upload_id, data, at=0, **{"Upload-Checksum": f"{algorithm} {right}"}
    )
    assert taken.status_code == 204


async def test_what_is_no_file_of_ours_is_refused_at_its_first_bytes(http: httpx.AsyncClient):
    """Not only when all of it was sent."""
    upload_id = await begun(http, 50_000_000, filetype="image/png")
    refused = await appended(http, upload_id, b"<html>" * 2000, at=0)

    assert problem_of(refused, 415)["type"] == "urn:engarde:problem:media_type_refused"
    assert await stored(http, upload_id) == 0


async def test_what_turns_out_to_be_none_when_it_is_whole_is_refused_for_good(
    http: httpx.AsyncClient,
):
    """Its sender finds the reason, and its room is free again."""
    data = archive()
    upload_id = await begun(http, len(data))
    assert (await appended(http, upload_id, data[:10], at=0)).status_code == 204
    assert (await media_usage(http))[2]

    problem_of(await appended(http, upload_id, data[10:], at=10), 415)

    seen = await outcome_of(http, upload_id)
    assert (seen["outcome"], seen["offset_bytes"]) == ("refused", len(data))
    assert "looks like" in seen["failure"]
    assert (
        problem_of(await appended(http, upload_id, b"", at=len(data)), 409)["detail"]
        == (seen["failure"])
    )
    assert (await http.head(f"{UPLOADS}/{upload_id}", headers=TUS)).status_code == 409
    assert await media_usage(http) == (0, 0, 0)


async def test_no_byte_is_stored_that_the_plan_has_no_room_for(daemon: SharedDaemon):
    """What fits stays, until there is room for the rest; the last byte of a plan can be used."""
    tiny = daemon.new_tenant("tiny")
    async with daemon.caller(daemon.new_key(tiny).api_key) as http:
        data = noise(TINY_PLAN_BYTES + 1)
        upload_id = await begun(http, len(data))
        assert (await appended(http, upload_id, data[:9000], at=0)).status_code == 204
        problem = problem_of(await appended(http, upload_id, data[9000:], at=9000), 403)
        assert problem["type"] == "urn:engarde:problem:storage_quota_exceeded"
        assert (await media_usage(http))[2] <= TINY_PLAN_BYTES
        assert await stored(http, upload_id) == 9000

        await http.delete(f"{UPLOADS}/{upload_id}", headers=TUS)
        upload_id = await begun(http, TINY_PLAN_BYTES)
        await appended(http, upload_id, data[:9000], at=0)
        last = await appended(http, upload_id, data[9000:TINY_PLAN_BYTES], at=9000)
        assert last.status_code == 204
        assert await media_usage(http) == (1, TINY_PLAN_BYTES, 0)


async def test_an_upload_that_is_ended_is_gone(http: httpx.AsyncClient):
    """With its room."""
    upload_id = await begun(http, 100_000)
    await appended(http, upload_id, noise(50_000), at=0)
    assert (await media_usage(http))[2]

    assert (await http.delete(f"{UPLOADS}/{upload_id}", headers=TUS)).status_code == 204

    problem_of(await appended(http, upload_id, b"x", at=50_000), 404)
    problem_of(await http.delete(f"{UPLOADS}/{upload_id}", headers=TUS), 404)
    assert await media_usage(http) == (0, 0, 0)


async def test_an_upload_that_is_forgotten_is_given_up(
    daemon: SharedDaemon, http: httpx.AsyncClient, tenant: Tenant
):
    """When the time that its last answer named is over; its room comes back, and its bytes go."""
    upload_id = await begun(http, 100_000)
    answer = await appended(http, upload_id, noise(50_000), at=0)
    assert answer.headers["upload-expires"].endswith(" GMT")
    folder = daemon.process.data_dir / "media" / "media" / tenant.tenant_id
    assert len(list(folder.rglob("00001-*"))) == 1
    link = await asyncpg.connect(daemon.dsn, timeout=PATIENCE_S)
    await link.execute(
        "update engarde.media_uploads set leased_until = '-infinity' where id = $1", upload_id
    )
    await link.close()

    problem_of(await appended(http, upload_id, b"x", at=50_000), 404)
    with anyio.fail_after(PATIENCE_S):
        while (await media_usage(http))[2] or list(folder.iterdir()):
            await anyio.sleep(0.1)


async def test_a_file_is_made_though_its_sender_never_comes_again(
    http: httpx.AsyncClient, dsn: str, tenant: Tenant
):
    """A daemon died while it joined the parts: another one does, once that one is not heard of."""
    data = noise(20_000)
    upload_id = await begun(http, len(data))
    link = await asyncpg.connect(dsn, timeout=PATIENCE_S)
    await link.execute(_BEGIN_TO_JOIN, str(uuid.uuid4()), tenant.tenant_id, upload_id)
    problem_of(await appended(http, upload_id, data, at=0), 409)
    assert (await outcome_of(http, upload_id))["outcome"] is None

    for silence in (_FALL_SILENT, _IS_MISSED):
        await link.execute(silence, upload_id)
    await link.close()

    with anyio.fail_after(PATIENCE_S):
        while (await outcome_of(http, upload_id))["outcome"] is None:
            await anyio.sleep(0.1)
    assert (await http.get(f"/api/media/{upload_id}/file")).content == data


async def test_more_than_was_announced_is_refused(http: httpx.AsyncClient):
    """By its own length, or when it comes."""

    async def unmeasured() -> AsyncIterator[bytes]:
        yield noise(2000)

    upload_id = await begun(http, 1000)
    assert (await appended(http, upload_id, noise(1001), at=0)).status_code == 413
    assert problem_of(await appended(http, upload_id, unmeasured(), at=0), 413)["length_bytes"]
    assert await stored(http, upload_id) == 0
    too_large = TUS | {"Upload-Length": str(10**15)}
    assert problem_of(await http.post(UPLOADS, headers=too_large), 413)["limit_bytes"]


@pytest.mark.parametrize(
    ("headers", "field"),
    [
        ({}, "Upload-Length"),
        ({"Upload-Length": "-1"}, "Upload-Length"),
        ({"Upload-Length": "0"}, "Upload-Length"),
        ({"Upload-Length": "9", "Upload-Metadata": "filename ?"}, "Upload-Metadata"),
        ({"Upload-Length": "9", **metadata(brand_id="a/b")}, "brand_id"),
        ({"Upload-Length": "9", **metadata(content_id=str(uuid.uuid4()))}, "content_id"),
        ({"Upload-Length": "9", **BYTES, "Upload-Checksum": "crc x"}, "Upload-Checksum"),
    ],
)
async def test_a_beginning_that_is_not_understood_is_refused(
    http: httpx.AsyncClient, headers: dict[str, str], field: str
):
    """With the field that is wrong."""
    assert fields_of(await http.post(UPLOADS, headers=TUS | headers)) == {field}


async def test_a_file_that_comes_in_pieces_can_be_for_a_content(
    http: httpx.AsyncClient, stranger: httpx.AsyncClient
):
    """Of the same tenant, that is."""
    ours, theirs = (await created(http))["id"], (await created(stranger))["id"]
    data = picture()
    upload_id = await begun(http, len(data), content_id=ours)
    await appended(http, upload_id, data, at=0)
    assert (await examined(http, upload_id))["content_id"] == ours

    refused = TUS | {"Upload-Length": "9"} | metadata(content_id=theirs)
    assert fields_of(await http.post(UPLOADS, headers=refused)) == {"content_id"}


async def test_what_is_spoken_is_said(http: httpx.AsyncClient):
    """To who asks, and to who speaks something else."""
    offer = (await http.options(UPLOADS)).headers
    assert offer["tus-version"] == "1.0.0"
    assert set(offer["tus-extension"].split(",")) >= {"creation", "expiration", "termination"}

    refused = await http.post(UPLOADS, headers={"Upload-Length": "9", "Tus-Resumable": "0.2.2"})
    assert problem_of(refused, 412)["type"] == "urn:engarde:problem:tus_version"
    assert refused.headers["tus-version"] == "1.0.0"
