"""What happens to the bytes in one direction.

Owns the rule that a network never invents: whatever is done to a way, the bytes that arrive are a
prefix of those that were sent, in their order. A black hole therefore holds bytes back, as a network
does whose packets are sent again later; to lose them, break the connection meanwhile.
"""

import math
from enum import Enum, auto

import anyio
import msgspec

SLICE_S = 0.02
"""How often a throttled way sends something."""


class Harm(Enum):
    """What happens to a connection that carries certain bytes."""

    CUT = auto()
    """It breaks right behind them."""
    ANSWER_LOST = auto()
    """They arrive, and it breaks when the other side answers."""


class Mark(msgspec.Struct, frozen=True):
    """Bytes that one connection will be harmed for."""

    pattern: bytes
    harm: Harm


class Way:
    """One direction of all connections through a proxy; every fault can be changed at any time."""

    def __init__(self) -> None:
        self.latency_s = 0.0
        self.bytes_per_s = math.inf
        self.marks: list[Mark] = []
        """Whose bytes nobody has sent yet."""
        self._open = anyio.Event()
        self._open.set()

    @property
    def held(self) -> bool:
        """Whether nothing gets through."""
        return not self._open.is_set()

    def hold(self) -> None:
        """Let nothing through any more, and tell nobody."""
        if not self.held:
            self._open = anyio.Event()

    def release(self) -> None:
        """Let everything through that was held back, and all that follows."""
        self._open.set()

    def cut_after(self, pattern: bytes) -> None:
        """Break the next connection that carries these bytes, right behind them."""
        self.marks.append(Mark(pattern, Harm.CUT))

    def slice(self, data: bytes) -> bytes:
        """As much of the data as may pass at once."""
        if math.isinf(self.bytes_per_s):
            return data
        return data[: max(1, int(self.bytes_per_s * SLICE_S))]

    async def pass_gate(self, size: int) -> None:
        """Wait until these bytes may pass."""
        if not math.isinf(self.bytes_per_s):
            await anyio.sleep(size / self.bytes_per_s)
        while self.held:
            await self._open.wait()


class Trace:
    """The last bytes of one connection's way: a pattern may come in pieces."""

    def __init__(self) -> None:
        self._tail = b""

    def find(self, data: bytes, marks: list[Mark]) -> tuple[Mark, int] | None:
        """The first mark that is complete with these bytes, and how many of them it takes."""
        seen, before = self._tail + data, len(self._tail)
        self._tail = seen[-max((len(mark.pattern) for mark in marks), default=1) :]
        found = []
        for mark in marks:
            at = seen.find(mark.pattern, max(0, before - len(mark.pattern) + 1))
            if at >= 0:
                found.append((at + len(mark.pattern) - before, mark))
        if not found:
            return None
        end, mark = min(found, key=lambda one: one[0])
        return mark, end
