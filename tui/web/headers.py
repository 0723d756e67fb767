"""What every answer tells the browser it may not do, and whether a request comes from our own page.

Owns the promise that a foreign page can neither speak for a visitor nor show our page in a frame,
and that nothing is loaded from anywhere else: the dashboard works without the internet.
"""

from urllib.parse import urlsplit

from aiohttp import web

# The terminal's script (textual-serve 1.1, xterm.js) writes style elements.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Not `no-referrer`: with it Chromium calls the origin of our own form `null`.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


async def protect(request: web.Request, response: web.StreamResponse) -> None:
    """Give an answer its headers."""
    response.headers.update(_HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")
    if request.path.startswith(("/terminal/", "/page/")):
        response.headers["Cache-Control"] = "no-cache"


def is_own_page(request: web.Request) -> bool:
    """Whether a page of ours sent this: browsers name the page's origin and let no page lie."""
    origin = urlsplit(request.headers.get("Origin", ""))
    return origin.scheme in {"http", "https"} and origin.netloc == request.host


def is_encrypted(request: web.Request) -> bool:
    """Whether the browser came by TLS, to us or to the proxy before us."""
    return request.secure or request.headers.get("X-Forwarded-Proto") == "https"
