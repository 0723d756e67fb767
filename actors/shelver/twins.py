"""What is known of jobs' answers, so that those that say nearly the same are found.

Owns that the database decides: before pieces are judged, everything that was answered before them is
read, by whichever daemon. What is remembered here only spares reading it again, so that it may be
forgotten at any time, and is, the job first that was not looked at for longest.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable

from engarde_daemon.domain.twins import Answers
from engarde_daemon.ports.generation import Claim, JobKey, WorkBench

PIECES_MAX = 40_000
"""About two kilobytes each."""
READ_AT_ONCE = 1_000


class Twins:
    """Finds earlier pieces of a job that are like another."""

    def __init__(self, bench: WorkBench) -> None:
        self._bench = bench
        self._jobs: OrderedDict[str, Answers] = OrderedDict()

    async def learn(self, claims: Iterable[Claim]) -> None:
        """Read what was answered for the jobs of these claims since it was read last.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        behind = {JobKey(c.tenant_id, c.job_id) for c in claims if c.spec.target_count > 1}
        for key in behind:
            self._jobs.setdefault(key.job_id, Answers())
            self._jobs.move_to_end(key.job_id)
        while behind:
            places = {key: self._jobs[key.job_id].last_place for key in behind}
            answers = await self._bench.signatures(places, most=READ_AT_ONCE)
            for answer in answers:
                self._jobs[answer.job_id].add(answer)
            counts = Counter(answer.job_id for answer in answers)
            behind = {key for key in behind if counts[key.job_id] == READ_AT_ONCE}
        self._forget()

    def twin_of(self, claim: Claim) -> int | None:
        """The number of the earlier piece that this one is like."""
        answers = self._jobs.get(claim.job_id)
        return answers.twin_of(claim.number) if answers else None

    def _forget(self) -> None:
        count = sum(map(len, self._jobs.values()))
        while count > PIECES_MAX and len(self._jobs) > 1:
            _, answers = self._jobs.popitem(last=False)
            count -= len(answers)
