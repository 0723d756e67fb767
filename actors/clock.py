"""Regular reminders.

Owns the rule that reminders never crowd out real work: when a mailbox is half full, this one is
left out.
"""

from contextlib import AsyncExitStack, suppress
from typing import Any

import anyio

from engarde_daemon.core import ActorStopped, Address, MailboxFull, Message


async def ticking(
    resources: AsyncExitStack, address: Address[Any], reminder: Message, *, every_s: float
) -> None:
    """Send the reminder now and then, for as long as `resources` are open."""
    tasks = await resources.enter_async_context(anyio.create_task_group())
    resources.callback(tasks.cancel_scope.cancel)
    tasks.start_soon(_tick, address, reminder, every_s)


async def _tick(address: Address[Any], reminder: Message, every_s: float) -> None:
    with suppress(ActorStopped):
        while True:
            with suppress(MailboxFull):
                if address.depth * 2 <= address.capacity:
                    address.offer(reminder)
            await anyio.sleep(every_s)
