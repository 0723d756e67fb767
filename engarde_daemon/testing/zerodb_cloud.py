"""A ZeroDB cloud that fits into a test: the documented wire format, strictly, on a real socket.

It knows what the documentation of the hosted service says of tables and rows, and refuses everything
else: a key of a body, an operator, a path or a way of proving who calls that nobody documented is an
error here, also where the real service may let it pass. What it cannot tell is what the service
really does.

`faults` lets the next requests meet what can happen between a daemon and a service::

    async with ZeroDBCloud(api_key="sk_test") as cloud:
        # [zerodb] mode = "cloud", base_url = cloud.base_url, project_id = cloud.project_id
        cloud.faults.add(Fault.REPLY_LOST, method="POST", path_end="/rows")
        ...
        assert cloud.faults.met[Fault.REPLY_LOST] == 1

https://docs.ainative.studio/docs/zerodb/tables
"""

import copy
import uuid
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import anyio
import msgspec
from anyio.abc import Listener, SocketAttribute, SocketStream, TaskGroup
from anyio.streams.buffered import BufferedByteReceiveStream

from engarde_daemon.testing.zerodb_faults import Fault, Faults
from engarde_daemon.testing.zerodb_tables import CloudTable, Query
from engarde_daemon.testing.zerodb_wire import (
    Answer,
    Refusal,
    Request,
    encoded,
    read_request,
    send_in_crumbs,
)

__all__ = ["Fault", "ZeroDBCloud"]

HUGE_BYTES = 10_000_000

_B = TypeVar("_B", bound=msgspec.Struct)


class _NewTable(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    description: str = ""


class _NewTableBySchema(msgspec.Struct, forbid_unknown_fields=True):
    table_name: str
    schema: dict[str, Any]
    description: str = ""


class _RowData(msgspec.Struct, forbid_unknown_fields=True):
    row_data: dict[str, Any]


class ZeroDBCloud:
    """A fake of the hosted service with one project; use it as an async context manager.

    Sources disagree on how a table is made: `tables_named_by` chooses which of them is right.
    """

    def __init__(
        self,
        *,
        api_key: str = "sk_test",
        auth_scheme: Literal["x-api-key", "bearer"] = "x-api-key",
        tables_named_by: Literal["name", "table_name"] = "name",
    ) -> None:
        self.api_key = api_key
        self.project_id = str(uuid.uuid4())
        self.tables: dict[str, CloudTable] = {}
        self.faults = Faults()
        self.requests: list[tuple[str, str]] = []
        self._auth_scheme = auth_scheme
        self._creation: type[_NewTable | _NewTableBySchema]
        self._creation = _NewTable if tables_named_by == "name" else _NewTableBySchema
        self._port = 0
        self._paused_until = 0.0
        self._listener: Listener[SocketStream] | None = None
        self._resources = AsyncExitStack()
        self._tasks: TaskGroup | None = None

    @property
    def base_url(self) -> str:
        """Where it listens, as `[zerodb] base_url` names it."""
        return f"http://127.0.0.1:{self._port}/api/v1"

    async def __aenter__(self) -> Self:
        self._tasks = await self._resources.enter_async_context(anyio.create_task_group())
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
        if self._tasks is not None:
            self._tasks.cancel_scope.cancel()
        await self._resources.__aexit__(kind, error, trace)

    async def open(self) -> None:
        """Listen, after `close` on the same port again."""
        assert self._tasks is not None, "use it as an async context manager"  # noqa: S101
        multi = await anyio.create_tcp_listener(
            local_host="127.0.0.1", local_port=self._port, reuse_port=False
        )
        (listener,) = multi.listeners
        self._listener = listener
        self._port = multi.extra(SocketAttribute.local_port)  # noqa: S610 - no Django here
        self._tasks.start_soon(self._serve, listener, self._tasks)

    async def close(self) -> None:
        """Refuse connections from now on; those that are open stay open."""
        listener, self._listener = self._listener, None
        if listener is not None:
            await listener.aclose()

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The data of a table's rows, to be looked at and changed behind the daemon's back."""
        return [row.row_data for row in self.tables[table].rows.values()]

    async def _serve(self, listener: Listener[SocketStream], connections: TaskGroup) -> None:
        try:
            await listener.serve(self._talk, connections)
        except anyio.ClosedResourceError:
            return

    async def _talk(self, stream: SocketStream) -> None:
        async with stream:
            received = BufferedByteReceiveStream(stream)
            try:
                while (request := await read_request(received)) is not None:
                    if not await self._reply(stream, request):
                        return
            except (anyio.BrokenResourceError, anyio.IncompleteRead):
                return

    async def _reply(self, stream: SocketStream, request: Request) -> bool:
        """Answer a request; False where the connection ends with it."""
        self.requests.append((request.method, request.path))
        fault = self.faults.take(request.method, request.path)
        match fault:
            case Fault.BLACK_HOLE:
                await self.faults.cleared()
                return False
            case Fault.SLOW_BYTES:
                await send_in_crumbs(stream, encoded(self._carry_out(request)))
            case Fault.REPLY_LOST:
                self._carry_out(request)
                return False
            case _:
                await stream.send(encoded(self._answer(request, fault)))
        return True

    def _answer(self, request: Request, fault: Fault | None) -> Answer:
        undone = self._undone(request, fault)
        if undone is not None:
            return undone
        done = self._carry_out(request)
        match fault:
            case Fault.FAILED_AFTER:
                return _failure("after")
            case Fault.INVALID_JSON:
                return Answer(body=encoded(done)[-40:-20])
            case _:
                return _disturbed(done, fault)

    def _undone(self, request: Request, fault: Fault | None) -> Answer | None:
        """The answer to a request that is not carried out."""
        if anyio.current_time() < self._paused_until:
            self.faults.early_requests += 1
            return self._please_wait()
        match fault:
            case Fault.TOO_MANY_REQUESTS:
                self._paused_until = anyio.current_time() + self.faults.retry_after_s
                return self._please_wait()
            case Fault.FAILED_BEFORE:
                return _failure("before")
            case Fault.TOO_LARGE:
                return Answer(status=413, body={"detail": "Request entity too large"})
            case Fault.HUGE_ERROR:
                return _failure(request.body.decode() + "x" * HUGE_BYTES)
            case _:
                return None

    def _please_wait(self) -> Answer:
        headers = {"retry-after": str(self.faults.retry_after_s)}
        return Answer(status=429, body={"detail": "Too many requests"}, headers=headers)

    def _carry_out(self, request: Request) -> Answer:
        try:
            self._check_caller(request)
            return self._routed(request)
        except Refusal as refusal:
            return refusal.answer

    def _check_caller(self, request: Request) -> None:
        key, bearer = request.headers.get("x-api-key"), request.headers.get("authorization")
        shown = (key, bearer) if self._auth_scheme == "x-api-key" else (bearer, key)
        proof = self.api_key if self._auth_scheme == "x-api-key" else f"Bearer {self.api_key}"
        if shown != (proof, None):
            raise Refusal(401, "Invalid authentication credentials")

    def _routed(self, request: Request) -> Answer:
        prefix = f"/api/v1/projects/{self.project_id}/database/"
        if not request.path.startswith(prefix):
            raise Refusal(404, "Not Found")
        match request.method, *request.path.removeprefix(prefix).split("/"):
            case "GET", "tables":
                return self._list(request)
            case "POST", "tables":
                return self._create(request)
            case "POST", "tables", name, "rows":
                row = self._table(name).insert(_read(request, _RowData).row_data, _now())
                return Answer(status=201, body=msgspec.to_builtins(row))
            case "POST", "tables", name, "query":
                return Answer(body=self._table(name).query(_read(request, Query)))
            case _, "tables", name, "rows", row_id:
                return _on_row(self._table(name), row_id, request)
            case _:
                raise Refusal(404, "Not Found")

    def _list(self, request: Request) -> Answer:
        skip, limit = (int(request.query.get(name, "0")) for name in ("skip", "limit"))
        tables = [table.described() for table in self.tables.values()]
        page = tables[skip : skip + (limit or 100)]
        total = len(tables)
        more = skip + len(page) < total
        return Answer(
            body={"total": total, "skip": skip, "limit": limit, "has_more": more, "data": page}
        )

    def _create(self, request: Request) -> Answer:
        wanted = _read(request, self._creation)
        name = wanted.table_name if isinstance(wanted, _NewTableBySchema) else wanted.name
        if name in self.tables:
            raise Refusal(409, f"Table '{name}' already exists")
        self.tables[name] = CloudTable(name, self.project_id)
        return Answer(status=201, body=self.tables[name].described())

    def _table(self, name: str) -> CloudTable:
        if name not in self.tables:
            raise Refusal(404, f"Table '{name}' not found")
        return self.tables[name]


def _on_row(table: CloudTable, row_id: str, request: Request) -> Answer:
    match request.method:
        case "GET":
            return Answer(body=msgspec.to_builtins(table.row(row_id)))
        case "PUT":
            row = table.replace(row_id, _read(request, _RowData).row_data, _now())
            return Answer(body=msgspec.to_builtins(row))
        case "DELETE":
            del table.rows[table.row(row_id).row_id]
            return Answer(status=204)
        case _:
            raise Refusal(405, "Method Not Allowed")


def _read(request: Request, kind: type[_B]) -> _B:
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise Refusal(422, [{"loc": ["body"], "msg": "Input should be a valid dictionary"}])
    try:
        return msgspec.json.decode(request.body, type=kind)
    except (ValueError, RecursionError) as error:
        raise Refusal(422, [{"loc": ["body"], "msg": str(error), "input": "..."}]) from error


def _failure(story: str) -> Answer:
    return Answer(status=500, body={"detail": f"Internal error: {story}"})


def _disturbed(answer: Answer, fault: Fault | None) -> Answer:
    """The answer with what the fault does to its rows."""
    if fault is None or not isinstance(answer.body, dict):
        return answer
    body = copy.deepcopy(answer.body)
    rows = body.get("data", [body])
    if fault is Fault.DUPLICATE_ROWS:
        rows += copy.deepcopy(rows)
    if fault is Fault.FOREIGN_ROW and rows:
        rows.append(_foreign(rows[0]))
    if fault is Fault.CHANGED_BODY:
        for row in rows:
            row["row_data"]["content_body"] = "changed on the way"
    return Answer(status=answer.status, body=body, headers=answer.headers)


def _foreign(row: dict[str, Any]) -> dict[str, Any]:
    stranger = {"id": str(uuid.uuid4()), "tenant_id": str(uuid.uuid4())}
    return {**row, "row_id": str(uuid.uuid4()), "row_data": {**row["row_data"], **stranger}}


def _now() -> datetime:
    return datetime.now(UTC)
