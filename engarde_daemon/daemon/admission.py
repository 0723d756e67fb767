"""Everything between a caller and a route, put together from the settings.

Owns the choice of how tokens are proved: by a secret, by the issuer's published keys, or not at all.
"""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime

from actors.auditor.actor import Auditor
from actors.locksmith.actor import Locksmith
from actors.registrar.actor import Registrar
from engarde_daemon.adapters.http import Gate, open_client
from engarde_daemon.adapters.postgres.keys import PostgresKeyDirectory
from engarde_daemon.adapters.postgres.media import PostgresMediaLibrary
from engarde_daemon.adapters.postgres.register import PostgresRegister, PostgresRegisterReader
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.adapters.tokens import (
    IssuerKeys,
    SharedSecret,
    SignerOf,
    TokenRules,
    TokenVerifier,
)
from engarde_daemon.adapters.tokens.publication import Publication
from engarde_daemon.api.access import Doorman, Keyring, ProveToken
from engarde_daemon.api.app import AccessServices
from engarde_daemon.api.brands.controller import BrandDesk
from engarde_daemon.api.campaigns.controller import SpaceDesk
from engarde_daemon.api.fence import Fence
from engarde_daemon.api.keys.desk import KeyDesk
from engarde_daemon.api.origins import Origins
from engarde_daemon.api.rates import Rates
from engarde_daemon.api.tokens import Seek, Tokens, asking
from engarde_daemon.api.trail import Trail
from engarde_daemon.config import Settings
from engarde_daemon.config.settings import Auth
from engarde_daemon.core import Supervisor
from engarde_daemon.daemon.identifiers import new_id
from engarde_daemon.domain.access import Role

WRITE_TIMEOUT_S = 20.0
SEEK_GRACE_S = 1.0


class Admission:
    """Adds the actors of access to the tree, and gives the edge what it needs of them."""

    def __init__(self, settings: Settings, sessions: Sessions, pipelines: Supervisor) -> None:
        self._settings = settings
        self._pipelines = pipelines
        self._directory = PostgresKeyDirectory(
            sessions.readers, patience_s=settings.postgres.request_timeout_s
        )
        self._keyring = Keyring(self._directory, time.monotonic)
        self._kept = PostgresRegister(sessions.writers)
        self.register = PostgresRegisterReader(
            sessions.readers, patience_s=settings.postgres.request_timeout_s
        )
        self.media = PostgresMediaLibrary(sessions.readers)
        self.fence = Fence(self.register, self.register, self.media, clock=time.monotonic)
        self._signing = self._signing_keys()
        self.doorman = Doorman(self._keyring, self._token_proof(settings.auth))
        self.origins = Origins(settings.cors.allow_origins)
        self.rates = Rates(
            per_principal=settings.limits.requests_per_min_principal,
            per_tenant=settings.limits.requests_per_min_tenant,
            clock=time.monotonic,
        )
        self.trail = self._add_auditor()
        self._add_desks()

    def prepare(self, settings: Settings) -> Callable[[], None]:
        """Make ready for other limits and other ways to prove tokens; to be called to take them."""
        limits, is_other = settings.limits, settings.auth != self._settings.auth
        proof = self._token_proof(settings.auth) if is_other else None

        def commit() -> None:
            self._settings = settings
            self.rates.adopt(
                per_principal=limits.requests_per_min_principal,
                per_tenant=limits.requests_per_min_tenant,
            )
            if is_other:
                self.doorman.adopt(proof)

        return commit

    def services(self) -> AccessServices:
        """What the application needs."""
        return AccessServices(
            authenticate=self.doorman.authenticate,
            rates=self.rates,
            origins=self.origins,
            trail=self.trail,
            fence=self.fence,
            register=self.register,
            keys=self.keys,
            brands=self.brands,
            spaces=self.spaces,
        )

    def _add_auditor(self) -> Trail:
        keep_days = self._settings.audit.keep_days
        auditor = self._pipelines.add(
            "auditor",
            lambda: Auditor(self._kept, keep_days=keep_days, clock=time.monotonic),
            capacity=4096,
        )
        return Trail(auditor, now=lambda: datetime.now(UTC), new_id=new_id)

    def _add_desks(self) -> None:
        registrar = self._pipelines.add(
            "registrar",
            lambda: Registrar(
                self._kept, used_keys=self._keyring.take_used, randomness=secrets.token_bytes
            ),
            capacity=256,
        )
        self.keys = KeyDesk(
            registrar=registrar,
            register=self.register,
            fence=self.fence,
            now=lambda: datetime.now(UTC),
            timeout_s=WRITE_TIMEOUT_S,
        )
        self.brands = BrandDesk(
            registrar=registrar,
            register=self.register,
            fence=self.fence,
            timeout_s=WRITE_TIMEOUT_S,
        )
        self.spaces = SpaceDesk(
            registrar=registrar,
            register=self.register,
            fence=self.fence,
            new_id=new_id,
            timeout_s=WRITE_TIMEOUT_S,
        )

    def _signing_keys(self) -> tuple[SignerOf, Seek] | None:
        """The keys that the issuer publishes, and who seeks them, where the settings name them."""
        auth = self._settings.auth
        if not auth.jwks_url:
            return None
        fetch = _publication(self._settings).fetch
        keys = IssuerKeys(fetch, lasts_s=auth.jwks_lasts_s, clock=time.monotonic)
        return keys.signer_of, self._add_locksmith(keys, auth)

    def _token_proof(self, auth: Auth) -> ProveToken | None:
        if self._signing is not None:
            return self._tokens(auth, *self._signing).prove
        if auth.jwt_secret:
            return self._tokens(auth, SharedSecret(auth.jwt_secret).signer_of, None).prove
        return None

    def _tokens(self, auth: Auth, signer_of: SignerOf, seek: Seek | None) -> Tokens:
        return Tokens(
            TokenVerifier(_rules(auth), signer_of, now=time.time),
            self._directory,
            seek=seek,
            role_words=_role_words(auth),
            clock=time.monotonic,
            now=time.time,
        )

    def _add_locksmith(self, keys: IssuerKeys, auth: Auth) -> Seek:
        locksmith = self._pipelines.add(
            "locksmith",
            lambda: Locksmith(
                keys, refresh_s=auth.jwks_refresh_s, seek_s=auth.jwks_seek_s, clock=time.monotonic
            ),
            capacity=256,
        )
        return asking(locksmith, timeout_s=auth.jwks_timeout_s + SEEK_GRACE_S)


def _publication(settings: Settings) -> Publication:
    gate = Gate(allow_private=settings.limits.allow_private_addresses)
    client, auth = open_client(gate, connections=1), settings.auth
    return Publication(client, auth.jwks_url, timeout_s=auth.jwks_timeout_s)


def _rules(auth: Auth) -> TokenRules:
    return TokenRules(
        issuer=auth.issuer,
        audience=auth.audience,
        leeway_s=auth.leeway_s,
        tenant_claim=auth.tenant_claim,
        brand_claim=auth.brand_claim,
        role_claim=auth.role_claim,
    )


def _role_words(auth: Auth) -> dict[str, Role]:
    """Which word stands for which role; the lowest where one stands for several."""
    listed = (
        (auth.operator_roles, Role.OPERATOR),
        (auth.admin_roles, Role.ADMIN),
        (auth.editor_roles, Role.EDITOR),
        (auth.viewer_roles, Role.VIEWER),
    )
    return {word: role for words, role in listed for word in words}
