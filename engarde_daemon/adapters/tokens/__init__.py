"""The platform's tokens: JSON Web Tokens (RFC 7519), read as strictly as RFC 8725 advises."""

from engarde_daemon.adapters.tokens.issuer import IssuerKeys, SharedSecret
from engarde_daemon.adapters.tokens.verifier import SignerOf, TokenRules, TokenVerifier

__all__ = ["IssuerKeys", "SharedSecret", "SignerOf", "TokenRules", "TokenVerifier"]
