"""Where the parts of an upload lie, and what they must add up to."""

import hashlib

import pytest

from engarde_daemon.domain.resuming import (
    Checksum,
    ChecksumMismatch,
    MoreThanAnnounced,
    OffsetMismatch,
    UploadTaken,
    part_path,
    parts_folder,
)


def test_a_late_writer_overwrites_nothing():
    """Its part has another name than that of whoever came after it, in the same folder."""
    late, later = part_path("media/t/u", 3, 1), part_path("media/t/u", 3, 2)

    assert late != later
    assert {late.rpartition("/")[0], later.rpartition("/")[0]} == {parts_folder("media/t/u")}
    assert not parts_folder("media/t/u").startswith("media/t/u/")


@pytest.mark.parametrize("algorithm", Checksum.ALGORITHMS)
def test_a_checksum_knows_its_bytes(algorithm: str):
    """However they come, and no others."""
    fits = Checksum(algorithm, hashlib.new(algorithm, b"abc").digest())
    fits.update(b"a")
    fits.update(b"bc")
    fits.check()

    fits.update(b"d")
    with pytest.raises(ChecksumMismatch):
        fits.check()


def test_refusals_say_where_to_go_on():
    """In words and as members of the problem."""
    assert OffsetMismatch(7).members() == {"upload_offset": 7}
    assert MoreThanAnnounced(9).members() == {"length_bytes": 9}
    assert "HEAD" in UploadTaken().detail
