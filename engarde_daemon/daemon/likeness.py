"""Search by meaning, where it is switched on."""

from contextlib import AsyncExitStack, closing

from engarde_daemon.adapters.likeness.embedded import EmbeddedLikeness
from engarde_daemon.adapters.likeness.model import require_extra
from engarde_daemon.config import Settings
from engarde_daemon.ports.likeness import LikenessIndex


def open_likeness(settings: Settings, resources: AsyncExitStack) -> LikenessIndex | None:
    """The index of likeness, or None where `[search] semantic` is off.

    Raises:
        Unavailable: The extra is not installed.
    """
    if not settings.search.semantic:
        return None
    require_extra()
    folder = settings.storage.zerodb_folder
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    index = EmbeddedLikeness(folder, timeout_s=settings.zerodb.timeout_s)
    return resources.enter_context(closing(index))
