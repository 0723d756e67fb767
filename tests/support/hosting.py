"""A daemon that one test after the other visits, through all its lives.

Owns that tests which share it do not see each other: each is a tenant of its own, and finds a daemon
that lives. What a test asks of all tenants at once holds for those of earlier tests as well.
"""

import secrets
import uuid

import asyncpg
import msgspec

from engarde_daemon.adapters.postgres.administration import Administration, Holder
from engarde_daemon.domain.access import Role
from tests.support.patience import PATIENCE_S
from tests.support.running import Credentials, Daemon


class HostDaemon(Daemon):
    """A daemon whose callers are its guest, once there was one."""

    guest: Credentials | None = None

    @property
    def credentials(self) -> Credentials:
        """Those of the tenant who visits now, or of the first one."""
        return self.guest or super().credentials

    async def receive_guest(self, plan: str = "enterprise") -> Credentials:
        """Make a tenant, as whose administrator everybody calls from now on."""
        if not self.alive:
            await self.start()
        link = await asyncpg.connect(self.dsn, timeout=PATIENCE_S)
        try:
            office = Administration(
                link, new_id=lambda: str(uuid.uuid4()), randomness=secrets.token_bytes
            )
            made = await office.create_tenant("A guest's", plan)
            holder = msgspec.convert(made, Holder, from_attributes=True)
            key = await office.create_key(holder, Role.ADMIN)
        finally:
            link.terminate()
        self.guest = msgspec.structs.replace(
            super().credentials, **msgspec.structs.asdict(holder), api_key=key.text
        )
        return self.guest
