"""No text that looks like a path leads to a file."""

from pathlib import Path

import httpx
import pytest

from tests.acceptance.attack.surface import Operation
from tests.acceptance.media.uploads import send
from tests.support.daemon import SharedDaemon
from tests.support.pictures import picture

PATHS = (
    "../../../../../../etc/passwd",
    "..%2f..%2f..%2f..%2fetc%2fpasswd",
    "..%252f..%252fetc%252fpasswd",
    "%2e%2e/%2e%2e/etc/passwd",
    "....//....//etc/passwd",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "..\\..\\etc\\passwd",
    "credentials.json",
    "..%2fcredentials.json",
    "%00../etc/passwd",
    "C:%5Cwindows%5Cwin.ini",
)
SECRETS = (b"root:", b"operator_key")


async def test_no_id_of_a_path_is_a_file(attacker: httpx.AsyncClient, operations: list[Operation]):
    """Each is an id that nobody has, or a route that is none."""
    for one in operations:
        for path in PATHS if "{" in one.path else ():
            answer = await attacker.request(one.method, one.filled(path), json=one.body)
            assert answer.status_code in range(300, 500), f"{one.name}: {answer.status_code}"
            assert not [secret for secret in SECRETS if secret in answer.content]


async def test_no_route_leads_to_a_file(attacker: httpx.AsyncClient):
    """Below whatever root."""
    for root in ("", "docs/", "schema/", "api/", "api/media/", "static/"):
        for path in PATHS:
            answer = await attacker.get(f"/{root}{path}")
            assert answer.status_code in {400, 401, 403, 404, 405}, f"{root}{path}"
            assert not [secret for secret in SECRETS if secret in answer.content]


NAMES = (
    "../../../evil.png",
    "/etc/evil.png",
    "..\\..\\evil.png",
    "evil\x00.png",
    'evil".png; filename="other.html',
    "evil\r\nX-Injected: 1.png",
    "\u202egnp.live",
    "." * 300 + ".png",
    "con.png",
)


@pytest.mark.parametrize("name", NAMES)
async def test_the_name_of_a_file_is_only_shown(
    daemon: SharedDaemon, attacker: httpx.AsyncClient, name: str
):
    """The bytes lie where the daemon says, whatever the file is called."""
    data = picture(colour=len(name))
    answer = await send(attacker, data, name=name)
    assert answer.status_code in {201, 422}, answer.text

    assert _files_called_evil(daemon.process.data_dir.parent) == []
    if answer.status_code == 201:
        file = await attacker.get(answer.json()["url"])
        assert file.content == data
        assert "x-injected" not in file.headers
        shown = file.headers["content-disposition"]
        assert shown.isascii()
        assert shown.isprintable()
        assert "html" not in shown.partition("filename*=")[0]
        assert not set('/\\"') & set(shown.partition("filename*=UTF-8''")[2])


def _files_called_evil(place: Path) -> list[Path]:
    return [path for path in place.rglob("*evil*") if path.is_file()]


async def test_no_field_of_an_upload_is_a_path(attacker: httpx.AsyncClient):
    """An upload goes to a brand and a content that there are, or nowhere."""
    for field in ("brand_id", "content_id"):
        for path in PATHS[:3]:
            answer = await send(attacker, picture(), **{field: path})
            assert answer.status_code in {404, 422}, f"{field} {path}: {answer.text}"
