"""How many assets an import may find, for whoever asks for one.

Owns the deadline of the answer: a platform that does not answer in time holds up nobody, and the
import finds out by itself. One that says no is believed at once.
"""

import anyio

from actors.importer.keys import PlatformKeys
from engarde_daemon.domain.errors import Conflict, FieldError, Invalid
from engarde_daemon.domain.importing import Origin
from engarde_daemon.ports.importing import ImportLibrary
from engarde_daemon.ports.platforms import PlatformFault, PlatformTrouble


class Estimator:
    """Asks platforms for the size of a campaign."""

    def __init__(self, keys: PlatformKeys, library: ImportLibrary, *, patience_s: float) -> None:
        self._keys = keys
        self._library = library
        self._patience_s = patience_s

    async def estimate(self, origin: Origin) -> int:
        """How many assets the campaign has, or had when it was imported last.

        Raises:
            Conflict: There is no credential for the platform, or it is no good.
            Invalid: There is no such campaign.
            Unavailable: PostgreSQL does not answer.
        """
        try:
            with anyio.move_on_after(self._patience_s):
                platform = await self._keys.platform_of(origin.tenant_id, origin.platform)
                return await platform.count(origin.campaign_id)
        except PlatformFault as fault:
            if fault.trouble is PlatformTrouble.LOCKED:
                raise Conflict(fault.detail) from fault
            if fault.trouble is PlatformTrouble.REJECTED:
                raise Invalid([FieldError("external_campaign_id", fault.detail)]) from fault
        return await self._library.count(origin.tenant_id, origin.space_id)
