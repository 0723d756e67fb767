"""Whether a daemon runs here, and what it says of itself to whoever asks without a key."""

from collections.abc import Mapping

import httpx
import msgspec
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from engarde_daemon.config import Settings

ANSWER_LIMIT_S = 5.0

Labels = Mapping[str, str]


class _Noted(msgspec.Struct):
    base_url: str


class _Liveness(msgspec.Struct):
    stuck: list[str]


class _Readiness(msgspec.Struct):
    reason: str | None


class Presence(msgspec.Struct, frozen=True, kw_only=True):
    """A daemon that answers; `unready` is why it cannot promise a write, if it cannot."""

    base_url: str
    unready: str | None
    stuck: tuple[str, ...]
    samples: tuple[Sample, ...]

    def value(self, name: str, **labels: str) -> float | None:
        """The value of one metric, or None where there is none."""
        return next((sample.value for sample in self.of(name) if _has(sample, labels)), None)

    def of(self, name: str) -> list[Sample]:
        """Every sample of a metric."""
        return [sample for sample in self.samples if sample.name == name]

    @property
    def version(self) -> str:
        """Which version of the program runs."""
        built = self.of("engarde_build_info")
        return built[0].labels["version"] if built else "unknown"

    def state_of(self, store: str) -> str | None:
        """How far the daemon trusts a store."""
        held = (s for s in self.of("engarde_store_state") if s.value and _has(s, {"store": store}))
        return next((sample.labels["state"] for sample in held), None)


def address_of(settings: Settings) -> str:
    """Where the daemon of these settings listens; it notes down what its command line said."""
    try:
        noted = settings.storage.credentials_file.read_bytes()
        return msgspec.json.decode(noted, type=_Noted).base_url
    except (OSError, msgspec.DecodeError):
        return settings.server.base_url


async def find_daemon(settings: Settings) -> Presence | None:
    """Ask the daemon how it is; None where nobody answers like one."""
    base_url = address_of(settings)
    async with httpx.AsyncClient(
        base_url=base_url, timeout=ANSWER_LIMIT_S, trust_env=False
    ) as http:
        try:
            alive, ready, measures = [
                await http.get(path) for path in ("/healthz", "/readyz", "/metrics")
            ]
            return Presence(
                base_url=base_url,
                unready=msgspec.json.decode(ready.content, type=_Readiness).reason,
                stuck=tuple(msgspec.json.decode(alive.content, type=_Liveness).stuck),
                samples=_samples(measures.text),
            )
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):  # somebody else listens there
            return None


def _samples(exposition: str) -> tuple[Sample, ...]:
    families = text_string_to_metric_families(exposition)
    return tuple(sample for family in families for sample in family.samples)


def _has(sample: Sample, labels: Labels) -> bool:
    return all(sample.labels.get(name) == value for name, value in labels.items())
