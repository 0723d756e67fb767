"""Which archive the settings name."""

import time
from contextlib import AbstractAsyncContextManager

from engarde_daemon.adapters.archive.embedded import EmbeddedArchive
from engarde_daemon.config import Settings
from engarde_daemon.domain.errors import FieldError, Invalid
from engarde_daemon.ports.archive import Archive


def archive_of(settings: Settings) -> AbstractAsyncContextManager[Archive]:
    """The archive, to be opened by entering it.

    Raises:
        Invalid: This build has no archive of the mode that is asked for.
    """
    if settings.bigquery.mode == "bigquery":
        wrong = 'only "embedded" is built in'
        raise Invalid([FieldError("[bigquery] mode", wrong)])
    return EmbeddedArchive(
        settings.storage.archive_folder, timeout_s=settings.bigquery.timeout_s, now=time.time
    )
