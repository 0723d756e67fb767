"""What bytes look like, for everything that is kept and for what is refused most often."""

import pytest

from engarde_daemon.adapters.media.sniffing import sniff
from engarde_daemon.domain.media import KINDS, plain_type
from tests.support.pictures import archive, picture, playlist, sound, video

SAMPLES = {
    "image/jpeg": picture("JPEG"),
    "image/png": picture("PNG"),
    "image/gif": picture("GIF"),
    "image/webp": picture("WEBP"),
    "image/avif": picture("AVIF"),
    "video/mp4": video("mp4"),
    "video/quicktime": video("mov"),
    "video/webm": video("webm", "libvpx"),
    "audio/mpeg": b"ID3\x04\x00\x00\x00\x00\x00\x00\xff\xfb\x90\x00",
    "audio/mp4": b"\0\0\0\x20ftypM4A \0\0\0\0",
    "audio/wav": sound(),
    "audio/ogg": b"OggS\x00\x02" + bytes(50),
    "application/pdf": b"%PDF-1.7\n",
}


def test_there_is_a_sample_of_everything_that_is_kept():
    """A kind without a sample is a kind nobody knows the bytes of."""
    assert SAMPLES.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", SAMPLES)
def test_what_is_kept_is_recognised(kind: str):
    """By its bytes alone."""
    assert plain_type(sniff(SAMPLES[kind])) == kind


def test_sound_that_starts_without_a_tag_is_recognised():
    """At its first frame."""
    assert sniff(b"\xff\xfb\x90\x00" + bytes(100)) == "audio/mpeg"


@pytest.mark.parametrize(
    "head",
    [b"", b"hello", b"<html>", b"<svg xmlns='x'/>", archive(), playlist("http://x/"), b"MZ\x90\0"],
)
def test_what_is_not_kept_looks_like_nothing_that_is(head: bytes):
    """Whatever it is called, it is no kind of ours."""
    assert plain_type(sniff(head) or "") not in KINDS
