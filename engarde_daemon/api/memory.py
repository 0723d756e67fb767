"""What was looked up a moment ago.

Owns two bounds: an answer is believed for at most `for_s`, and however many things are asked for,
no more than `most` of them are remembered.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """A question that is asked again only when its last answer is too old."""

    def __init__(
        self,
        look_up: Callable[[K], Awaitable[V]],
        *,
        clock: Callable[[], float],
        for_s: float,
        most: int,
    ) -> None:
        self._look_up = look_up
        self._clock = clock
        self._for_s = for_s
        self._most = most
        self._known: OrderedDict[K, tuple[float, V]] = OrderedDict()

    async def of(self, key: K) -> V:
        """The answer for one key.

        Raises:
            Exception: Whatever the look-up raised; that is not remembered.
        """
        remembered = self._known.get(key)
        if remembered is not None and self._clock() < remembered[0]:
            return remembered[1]
        value = await self._look_up(key)
        self._known[key] = (self._clock() + self._for_s, value)
        self._known.move_to_end(key)
        while len(self._known) > self._most:
            self._known.popitem(last=False)
        return value
