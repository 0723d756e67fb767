"""What happens to jobs on this daemon, for whoever follows one of them here.

Owns nothing that lasts: a follower that misses a word reads the database, which knows everything
but the tokens of an answer that is not complete yet.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import anyio

WORDS_MAX = 1000


class Follower:
    """One who follows a job."""

    def __init__(self) -> None:
        self._words: deque[str] = deque(maxlen=WORDS_MAX)
        self._news = anyio.Event()

    def hear(self, word: str | None) -> None:
        """Take in a word, or that something changed."""
        if word is not None:
            self._words.append(word)
        self._news.set()

    def take_words(self) -> str:
        """Everything said since this was last asked."""
        said = "".join(self._words)
        self._words.clear()
        return said

    async def wait(self, most_s: float) -> None:
        """Wait for news, but no longer than this."""
        with anyio.move_on_after(most_s):
            await self._news.wait()
        self._news = anyio.Event()


class Bulletin:
    """Tells followers; nobody is waited for."""

    def __init__(self) -> None:
        self._followers: dict[str, set[Follower]] = {}

    def note(self, job_id: str) -> None:
        """Say that a job changed."""
        self._tell(job_id, None)

    def say(self, job_id: str, word: str) -> None:
        """Pass on a part of an answer."""
        self._tell(job_id, word)

    def is_followed(self, job_id: str) -> bool:
        """Whether anybody would hear."""
        return job_id in self._followers

    @contextmanager
    def follow(self, job_id: str) -> Iterator[Follower]:
        """Follow a job for a while."""
        follower = Follower()
        self._followers.setdefault(job_id, set()).add(follower)
        try:
            yield follower
        finally:
            followers = self._followers[job_id]
            followers.discard(follower)
            if not followers:
                del self._followers[job_id]

    def _tell(self, job_id: str, word: str | None) -> None:
        for follower in self._followers.get(job_id, ()):
            follower.hear(word)
