"""The form of an upload, read as it comes."""

from collections.abc import AsyncIterator

import pytest
from litestar.exceptions import HTTPException

from engarde_daemon.api.media.form import FIELD_BYTES_MAX, Form
from engarde_daemon.domain.errors import EngardeError, Invalid, Malformed

TYPE = "multipart/form-data; boundary=B"
FILE = 'Content-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png'


def part(headers: str, body: str) -> str:
    """One part of a form."""
    return f"--B\r\n{headers}\r\n\r\n{body}\r\n"


def field(name: str, value: str) -> str:
    """A part that is no file."""
    return part(f'Content-Disposition: form-data; name="{name}"', value)


async def sent(text: str, size: int) -> AsyncIterator[bytes]:
    """The form in pieces of that size, and an empty one as servers send them."""
    raw = text.encode()
    for start in range(0, len(raw), size):
        yield raw[start : start + size]
        yield b""


async def read(text: str, size: int = 7) -> tuple[Form, bytes]:
    """A form and its file, read to the end."""
    form = Form(TYPE, sent(text, size))
    chunks = await form.open()
    return form, b"".join([chunk async for chunk in chunks])


@pytest.mark.parametrize("size", [1, 2, 7, 64, 10_000])
async def test_a_form_is_the_same_however_it_is_cut(size: int):
    """Fields, name and claim of the file, and its bytes."""
    text = (
        field("brand_id", "b") + field("content_id", "c") + part(FILE, "x\r\n--\r\n-") + "--B--\r\n"
    )
    form, body = await read(text, size)

    assert form.fields == {"brand_id": "b", "content_id": "c"}
    assert (form.file_name, form.claimed_type, body) == ("a.png", "image/png", b"x\r\n--\r\n-")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (field("brand_id", "b") + "--B--\r\n", "file: is required"),
        (
            field("brand_id", "a/b") + part(FILE, "x") + "--B--\r\n",
            "brand_id: Expected `str` matching",
        ),
        (field("colour", "red") + part(FILE, "x") + "--B--\r\n", "colour: unknown field"),
        (part(FILE, "x") + field("brand_id", "b") + "--B--\r\n", "brand_id: must come before"),
        (part(FILE, "x") + part(FILE, "y") + "--B--\r\n", "file: must come before"),
        (field("brand_id", "b" * (FIELD_BYTES_MAX + 1)) + "--B--\r\n", "brand_id: is longer"),
    ],
)
async def test_a_form_that_is_not_as_it_must_be_is_refused(text: str, names: str):
    """The field is named."""
    with pytest.raises(Invalid, match=names):
        await read(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no form at all, but long enough to be one",
        part(FILE, "x"),
        part(FILE, "x") + "--B",
        part("Content-Disposition: nonsense", "x") + "--B--\r\n",
        "".join(field("brand_id", "b") for _ in range(9)) + part(FILE, "x") + "--B--\r\n",
        part(FILE + "\r\nX: " + "x" * 10_000, "x") + "--B--\r\n",
    ],
)
async def test_what_is_no_form_is_refused(text: str):
    """Cut off, without a boundary, with too many parts or headers that are too long."""
    with pytest.raises(Malformed):
        await read(text)


@pytest.mark.parametrize(
    "type_", ["", "application/json", "multipart/form-data", "multipart/mixed; boundary=B"]
)
def test_another_type_of_body_is_refused(type_: str):
    """Before anything of it is read."""
    with pytest.raises(HTTPException) as refusal:
        Form(type_, sent("", 1))

    assert refusal.value.status_code == 415


async def test_a_refused_form_says_so_before_the_file_is_kept():
    """The file's last byte is followed by the refusal, so nobody takes it for whole."""
    chunks = await Form(TYPE, sent(part(FILE, "x"), 100)).open()

    with pytest.raises(EngardeError):
        assert [chunk async for chunk in chunks] == [b"never whole"]
