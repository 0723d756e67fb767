"""The page for people is complete as it is."""

from html.parser import HTMLParser

from engarde_daemon.api.app import CONTROLLERS
from engarde_daemon.api.openapi.document import describe
from engarde_daemon.api.openapi.page import page_of

DOCUMENT = describe(CONTROLLERS, version="1")


class Reader(HTMLParser):
    """Notes what a browser would fetch, jump to, and leave open."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.fetched: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        told = dict(attrs)
        self.tags.append(tag)
        self.ids |= {told["id"] or ""} if "id" in told else set()
        self.links |= {told["href"] or ""} if tag == "a" else set()
        self.fetched += [told[name] or "" for name in ("src", "srcset", "data") if name in told]


READER = Reader(page_of(DOCUMENT))


def test_nothing_is_fetched_or_run():
    """Neither from the internet nor from here: it works on a machine that has no way out."""
    assert READER.fetched == []
    assert not {"script", "link", "img", "iframe"} & set(READER.tags)
    assert all(link.startswith(("#", "/")) for link in READER.links)


def test_every_operation_and_schema_has_its_place():
    """And every link within the page leads to one."""
    names = {o["operationId"] for methods in DOCUMENT["paths"].values() for o in methods.values()}

    assert names | DOCUMENT["components"]["schemas"].keys() == READER.ids
    assert {link.removeprefix("#") for link in READER.links if link[0] == "#"} <= READER.ids


def test_text_is_escaped():
    """A description is text, whatever it holds."""
    hostile = {**DOCUMENT, "info": {"title": "<script>", "version": "&"}}

    assert "script" not in Reader(page_of(hostile)).tags
