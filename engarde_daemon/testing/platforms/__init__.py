"""Ad platforms on this machine, as strict as the real ones and as moody as they are told to be."""

from engarde_daemon.testing.platforms.google_ads import FakeGoogleAds
from engarde_daemon.testing.platforms.meta import FakeMeta
from engarde_daemon.testing.platforms.server import Trouble

__all__ = ["FakeGoogleAds", "FakeMeta", "Trouble"]
