"""The newest lines of this daemon's log, over HTTP."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, get
from msgspec import Meta

from engarde_daemon.api.access import reaches
from engarde_daemon.api.content.listing import query_of
from engarde_daemon.api.contract import Answer, promise
from engarde_daemon.api.decoding import decode_query
from engarde_daemon.api.giving import Given
from engarde_daemon.domain.access import Principal, Role
from engarde_daemon.protocol import LogLevel, LogPage
from engarde_daemon.recent_log import RecentLog


class LogLines(LogPage, frozen=True, kw_only=True):
    """Some lines of the log, the oldest first; `cursor` goes on after them."""


class LogQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which lines: at least this important, with this word, after this cursor or the newest."""

    after: Annotated[str, Meta(max_length=40)] = ""
    level: LogLevel = LogLevel.DEBUG
    search: Annotated[str, Meta(max_length=200)] = ""
    limit: Annotated[int, Meta(ge=1, le=500)] = 200


class LogController(Controller):
    """Read the log of the daemon that answers; each daemon has its own."""

    path = "/api/admin/log"
    tags = ("admin",)
    guards = (reaches(Role.OPERATOR),)

    @get(
        operation_id="readLog",
        opt=promise(
            query=LogQuery,
            answers={
                200: Answer(
                    says="Lines of the log but those of requests, secrets blotted out.",
                    shape=LogLines,
                )
            },
        ),
    )
    async def read(
        self, request: Request[Principal, Any, Any], recent_log: Given[RecentLog]
    ) -> LogPage:
        """The newest lines, or those after a cursor: ask again with the one that was answered."""
        query = decode_query(query_of(request.scope["query_string"]), LogQuery)
        word = query.search.casefold()
        if query.after:
            return recent_log.after(query.after, query.limit, least=query.level, word=word)
        return recent_log.newest(query.limit, least=query.level, word=word)
