"""From `[media] url` to the store that it names.

Credentials come from where each cloud's own tools look for them: the environment, or the machine.
"""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from obstore.store import GCSStore, S3Store

from engarde_daemon.adapters.media.objects import FolderMediaStore, ObjectMediaStore
from engarde_daemon.domain.media import StorageProvider

EMBEDDED = "embedded"
RETRIES_MAX = 3

_QUICK_RETRIES: Any = {
    "max_retries": RETRIES_MAX,
    "backoff": {
        "init_backoff": timedelta(milliseconds=100),
        "max_backoff": timedelta(seconds=2),
        "base": 2.0,
    },
    "retry_timeout": timedelta(seconds=15),
}


def open_media_store(
    url: str, *, endpoint: str, embedded_folder: Path, timeout_s: float
) -> ObjectMediaStore:
    """The store behind a URL; nothing is asked of it yet."""
    if url == EMBEDDED:
        return FolderMediaStore(embedded_folder, StorageProvider.ZERODB_BINARY, timeout_s=timeout_s)
    place = urlsplit(url)
    if place.scheme == "file":
        return FolderMediaStore(
            Path(unquote(place.path)), StorageProvider.FILE, timeout_s=timeout_s
        )
    client = {"timeout": timedelta(seconds=timeout_s), "allow_http": endpoint.startswith("http:")}
    if place.scheme == "gs":
        return ObjectMediaStore(
            _google(place, endpoint, client), StorageProvider.GCS, timeout_s=timeout_s
        )
    return ObjectMediaStore(
        _amazon(place, endpoint, client), StorageProvider.S3, timeout_s=timeout_s
    )


def _amazon(place: SplitResult, endpoint: str, client: Any) -> S3Store:
    elsewhere: Any = (
        {"endpoint": endpoint, "virtual_hosted_style_request": False} if endpoint else {}
    )
    return S3Store(
        place.netloc,
        prefix=_prefix(place),
        client_options=client,
        retry_config=_QUICK_RETRIES,
        **elsewhere,
    )


def _google(place: SplitResult, endpoint: str, client: Any) -> GCSStore:
    # Only a key file can name another endpoint (object_store 0.12); one without OAuth asks nobody.
    key = {
        "gcs_base_url": endpoint,
        "disable_oauth": True,
        "client_email": "",
        "private_key": "",
        "private_key_id": "",
    }
    elsewhere: Any = {"config": {"service_account_key": json.dumps(key)}} if endpoint else {}
    return GCSStore(
        place.netloc,
        prefix=_prefix(place),
        client_options=client,
        retry_config=_QUICK_RETRIES,
        **elsewhere,
    )


def _prefix(place: SplitResult) -> str | None:
    return unquote(place.path.strip("/")) or None
