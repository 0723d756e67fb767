"""Routes that skip what Litestar does for others, and still do everything that it promises."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from litestar import Litestar, Request, Response
from litestar.di import Provide
from litestar.params import FromPath
from litestar.testing import AsyncTestClient

from engarde_daemon.api.giving import Given
from engarde_daemon.api.routing import Ready, get, post

Asked = Request[Any, Any, Any]
Client = AsyncTestClient[Litestar]


class Book:
    """What handlers are given; it knows who was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []


@get("/whole/{name:str}")
async def whole(request: Asked, name: FromPath[str], book: Given[Book]) -> Ready:
    """Answer in the last form."""
    book.asked.append(name)
    return Ready(f"{request.method} {name}".encode(), headers=[(b"content-type", b"text/plain")])


@get("/wrong/{number:int}")
async def wrong(request: Asked, number: FromPath[int]) -> Ready:
    """Answer never."""
    raise LookupError(f"{request.method} {number + 1}")


@post("/nothing", status_code=204)
async def nothing(request: Asked, book: Given[Book]) -> None:
    """Answer with nothing, and be called once."""
    book.asked.append(request.method)


async def refuse_drafts(request: Asked) -> None:
    """Let pass who brings no draft."""
    if "draft" in request.headers:
        raise LookupError("a draft")


def tell(request: Asked, error: Exception) -> Response[str]:
    """Make an answer of an error."""
    del request
    return Response(str(error), status_code=418)


@pytest.fixture
def book() -> Book:
    """An empty book."""
    return Book()


@pytest.fixture
async def client(book: Book) -> AsyncIterator[Client]:
    """Somebody who asks an application with these routes."""
    app = Litestar(
        route_handlers=[whole, wrong, nothing],
        dependencies={"book": Provide(lambda: book, sync_to_thread=False)},
        before_request=refuse_drafts,
        exception_handlers={LookupError: tell},
        openapi_config=None,
        logging_config=None,
    )
    async with AsyncTestClient(app) as client:
        yield client


async def test_a_whole_answer_is_made_of_what_was_given(client: Client, book: Book):
    """The book, the request, and what the path says."""
    answer = await client.get("/whole/me")

    assert (answer.status_code, answer.text, book.asked) == (200, "GET me", ["me"])


async def test_what_is_asked_first_may_refuse(client: Client, book: Book):
    """Then the handler is not called."""
    answer = await client.get("/whole/me", headers={"draft": "yes"})

    assert (answer.status_code, answer.text, book.asked) == (418, "a draft", [])


async def test_an_error_is_answered_as_everywhere(client: Client):
    """And a number in the path is a number."""
    answer = await client.get("/wrong/41")

    assert (answer.status_code, answer.text) == (418, "GET 42")


async def test_a_handler_without_an_answer_is_called_once(client: Client, book: Book):
    """Litestar takes a hook that gave nothing for one that has not answered."""
    answer = await client.post("/nothing")

    assert (answer.status_code, book.asked) == (204, ["POST"])
