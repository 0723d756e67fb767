"""Uploads that can be resumed: where their parts lie, and what may be appended to them."""

import hashlib
import hmac

from engarde_daemon.domain.errors import Conflict, Rejected

PART_BYTES = 8 * 1024 * 1024
"""How much is stored before it is written down: no more than this is lost with a daemon."""
PARTS_MAX = 10_000


class OffsetMismatch(Conflict):
    """What was sent does not begin where the upload ends; `upload_offset` is where that is."""

    type_ = "offset_mismatch"
    title = "The upload is at another byte"
    upload_offset: int

    def __init__(self, upload_offset: int) -> None:
        super().__init__(
            f"{upload_offset} bytes of it are stored. Ask with HEAD, then go on there."
        )
        self.upload_offset = upload_offset


class UploadTaken(Conflict):
    """Someone else went on with the upload, or it was ended."""

    type_ = "upload_taken"
    title = "Another request went on with this upload"

    def __init__(self) -> None:
        super().__init__(
            "Ask with HEAD how far it is, then go on there, with one request at a time."
        )


class MoreThanAnnounced(Rejected):
    """More was sent than the upload was said to hold."""

    type_ = "more_than_announced"
    title = "More bytes than were announced"
    status = 413
    length_bytes: int

    def __init__(self, length_bytes: int) -> None:
        super().__init__(f"The upload was announced with {length_bytes} bytes (Upload-Length).")
        self.length_bytes = length_bytes


class ChecksumMismatch(Rejected):
    """What came is not what its checksum says; nothing of it was kept."""

    type_ = "checksum_mismatch"
    title = "The bytes do not fit their checksum"
    status = 460  # https://tus.io/protocols/resumable-upload#checksum


def parts_folder(storage_path: str) -> str:
    """Where the parts of an upload lie, and nothing else."""
    return f"{storage_path}.parts"


def part_path(storage_path: str, number: int, token: int) -> str:
    """Where one part lies.

    A writer that is late has another token, so that it overwrites nothing of who came after it.
    """
    return f"{parts_folder(storage_path)}/{number:05}-{token}"


class Checksum:
    """What some bytes must add up to."""

    ALGORITHMS = ("md5", "sha1", "sha256")

    def __init__(self, algorithm: str, expected: bytes) -> None:
        self._digest = hashlib.new(algorithm, usedforsecurity=False)
        self._expected = expected

    def update(self, chunk: bytes) -> None:
        """Take some bytes into account."""
        self._digest.update(chunk)

    def check(self) -> None:
        """Let pass bytes that are the ones that were meant.

        Raises:
            ChecksumMismatch: They are others.
        """
        if not hmac.compare_digest(self._digest.digest(), self._expected):
            raise ChecksumMismatch("Send them again from the same offset (Upload-Checksum).")
