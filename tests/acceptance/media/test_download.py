"""`GET /api/media/{id}/file`: whole, in part, not again, and harmless."""

import httpx
import pytest

from tests.acceptance.content import problem_of
from tests.acceptance.media.uploads import examined, uploaded
from tests.support.pictures import noise, picture

PDF = "application/pdf"


async def test_a_file_comes_back_as_it_was_sent(http: httpx.AsyncClient):
    """With its type, its length, and its hash as entity tag."""
    data = picture("JPEG")
    made = await uploaded(http, data, type_="image/jpeg")
    answer = await http.get(made["url"])

    assert answer.content == data
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-length"] == str(len(data))
    assert answer.headers["etag"] == f'"{made["sha256"]}"'
    assert answer.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [("bytes=0-9", 0, 10), ("bytes=2999990-", 2_999_990, 3_000_000), ("bytes=-5", 2_999_995, 3_000_000),
     ("bytes=1000-2500000", 1000, 2_500_001)],
)  # fmt: skip
async def test_a_part_of_a_file_comes_back(
    http: httpx.AsyncClient, wanted: str, start: int, end: int
):
    """As a player asks for it."""
    data = noise(3_000_000)
    made = await uploaded(http, data, type_=PDF)
    answer = await http.get(made["url"], headers={"Range": wanted})

    assert answer.status_code == 206
    assert answer.content == data[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(data)}"


async def test_a_part_behind_the_end_is_refused(http: httpx.AsyncClient):
    """With the size that the file has."""
    made = await uploaded(http)
    answer = await http.get(made["url"], headers={"Range": "bytes=99999999-"})

    assert problem_of(answer, 416)["size_bytes"] == made["size_bytes"]


async def test_a_part_of_another_file_is_not_sent(http: httpx.AsyncClient):
    """`If-Range` names the file that the caller has the rest of."""
    made = await uploaded(http)
    tags = {f'"{made["sha256"]}"': 206, '"another"': 200}

    for tag, status in tags.items():
        headers = {"Range": "bytes=0-9", "If-Range": tag}
        assert (await http.get(made["url"], headers=headers)).status_code == status


async def test_a_file_that_the_caller_has_is_not_sent_again(http: httpx.AsyncClient):
    """304, and nothing else."""
    made = await uploaded(http)
    tag = f'"{made["sha256"]}"'
    answer = await http.get(made["url"], headers={"If-None-Match": tag})

    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == tag


async def test_a_file_is_shown_and_never_run(http: httpx.AsyncClient):
    """Not as another type, not as a page of this origin; a document is saved."""
    shown = await http.get((await uploaded(http, name='a"; x.png'))["url"])
    saved = await http.get((await uploaded(http, noise(100), name="é.pdf", type_=PDF))["url"])

    assert shown.headers["x-content-type-options"] == "nosniff"
    assert shown.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert shown.headers["content-disposition"] == "inline; filename*=UTF-8''a%22%3B%20x.png"
    assert saved.headers["content-disposition"] == "attachment; filename*=UTF-8''%C3%A9.pdf"


async def test_a_file_without_a_thumbnail_says_so(http: httpx.AsyncClient):
    """As a document has none."""
    made = await uploaded(http, noise(100), type_=PDF)
    await examined(http, made["id"])

    problem_of(await http.get(f"/api/media/{made['id']}/thumbnail"), 404)


async def test_files_are_listed_newest_first(http: httpx.AsyncClient):
    """A page at a time."""
    made = [(await uploaded(http, picture(colour=n)))["id"] for n in range(3)]
    page = (await http.get("/api/media", params={"pageSize": 2})).json()
    cursor = page["pagination"]["nextCursor"]
    rest = (await http.get("/api/media", params={"pageSize": 2, "cursor": cursor})).json()

    assert [file["id"] for file in page["data"] + rest["data"]] == made[::-1]
    assert rest["pagination"]["nextCursor"] is None
