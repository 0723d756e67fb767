"""The watch over ZeroDB and the archive: probes, samples, and the steps between states.

Owns what follows from a step: it is logged, counted and told to operators, and when ZeroDB answers
again, what was put off is carried at once.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

import anyio
import msgspec
import structlog

from engarde_daemon.domain.breaker import BreakerState
from engarde_daemon.domain.errors import Unavailable
from engarde_daemon.domain.events import EventType
from engarde_daemon.domain.failover import Failover, Sight, Transition, ZeroDBState
from engarde_daemon.domain.records import RecordKey, Standing
from engarde_daemon.domain.recovery import fault_of
from engarde_daemon.domain.vitals import StoreVitals, Waiting
from engarde_daemon.ports.bodies import BodyStore
from engarde_daemon.ports.crossing import Signpost
from engarde_daemon.ports.doors import Door
from engarde_daemon.ports.outbox import Outbox
from engarde_daemon.ports.recovery import Bulletin, Latches, Samples

ZERODB = "zerodb"
ARCHIVE = "archive"
EXPEDITED_MOST = 100_000
ANSWERING = frozenset({ZeroDBState.RECOVERING, ZeroDBState.HEALTHY})
_NOBODYS = RecordKey("", "00000000-0000-0000-0000-000000000000", 1, "")

_LOG = structlog.get_logger("engarde.recovery")

Look = Callable[[], Awaitable[object]]


class WatchRules(msgspec.Struct, frozen=True, kw_only=True):
    """How long a probe may take, and how much a sample holds."""

    probe_timeout_s: float = 1.5
    sampled_reads: int = 20


class StoreWatch:
    """What the health actor knows of the stores outside, through all its restarts."""

    def __init__(
        self,
        *,
        zerodb: Door,
        store: BodyStore,
        archive: Door | None,
        ask_archive: Look,
        failover: Failover,
        latches: Latches,
        signpost: Signpost,
        use: Callable[[str | None], None],
        samples: Samples,
        bulletin: Bulletin,
        outbox: Outbox,
        wake_delivery: Callable[[], None],
        rules: WatchRules,
    ) -> None:
        self.latches = latches
        self._zerodb = zerodb
        self._store = store
        self._archive = archive
        self._ask_archive = ask_archive
        self._failover = failover
        self._signpost = signpost
        self._use = use
        self._samples = samples
        self._bulletin = bulletin
        self._outbox = outbox
        self._wake_delivery = wake_delivery
        self._rules = rules
        self._reason = ""
        self._steps: Counter[str] = Counter()
        self._archive_was = BreakerState.CLOSED
        self._archive_steps: Counter[str] = Counter()

    async def look(self, waiting: Waiting | None) -> None:
        """Probe, and take whatever step follows; `waiting` is what waits for ZeroDB."""
        async with anyio.create_task_group() as probes:
            probes.start_soon(self._probe_zerodb)
            probes.start_soon(self._probe_archive)
        if step := self._failover.see(await self._sight(waiting)):
            await self._take(step)

    async def obey(self) -> None:
        """Hold, release and use what operators ordered, on this daemon or another.

        Raises:
            Unavailable: PostgreSQL does not answer; everything stays as it is.
        """
        self._use(await self._signpost.in_use())
        breaker = self._zerodb.breaker
        is_latched = ZERODB in await self.latches.latched()
        if is_latched and breaker.state is not BreakerState.HELD_OPEN:
            breaker.hold()
        elif not is_latched:
            breaker.release()

    def vitals(self) -> Mapping[str, StoreVitals]:
        """How the stores are treated now."""
        zerodb = StoreVitals(
            state=self._failover.state,
            breaker=self._zerodb.breaker.state,
            lasts_s=self._failover.lasts_s,
            reason=self._reason,
            steps=dict(self._steps),
            failures=self._zerodb.breaker.failures_in_a_row,
            failure=self._zerodb.failure,
            latency_s=self._zerodb.breaker.latency_s,
        )
        if self._archive is None:
            return {ZERODB: zerodb}
        return {ZERODB: zerodb, ARCHIVE: self._archive_vitals(self._archive)}

    def _archive_vitals(self, archive: Door) -> StoreVitals:
        state = archive.breaker.state
        return StoreVitals(
            state=ZeroDBState.HEALTHY if state is BreakerState.CLOSED else ZeroDBState.DEGRADED,
            breaker=state,
            lasts_s=0.0,
            reason="" if state is BreakerState.CLOSED else "the archive failed too often",
            steps=dict(self._archive_steps),
            failures=archive.breaker.failures_in_a_row,
            failure=archive.failure,
            latency_s=archive.breaker.latency_s,
        )

    async def _probe_zerodb(self) -> None:
        await self._zerodb.probe(
            lambda: self._store.standing([_NOBODYS]), timeout_s=self._rules.probe_timeout_s
        )

    async def _probe_archive(self) -> None:
        """Look only where calls found it ill: a question to BigQuery costs money."""
        if self._archive is None:
            return
        state = self._archive.breaker.state
        if state is not self._archive_was:
            self._archive_was = state
            self._archive_steps[state] += 1
            _LOG.warning("archive", breaker=state)
        if state is not BreakerState.CLOSED:
            await self._archive.probe(self._ask_archive, timeout_s=self._rules.probe_timeout_s)

    async def _sight(self, waiting: Waiting | None) -> Sight:
        breaker = self._zerodb.breaker
        sight = Sight(
            breaker=breaker.state,
            failures_in_a_row=breaker.failures_in_a_row,
            backlog_age_s=waiting.oldest_age_s if waiting else None,
            verified=0,
        )
        if (
            self._failover.state is ZeroDBState.RECOVERING
            and sight.breaker is BreakerState.CLOSED
            and self._failover.has_drained(sight)
        ):
            return msgspec.structs.replace(sight, verified=await self._verify())
        return sight

    async def _verify(self) -> int:
        """Read a sample, and give how many of its reads were right; all or none count."""
        with suppress(Unavailable, TimeoutError), anyio.fail_after(self._rules.probe_timeout_s * 2):
            keys = await self._samples.sample(self._rules.sampled_reads)
            found = await self._store.standing(keys) if keys else {}
            missing = sum(fault_of(found.get(key.id, Standing()), key) is not None for key in keys)
            if missing == 0:
                return self._rules.sampled_reads
            self._reason = (
                f"ZeroDB answers, but has lost {missing} of {len(keys)} sampled versions: "
                "restore them with `engarde restore content`"
            )
            _LOG.error("sampled reads failed", missing=missing, of=len(keys))
        return 0

    async def _take(self, step: Transition) -> None:
        self._reason = step.reason
        self._steps[step.after] += 1
        _LOG.warning("zerodb", before=step.before, after=step.after, reason=step.reason)
        with suppress(Unavailable):
            if step.after in ANSWERING:
                await self._outbox.expedite(ZERODB, most=EXPEDITED_MOST)
                self._wake_delivery()
            await self._bulletin.post(
                EventType.RECOVERY_STATE_CHANGED,
                {"store": ZERODB, "from": step.before, "to": step.after, "reason": step.reason},
            )
