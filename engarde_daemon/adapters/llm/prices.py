"""What providers charge, from the price list that comes with `genai-prices`.

Owns the late import: the list is two megabytes of code, which a daemon that never generates with a
paid model does not load. What the list does not know has no price, which is not the same as 0.
"""

from decimal import Decimal

from anyio import CapacityLimiter, to_thread

from engarde_daemon.domain.estimates import Price
from engarde_daemon.domain.generation import Mode

FREE = Price(input_usd=Decimal(0), output_usd=Decimal(0))

MODELS_MAX = 1000

_LISTED = {"openai": "openai", "anthropic": "anthropic"}
_TOKENS = 1000
_PER_MILLION = 1000


class ListedPrices:
    """The `PriceList` port."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, Mode], Price | None] = {}
        self._threads: CapacityLimiter | None = None

    async def price(self, kind: str, model: str, mode: Mode = Mode.DIRECT) -> Price | None:
        """See `PriceList.price`."""
        if kind == "template":
            return FREE
        if kind not in _LISTED:
            return None
        if (kind, model, mode) not in self._known:
            if self._threads is None:  # it belongs to an event loop
                self._threads = CapacityLimiter(1)
            if len(self._known) >= MODELS_MAX:  # names are tenants' to choose
                self._known.clear()
            found = await to_thread.run_sync(_look_up, kind, model, mode, limiter=self._threads)
            self._known[kind, model, mode] = found
            return found
        return self._known[kind, model, mode]


def _look_up(kind: str, model: str, mode: Mode) -> Price | None:
    from genai_prices import Usage, calc_price  # noqa: PLC0415 - see the module's docstring

    try:
        found = calc_price(
            Usage(input_tokens=_TOKENS, output_tokens=_TOKENS),
            model_ref=model,
            provider_id=_LISTED[kind],
            price_context={"processing": "batch"} if mode is Mode.BATCH else None,
        )
    except LookupError:
        return None
    return Price(
        input_usd=found.input_price * _PER_MILLION, output_usd=found.output_price * _PER_MILLION
    )
