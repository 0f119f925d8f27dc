"""Issuers of signed tokens, and a gateway as a team writes one that hands a token's tenant to the database."""

import base64
import json
import time
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from .sides import Side

AUDIENCE = "attacked"


class Issuer:
    """An identity provider with one key."""

    def __init__(self, name: str, kid: str) -> None:
        self.name, self.kid = f"https://{name}.example", kid
        self._key = Ed25519PrivateKey.generate()

    def token(self, tenant: str, **changed: Any) -> str:
        now = int(time.time())
        claims = {"iss": self.name, "aud": AUDIENCE, "sub": "x", "tenant": tenant, "iat": now, "exp": now + 60} | changed
        parts = [{"alg": "EdDSA", "kid": self.kid}, {name: value for name, value in claims.items() if value is not None}]
        signed = ".".join(_encoded(json.dumps(part).encode()) for part in parts)
        return f"{signed}.{_encoded(self._key.sign(signed.encode()))}"

    def signed(self, token: str) -> bool:
        text, _, signature = token.rpartition(".")
        try:
            self._key.public_key().verify(_decoded(signature), text.encode())
        except InvalidSignature:
            return False
        return True

    def register(self, side: Side, *tenants: str) -> None:
        """Makes the key one that the guarded database accepts for these tenants."""
        jwk = json.dumps({"kty": "OKP", "crv": "Ed25519", "x": _encoded(self._key.public_key().public_bytes_raw())})
        side.admin("select tenancy.add_signing_key(%s, %s, %s, %s, %s)", self.name, self.kid, jwk, AUDIENCE, list(tenants))

    def remove(self, side: Side) -> None:
        side.admin("select tenancy.remove_signing_key(%s, %s)", self.name, self.kid)


class Gateway:
    """Verifies a token with the key of its kid, and takes its tenant at its word."""

    def __init__(self, *issuers: Issuer) -> None:
        self._keys = {issuer.kid: issuer for issuer in issuers}  # one name space: the last one wins

    def tenant(self, token: str) -> str | None:
        head, claims, _ = token.split(".")
        if not self._keys[json.loads(_decoded(head))["kid"]].signed(token):
            return None
        return str(json.loads(_decoded(claims))["tenant"])


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
