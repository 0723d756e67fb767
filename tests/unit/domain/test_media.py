"""What may be kept, told from names, claims and both ends of a file."""

import re
import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engarde_daemon.domain.media import (
    KINDS,
    FileTooLarge,
    MediaFile,
    MediaProperties,
    ProcessingStatus,
    TypeRefused,
    disposition_of,
    file_name_of,
    file_url,
    plain_type,
    second_nature,
    storage_path_of,
    thumbnail_path,
    thumbnail_url,
    type_of,
)

ARCHIVE_END = b"PK\x05\x06" + bytes(16)


@pytest.mark.parametrize(
    "claim", [None, "application/octet-stream", "image/jpeg", "IMAGE/JPG; q=1"]
)
def test_a_file_is_what_its_bytes_say(claim: str | None):
    """Where its sender said nothing, the same, or the same under another name."""
    assert type_of("image/jpeg", claim) == "image/jpeg"


@pytest.mark.parametrize("claim", ["image/png", "text/html", "", "image/*"])
def test_a_file_that_was_called_something_else_is_refused(claim: str):
    """Both of its names are told, the claim cut to a length that fits."""
    with pytest.raises(TypeRefused, match="bytes say image/jpeg"):
        type_of("image/jpeg", claim + "x" * 1000)


@pytest.mark.parametrize("sniffed", [None, "image/svg+xml", "text/html", "application/zip"])
def test_a_type_that_is_not_kept_is_refused(sniffed: str | None):
    """The refusal says what would have been accepted."""
    with pytest.raises(TypeRefused, match="image/webp"):
        type_of(sniffed, sniffed)


def test_every_kind_has_the_name_that_is_used_here():
    """Otherwise it could never be found."""
    assert [kind for kind in KINDS if plain_type(kind) != kind] == []


def test_an_archive_behind_a_picture_is_found():
    """Where its last record ends the file, with its comment or without."""
    comment = ARCHIVE_END + struct.pack("<H", 5) + b"hello"

    assert second_nature("image/png", b"", b"x" + ARCHIVE_END + b"\0\0") == "an archive"
    assert second_nature("image/png", b"", comment) == "an archive"
    assert second_nature("application/pdf", b"%PDF-1.7", comment) == "an archive"


def test_the_comment_of_an_archive_hides_nothing():
    """It may look like the end of another that is cut off."""
    lure = b"PK\x05\x06" + b"\xff" * 18
    tail = ARCHIVE_END + struct.pack("<H", len(lure)) + lure

    assert second_nature("image/png", b"", tail) == "an archive"


@pytest.mark.parametrize(
    "tail",
    [
        b"",
        ARCHIVE_END,
        b"PK\x05\x06",
        ARCHIVE_END + struct.pack("<H", 5) + b"hell",
    ],
)
def test_bytes_that_only_look_like_the_end_of_an_archive_are_none(tail: bytes):
    """A record that is cut, or whose comment would lie behind the end."""
    assert second_nature("image/png", b"", tail) is None


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"GIF89a<script>alert(1)</script>", "a web page or script"),
        (b"\xff\xd8\xff<!DOCTYPE html>", "a web page or script"),
        (b"\xff\xd8\xff%PDF-1.4", "a PDF document"),
        (b"\xff\xd8\xff<x:xmpmeta xmlns:x='adobe:ns:meta/'>", None),
    ],
)
def test_what_else_a_beginning_says_is_found(head: bytes, found: str | None):
    """Markup that a browser might run, and the mark of a document; not the metadata of a camera."""
    assert second_nature("image/jpeg", head, b"") == found


def test_a_document_may_be_a_document():
    """The mark of a PDF is no second nature of a PDF."""
    assert second_nature("application/pdf", b"%PDF-1.7", b"") is None


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("sun.jpg", "sun.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\sun.jpg", "sun.jpg"),
        ("a\r\nb\x00\u202ec.jpg", "abc.jpg"),
        ("Größe 🌞.png", "Größe 🌞.png"),
        ("...", "file"),
        ("", "file"),
        (None, "file"),
        ("x" * 400, "x" * 255),
    ],
)
def test_a_file_name_can_be_shown(name: str | None, shown: str):
    """No folder, nothing that moves a cursor, and not longer than a column."""
    assert file_name_of(name) == shown


@given(st.text())
def test_a_bytes_place_holds_nothing_that_anyone_chose(tenant_id: str):
    """Whatever a platform uses as the id of a tenant, it cannot lead out of its folder."""
    path = storage_path_of(tenant_id, "01a20565")

    folder, owner, name = path.split("/")
    assert (folder, name) == ("media", "01a20565")
    assert re.fullmatch("[A-Za-z0-9_-]+", owner)


def test_tenants_have_places_of_their_own():
    """A tenant cannot be given an id that leads into another's folder."""
    ids = ["acme", "../acme", "acme/", "ACME", "%61cme", "a.cme"]

    assert len({storage_path_of(tenant_id, "1") for tenant_id in ids}) == len(ids)


def test_addresses_follow_from_ids():
    """The API's for people, the store's for the daemon."""
    assert file_url("1") == "/api/media/1/file"
    assert thumbnail_url("1") == "/api/media/1/thumbnail"
    assert thumbnail_path("media/acme/1") == "media/acme/1.thumbnail"


def test_a_file_that_is_too_large_is_told_the_setting():
    """So that an operator can raise it."""
    refusal = FileTooLarge(1024)

    assert refusal.limit_bytes == 1024
    assert "[media] file_bytes_max" in refusal.detail


@pytest.mark.parametrize("status", ProcessingStatus)
def test_only_a_file_that_failed_is_not_kept(status: ProcessingStatus):
    """It can be had while it is looked into, too."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    file = MediaFile(
        id="1", tenant_id="acme", brand_id="b", user_id="u", content_id=None, file_name="sun.png",
        file_type="image", mime_type="image/png", file_size_bytes=1, sha256="0" * 64,
        storage_provider="s3", storage_path="media/acme/1", public_url=None, cdn_url=None,
        media_metadata=MediaProperties(), processing_status=status.value, failure=None,
        bigquery_synced=False, created_at=now, updated_at=now,
    )  # fmt: skip

    assert file.is_kept is (status is not ProcessingStatus.FAILED)


def test_a_document_is_saved_and_all_else_is_shown():
    """Under its own name, whatever letters and quotes it has."""
    assert disposition_of("document", 'a "b".pdf') == "attachment; filename*=UTF-8''a%20%22b%22.pdf"
    assert disposition_of("image", "☀.png") == "inline; filename*=UTF-8''%E2%98%80.png"
