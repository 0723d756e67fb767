"""Files are opened where they can harm nobody, and what they are comes out of it."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from engarde_daemon.adapters.media.examining import ExaminationLimits, ProcessExaminer, finding_in
from engarde_daemon.adapters.media.objects import FolderMediaStore
from engarde_daemon.domain.errors import Corrupt
from engarde_daemon.domain.media import StorageProvider
from engarde_daemon.ports.media import Case, Finding
from tests.conformance.media_stores import chunks_of
from tests.support.pictures import archive, boasting_png, picture, playlist, sound, video

LIMITS = ExaminationLimits(pixels_max=1_000_000, memory_bytes=2**30, seconds=30)
PATH = "media/acme/1"


async def look(
    folder: Path, data: bytes, mime_type: str, limits: ExaminationLimits = LIMITS
) -> Finding:
    """What is found in a file of that type."""
    store = FolderMediaStore(folder, StorageProvider.FILE, timeout_s=20)
    await store.put(PATH, chunks_of(data))
    return await ProcessExaminer(store, folder / "spool", limits).examine(case_of(data, mime_type))


def cut_before(box: bytes, data: bytes) -> bytes:
    """As much of a file as arrived before that box of ISO/IEC 14496-12 began."""
    return data[: data.index(box) - len(box)]


def case_of(data: bytes, mime_type: str) -> Case:
    """A file to look at."""
    return Case(
        id="1",
        tenant_id="acme",
        storage_path=PATH,
        mime_type=mime_type,
        file_size_bytes=len(data),
        attempts=1,
        lease_token=1,
    )


@pytest.mark.parametrize(
    "answer", [b"", b"\n", b"no JSON\n", b"\xff\n", b'{"properties":"wide"}\n', b"[" * 100_000]
)
def test_a_process_that_answers_nonsense_found_nothing(answer: bytes):
    """A file that has taken it over may say anything, and must not harm the curator."""
    assert finding_in(answer) is None


def test_what_a_process_says_is_wrong_is_bounded_and_is_text():
    """It is kept with the file, and shown."""
    found = finding_in(b'{"failure":"a\\u0000b' + b"x" * 10_000 + b'"}\n')

    assert found is not None
    assert found.failure is not None
    assert found.failure.startswith("a bx")
    assert len(found.failure) == 300


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "AVIF"])
async def test_a_picture_tells_its_size(tmp_path: Path, kind: str):
    """And gives a thumbnail."""
    found = await look(tmp_path, picture(kind, (640, 480)), f"image/{kind.lower()}")

    told = found.properties
    assert (told.width, told.height, told.format, found.failure) == (640, 480, kind.lower(), None)
    assert found.thumbnail is not None
    assert found.thumbnail[8:12] == b"WEBP"


@pytest.mark.parametrize(
    ("container", "codec", "mime_type", "format_", "name"),
    [
        ("mp4", "mpeg4", "video/mp4", "mp4", "mpeg4"),
        ("mov", "mpeg4", "video/quicktime", "quicktime", "mpeg4"),
        ("webm", "libvpx", "video/webm", "webm", "vp8"),
    ],
)
async def test_a_video_tells_what_it_holds(
    tmp_path: Path, container: str, codec: str, mime_type: str, format_: str, name: str
):
    """Size, length, codec and bit rate, and a picture out of it."""
    found = await look(tmp_path, video(container, codec), mime_type)

    told = found.properties
    assert (told.width, told.height, told.duration) == (64, 48, 2)
    assert (told.format, told.codec) == (format_, name)
    assert told.bitrate
    assert found.thumbnail


async def test_a_sound_tells_its_length(tmp_path: Path):
    """It has no size and no picture."""
    found = await look(tmp_path, sound(), "audio/wav")

    assert (found.properties.duration, found.properties.codec) == (1, "pcm_s16le")
    assert found.thumbnail is None


@pytest.mark.parametrize(
    ("data", "mime_type", "why"),
    [
        (boasting_png(100_000, 100_000), "image/png", "more than 1000000 pixels"),
        (boasting_png(1_001, 1_000), "image/png", "more than 1000000 pixels"),
        (boasting_png(1_000, 1_000), "image/png", "cannot be read as image/png"),
        (picture("PNG")[:60], "image/png", "cannot be read as image/png"),
        (picture("JPEG"), "image/png", "cannot be read as image/png"),
        (picture("PNG") + archive(), "image/png", "archive at the same time"),
        (cut_before(b"moov", video()), "video/mp4", "cannot be read as video/mp4"),
        (sound(), "video/mp4", "cannot be read as video/mp4"),
    ],
    ids=["bomb", "barely", "empty", "cut", "other", "archive", "cut-video", "sound"],
)
async def test_what_cannot_be_kept_is_told_why(
    tmp_path: Path, data: bytes, mime_type: str, why: str
):
    """A bomb, a liar, a chimera or a torso."""
    found = await look(tmp_path, data, mime_type)

    assert found.failure is not None
    assert why in found.failure
    assert found.thumbnail is None


@pytest.fixture
def trap() -> Iterator[socket.socket]:
    """A port that nobody may knock at."""
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0)
        yield trap


@pytest.mark.parametrize("mime_type", ["video/mp4", "video/webm", "audio/mpeg"])
async def test_a_playlist_makes_nobody_call(tmp_path: Path, trap: socket.socket, mime_type: str):
    """Not even where it is called a video."""
    url = f"http://127.0.0.1:{trap.getsockname()[1]}/secret.ts"
    found = await look(tmp_path, playlist(url), mime_type)

    assert found.failure is not None
    with pytest.raises(BlockingIOError):
        trap.accept()


async def test_a_file_that_takes_too_long_is_given_up(tmp_path: Path):
    """And its process with it."""
    limits = ExaminationLimits(pixels_max=1_000_000, memory_bytes=2**30, seconds=0.001)
    before = set(psutil.Process().children())
    found = await look(tmp_path, picture(), "image/png", limits)

    assert found.failure == "Reading the file took more time than a file may take."
    assert set(psutil.Process().children()) <= before


@pytest.mark.skipif(sys.platform != "linux", reason="the limit on memory is Linux's")
async def test_a_file_that_takes_too_much_memory_is_given_up(tmp_path: Path):
    """It ends its own process, and nobody else's."""
    limits = ExaminationLimits(pixels_max=10**9, memory_bytes=2**28, seconds=30)
    found = await look(tmp_path, picture("PNG", (9000, 9000)), "image/png", limits)

    assert found.failure == "The file cannot be read as image/png."


async def test_a_file_whose_bytes_are_gone_is_told_apart(tmp_path: Path):
    """That is the store's fault, not the file's."""
    store = FolderMediaStore(tmp_path, StorageProvider.FILE, timeout_s=20)
    examiner = ProcessExaminer(store, tmp_path / "spool", LIMITS)

    with pytest.raises(Corrupt):
        await examiner.examine(case_of(b"x", "image/png"))
