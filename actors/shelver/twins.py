"""What is known of jobs' answers, so that those that say nearly the same are found.

Owns that the database decides: before pieces are judged, everything that was answered before them is
read, by whichever daemon. What is remembered here only spares reading it again, so that it may be
forgotten at any time, and is, the job first that was not looked at for longest.
"""

from collections import Counter, OrderedDict
from collections.abc import Sequence

from actors.shelver.messages import Shelve
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

    async def learn(self, messages: Sequence[Shelve]) -> None:
        """Know what was answered for the jobs of these messages before them.

        Answers of a job are numbered without gaps: where the next number is what a message brings,
        nobody else has answered meanwhile, and there is nothing to read.

        Raises:
            Unavailable: PostgreSQL does not answer.
        """
        signed = [message.signed for message in messages if message.signed]
        for answer in sorted(signed, key=lambda one: one.place):
            answers = self._answers_of(answer.job_id)
            if answer.place == answers.last_place + 1:
                answers.add(answer)
        await self._read({_key_of(m.claim) for m in messages if self._is_behind(m)})
        self._forget()

    def twin_of(self, claim: Claim) -> int | None:
        """The number of the earlier piece that this one is like."""
        answers = self._jobs.get(claim.job_id)
        return answers.twin_of(claim.number) if answers else None

    async def _read(self, behind: set[JobKey]) -> None:
        while behind:
            places = {key: self._answers_of(key.job_id).last_place for key in behind}
            answers = await self._bench.signatures(places, most=READ_AT_ONCE)
            for answer in answers:
                self._jobs[answer.job_id].add(answer)
            counts = Counter(answer.job_id for answer in answers)
            behind = {key for key in behind if counts[key.job_id] == READ_AT_ONCE}

    def _is_behind(self, message: Shelve) -> bool:
        if message.claim.spec.target_count == 1:
            return False
        last_place = self._answers_of(message.claim.job_id).last_place
        return message.signed is None or message.signed.place > last_place

    def _answers_of(self, job_id: str) -> Answers:
        answers = self._jobs.setdefault(job_id, Answers())
        self._jobs.move_to_end(job_id)
        return answers

    def _forget(self) -> None:
        count = sum(1 + len(answers) for answers in self._jobs.values())
        while count > PIECES_MAX and len(self._jobs) > 1:
            _, answers = self._jobs.popitem(last=False)
            count -= 1 + len(answers)


def _key_of(claim: Claim) -> JobKey:
    return JobKey(claim.tenant_id, claim.job_id)
