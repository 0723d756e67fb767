"""What clients called and heard, and when.

Owns the clock: all clients of a history share it, so that "before" means the same to all of them. An
answer is noted after it was heard and a call before it is made, so an operation's time is never too
short, and a verdict of "not linearizable" is never the recorder's fault.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One call to one object, with its answer where one was heard."""

    item: str
    call: Any
    answer: Any = None
    began: float
    ended: float = math.inf
    """Infinite where no answer was heard: what was called may still happen."""
    client: str = ""

    @property
    def is_open(self) -> bool:
        """Whether nobody knows if it happened."""
        return math.isinf(self.ended)


class History:
    """The operations of one test, to be noted by its clients."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._under_way: dict[int, Operation] = {}
        self._over: list[Operation] = []
        self._serial = 0

    def called(self, item: str, call: Any, *, client: str = "") -> int:
        """Note a call before it is made, and give its number."""
        self._serial += 1
        now = self._clock()
        self._under_way[self._serial] = Operation(item=item, call=call, began=now, client=client)
        return self._serial

    def answered(self, number: int, answer: Any) -> None:
        """Note what was heard; a call that is never answered stays open."""
        call = self._under_way.pop(number)
        self._over.append(msgspec.structs.replace(call, answer=answer, ended=self._clock()))

    def refused(self, number: int) -> None:
        """Forget a call of which it is certain that it did nothing and told nothing."""
        del self._under_way[number]

    def __len__(self) -> int:
        return len(self._over) + len(self._under_way)

    def by_item(self) -> Iterator[tuple[str, Sequence[Operation]]]:
        """Give each object's operations, in the order of their calls."""
        items: dict[str, list[Operation]] = defaultdict(list)
        for operation in (*self._over, *self._under_way.values()):
            items[operation.item].append(operation)
        for item, operations in items.items():
            yield item, sorted(operations, key=lambda operation: operation.began)
