"""The registrar: writes what is kept beside content, one thing at a time.

Owns the secret of a key made over HTTP: it is drawn here, goes out with the answer, and only its
fingerprint is written. The coarse time of a key's last use is written here too, off the path of
the requests it came with.
"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any, assert_never

from actors.clock import ticking
from actors.registrar.messages import (
    AddSpace,
    CreateKey,
    MadeKey,
    MadeSpace,
    NoteKeyUses,
    PutVoice,
    RegistrarMessage,
    RevokeKey,
)
from engarde_daemon.core import BatchActor, BatchLimit
from engarde_daemon.domain.access import Randomness, draw_key
from engarde_daemon.domain.errors import Conflict, NotFound, Unavailable, VersionConflict
from engarde_daemon.ports.register import KeptVoice, NewKey, Register

USES_EVERY_S = 30.0


class Registrar(BatchActor[RegistrarMessage]):
    """Keeps keys, voices and campaign spaces.

    Its state is in the database, so that one request that fails is no reason to start anew.
    """

    batch = BatchLimit(messages=1)

    def __init__(
        self,
        register: Register,
        *,
        used_keys: Callable[[], list[tuple[str, str]]],
        randomness: Randomness,
    ) -> None:
        self._register = register
        self._used_keys = used_keys
        self._randomness = randomness

    async def started(self, resources: AsyncExitStack) -> None:
        """Begin to note the use of keys."""
        await ticking(resources, self.own, NoteKeyUses(), every_s=USES_EVERY_S)

    async def stopping(self) -> None:
        """Note the last uses."""
        await self._note_key_uses()

    async def receive_batch(self, messages: Sequence[RegistrarMessage]) -> Sequence[Any]:
        """Do what is asked, one thing at a time."""
        return [await self._serve(message) for message in messages]

    async def _serve(self, message: RegistrarMessage) -> Any:
        match message:
            case CreateKey():
                return await self._create_key(message)
            case RevokeKey(tenant_id=tenant_id, key_id=key_id):
                revoked_at = await self._register.revoke_key(tenant_id, key_id)
                if revoked_at is None:
                    raise NotFound("There is no such key.")
                return revoked_at
            case AddSpace(space):
                return MadeSpace(*await self._register.add_space(space))
            case PutVoice():
                return await self._put_voice(message)
            case NoteKeyUses():
                return await self._note_key_uses()
            case _:
                assert_never(message)

    async def _create_key(self, wish: CreateKey) -> MadeKey:
        # Row ids are computed: the same promise meets the key that it made before.
        key = draw_key(self._randomness, id_from=_digest(wish) if wish.promise else None)
        record = await self._register.add_key(
            NewKey(
                key_id=key.id,
                tenant_id=wish.tenant_id,
                brand_id=wish.brand_id,
                brand_ids=wish.brand_ids,
                user_id=wish.user_id,
                role=wish.role,
                name=wish.name,
                digest=key.digest,
                expires_at=wish.expires_at,
                created_by=wish.created_by,
            )
        )
        if record is None:
            raise Conflict(
                f"This Idempotency-Key made the key {key.id} before, whose secret was shown once. "
                "If it is lost, delete that key and make another."
            )
        return MadeKey(key, record)

    async def _put_voice(self, wish: PutVoice) -> KeptVoice:
        kept = await self._register.put_voice(
            wish.tenant_id, wish.brand_id, voice=wish.voice, by=wish.by, expected=wish.expected
        )
        if isinstance(kept, int):
            raise VersionConflict(kept, of="The voice")
        return kept

    async def _note_key_uses(self) -> None:
        used = self._used_keys()
        if used:
            with suppress(Unavailable):  # coarse by design: the next use notes it again
                await self._register.note_key_uses(used)


def _digest(wish: CreateKey) -> bytes:
    return hashlib.sha256(f"{wish.tenant_id}\n{wish.promise}".encode()).digest()
