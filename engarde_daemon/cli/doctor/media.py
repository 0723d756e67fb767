"""Whether the bytes of media files have a place to go."""

import os
import uuid
from pathlib import Path
from urllib.parse import unquote, urlsplit

import anyio

from engarde_daemon.adapters.media.opening import open_media_store
from engarde_daemon.cli.doctor.findings import Finding, State
from engarde_daemon.cli.doctor.host import ground_of
from engarde_daemon.config import Settings
from engarde_daemon.domain.errors import EngardeError

_NAME = "media store"
_ADVICE = "See [media] in engarde.toml; uploads and downloads answer 503 until then."


async def check_media(settings: Settings) -> Finding:
    """Whether the store answers; nothing is written to it."""
    url = settings.media.url
    folder = settings.storage.media_folder if url == "embedded" else _folder_of(url)
    if folder is not None:
        return _check_folder(folder)
    try:
        with anyio.fail_after(settings.media.timeout_s):
            store = open_media_store(
                url,
                endpoint=settings.media.endpoint,
                embedded_folder=settings.storage.media_folder,
                timeout_s=settings.media.timeout_s,
            )
            async for _ in store.list(f"doctor-{uuid.uuid4()}/"):
                break
    except (EngardeError, TimeoutError) as error:
        return Finding(_NAME, State.FAULT, f"{url}: {str(error)[:200] or 'no answer'}", _ADVICE)
    return Finding(_NAME, State.OK, f"{url} answers")


def _folder_of(url: str) -> Path | None:
    return Path(unquote(urlsplit(url).path)) if url.startswith("file:") else None


def _check_folder(folder: Path) -> Finding:
    ground = ground_of(folder)
    if not os.access(ground, os.W_OK | os.X_OK):
        return Finding(_NAME, State.FAULT, f"{ground} cannot be written to", _ADVICE)
    made = "" if ground == folder else ", not made yet"
    return Finding(_NAME, State.OK, f"a folder, {folder}{made}")
