"""The platform's issuer of tokens: a real server that publishes keys, counts who asks, and fails.

It signs whatever it is told to, so that a test can also forge what no issuer would sign.
"""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

ISSUER = "https://identity.example.com/"
AUDIENCE = "engarde-content"
LIFE_S = 600


class Issuer:
    """Keys by id, each with the algorithm that its tokens name."""

    def __init__(self) -> None:
        self.keys: dict[str, tuple[Key, str]] = {}
        self.published: list[str] = []
        self.asked = 0
        self.answers = True
        self.garbage: bytes | None = None
        self.redirect_to = ""
        self.url = ""

    def add(self, key_id: str, algorithm: str = "RS256") -> None:
        """Make a key and publish it."""
        self.keys[key_id] = (_drawn(key_id, algorithm), algorithm)
        self.published.append(key_id)

    @property
    def status(self) -> int:
        """How it answers now."""
        if self.redirect_to:
            return 302
        return 200 if self.answers else 503

    def share(self, secret: str) -> None:
        """Sign with a secret under the names `shared` and, by another algorithm, `shared384`."""
        key = OctKey.import_key(secret)
        self.keys |= {"shared": (key, "HS256"), "shared384": (key, "HS384")}

    def jwks(self) -> bytes:
        """What is published now."""
        if self.garbage is not None:
            return self.garbage
        described = []
        for key_id in self.published:
            key, algorithm = self.keys[key_id]
            described.append({**key.as_dict(private=False), "alg": algorithm, "use": "sig"})
        return json.dumps({"keys": described}).encode()

    def token(self, key_id: str, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token with the claims it needs, changed or (with None) left out as told."""
        head = {"alg": self.keys[key_id][1], "kid": key_id, "typ": "JWT", **(header or {})}
        said = json.dumps(claims_of(**claims))
        return self.signed(key_id, json.dumps(head).encode(), said.encode())

    def signed(self, key_id: str, header: bytes, payload: bytes) -> str:
        """Any bytes, signed as a token would be."""
        key, algorithm = self.keys[key_id]
        signing = f"{segment(header)}.{segment(payload)}"
        model = jws.JWSRegistry.algorithms[algorithm]
        return f"{signing}.{segment(model.sign(signing.encode(), key))}"


def claims_of(**claims: Any) -> dict[str, Any]:
    """The claims of a token that is valid now, changed as told; None leaves one out."""
    now = int(time.time())
    said = {"iss": ISSUER, "aud": AUDIENCE, "exp": now + LIFE_S, "iat": now, **claims}
    return {name: value for name, value in said.items() if value is not None}


def segment(raw: bytes) -> str:
    """Bytes as a part of a token."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@contextmanager
def publishing(issuer: Issuer) -> Iterator[Issuer]:
    """Serve the issuer's keys on a local port, as long as the block runs."""

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked += 1
            body = issuer.jwks()
            self.send_response(issuer.status)
            if issuer.redirect_to:
                self.send_header("location", issuer.redirect_to)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Keys)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    issuer.url = f"http://127.0.0.1:{server.server_port}/jwks.json"
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _drawn(key_id: str, algorithm: str) -> Key:
    parameters: Any = {"kid": key_id}
    if algorithm.startswith(("RS", "PS")):
        return RSAKey.generate_key(2048, parameters)
    if algorithm.startswith("ES"):
        return ECKey.generate_key("P-256", parameters)
    if algorithm.startswith("HS"):
        return OctKey.generate_key(256, parameters)
    return OKPKey.generate_key("Ed25519", parameters)
