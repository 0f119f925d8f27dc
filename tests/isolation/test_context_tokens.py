"""Tokens, from the signer to the rows: every algorithm, every claim, and where they must not show."""

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from context_world import Tenant, World, bodies, enter, refused, world  # noqa: F401
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from harness import Server, wait_for
from psycopg import ClientCursor

ISSUER = "https://login.example.com"
AUDIENCE = "app"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int, size: int) -> str:
    return b64(value.to_bytes(size, "big"))


class Signer:
    """A key pair of its own for one algorithm, and the tokens it signs."""

    def __init__(self, algorithm: str, kid: str = "k1") -> None:
        self.algorithm, self.kid = algorithm, kid
        make: dict[str, Callable[[], tuple[dict[str, str], Callable[[bytes], bytes]]]] = {
            "EdDSA": self._eddsa,
            "HS256": self._hs256,
            "RS256": self._rs256,
            "ES256": self._es256,
        }
        self.jwk, self.signature = make[algorithm]()

    def _eddsa(self) -> tuple[dict[str, str], Callable[[bytes], bytes]]:
        key = ed25519.Ed25519PrivateKey.generate()
        return {"kty": "OKP", "crv": "Ed25519", "x": b64(key.public_key().public_bytes_raw())}, key.sign

    def _hs256(self) -> tuple[dict[str, str], Callable[[bytes], bytes]]:
        key = uuid.uuid4().bytes * 2
        return {"kty": "oct", "k": b64(key)}, lambda data: hmac.new(key, data, hashlib.sha256).digest()

    def _rs256(self) -> tuple[dict[str, str], Callable[[bytes], bytes]]:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = key.public_key().public_numbers()
        jwk = {"kty": "RSA", "n": number(public.n, 256), "e": number(public.e, 3)}
        return jwk, lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256())

    def _es256(self) -> tuple[dict[str, str], Callable[[bytes], bytes]]:
        key = ec.generate_private_key(ec.SECP256R1())
        public = key.public_key().public_numbers()

        def sign(data: bytes) -> bytes:
            r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")

        jwk = {"kty": "EC", "crv": "P-256", "x": number(public.x, 32), "y": number(public.y, 32)}
        return jwk, sign

    def token(self, tenant: Tenant | str | None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A valid token for the tenant, with claims changed, added, or removed (None)."""
        now = int(time.time())
        body = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "alice",
            "iat": now,
            "exp": now + 60,
            "tenant": tenant.slug if isinstance(tenant, Tenant) else tenant,
        } | claims
        head = {"alg": self.algorithm, "kid": self.kid, "typ": "JWT"} | (header or {})
        kept = {name: value for name, value in body.items() if value is not None}
        text = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(kept).encode())}"
        return f"{text}.{b64(self.signature(text.encode()))}"

    def register(self, world: World, tenants: list[str], **options: Any) -> None:  # noqa: F811
        arguments = {"issuer": ISSUER, "kid": self.kid, "audience": AUDIENCE} | options
        named = "".join(f", {name} => %({name})s" for name in arguments if name != "claims")
        claims = ", claims => %(claims)s::jsonb" if "claims" in arguments else ""
        with world.server.connect(dbname=world.database) as connection:
            connection.execute(
                f"select tenancy.add_signing_key(jwk => %(jwk)s, tenants => %(tenants)s{named}{claims})",
                {"jwk": json.dumps(self.jwk), "tenants": tenants} | arguments,
            )


@pytest.fixture(scope="module")
def tenants(world: World):  # noqa: F811
    return world.tenant(slug="a", external_id="org_7"), world.tenant(slug="b")


@pytest.fixture(scope="module")
def signer(world: World, tenants):  # noqa: F811
    made = Signer("EdDSA", "main")
    made.register(world, ["a"], default_mode="read_write")
    return made


@pytest.fixture
def nobody(world: World, tenants):  # noqa: F811
    """A role without any grant: the token alone is its authority."""
    with world.connect("app_none") as connection:
        yield connection


@pytest.mark.parametrize("algorithm", ["EdDSA", "HS256", "RS256", "ES256"])
def test_each_algorithm(world: World, nobody, algorithm: str):  # noqa: F811
    signer = Signer(algorithm, f"key-{algorithm}")
    signer.register(world, ["a"], default_mode="read_write")
    token = signer.token("a")
    for _ in range(2):
        with nobody.transaction():
            enter(nobody, token)
            assert bodies(nobody) == {"a"}
            row = nobody.execute("select slug, actor, mode, authority, expires_at > now() from tenancy.context()")
            assert row.fetchone() == ("a", "alice", "read_write", "token", True)
    with refused("TN006"):
        enter(nobody, token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB"))
    with refused("TN006"):
        enter(nobody, Signer(algorithm, signer.kid).token("a"))
    with refused("TN006"):
        enter(nobody, signer.token("b"))


WRONG: dict[str, tuple[Callable[[Signer], str], str]] = {
    "aud": (lambda s: s.token("a", aud="other"), "TN006"),
    "no aud": (lambda s: s.token("a", aud=None), "TN006"),
    "aud among others, not ours": (lambda s: s.token("a", aud=["x", "y"]), "TN006"),
    "iss": (lambda s: s.token("a", iss="https://evil.example.com"), "TN006"),
    "no iss": (lambda s: s.token("a", iss=None), "TN006"),
    "kid": (lambda s: s.token("a", {"kid": "other"}), "TN006"),
    "no kid": (lambda s: s.token("a", {"kid": None}), "TN006"),
    "alg none": (lambda s: s.token("a", {"alg": "none"}), "TN006"),
    "alg of another kind": (lambda s: s.token("a", {"alg": "HS256"}), "TN006"),
    "crit": (lambda s: s.token("a", {"crit": ["exp"]}), "TN006"),
    "jwk in the header": (lambda s: s.token("a", {"jwk": s.jwk}), "TN006"),
    "a tenant not listed": (lambda s: s.token("b"), "TN006"),
    "an unknown tenant": (lambda s: s.token("nobody"), "TN006"),
    "no tenant": (lambda s: s.token(None), "TN006"),
    "no sub": (lambda s: s.token("a", sub=None), "TN006"),
    "expired": (lambda s: s.token("a", iat=int(time.time()) - 200, exp=int(time.time()) - 100), "TN007"),
    "not yet valid": (lambda s: s.token("a", nbf=int(time.time()) + 100), "TN007"),
    "issued in the future": (lambda s: s.token("a", iat=int(time.time()) + 100, exp=int(time.time()) + 160), "TN007"),
    "lives too long": (lambda s: s.token("a", exp=int(time.time()) + 3600), "TN006"),
    "exp as text": (lambda s: s.token("a", exp=str(int(time.time()) + 60)), "TN006"),
    "another role": (lambda s: s.token("a", role="app_any"), "TN006"),
    "unknown mode": (lambda s: s.token("a", mode="owner"), "TN006"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_token(nobody, signer: Signer, wrong: str):
    make, sqlstate = WRONG[wrong]
    token = make(signer)
    with refused(sqlstate) as caught:
        enter(nobody, token)
    text = str(caught.value) + str(caught.value.diag.message_detail) + str(caught.value.diag.message_hint)
    assert not any(part in text for part in token.split("."))


def test_hs256_with_the_public_key(world: World, nobody):  # noqa: F811
    """The classic confusion: signed with HMAC, the public key of an RSA pair as the secret."""
    rsa_signer = Signer("RS256", "confused")
    rsa_signer.register(world, ["a"])
    forged = Signer("HS256", "confused")
    for secret in (json.dumps(rsa_signer.jwk).encode(), rsa_signer.jwk["n"].encode()):
        forged.signature = lambda data, key=secret: hmac.new(key, data, hashlib.sha256).digest()
        for algorithm in ("HS256", "RS256"):
            with refused("TN006"):
                enter(nobody, forged.token("a", {"alg": algorithm}))


def test_names_of_the_tenant_in_a_token(nobody, signer: Signer, tenants):
    for name in ("a", tenants[0].id, "external:org_7"):
        with nobody.transaction():
            enter(nobody, signer.token(name))
            assert bodies(nobody) == {"a"}


def test_modes(world: World, nobody, signer: Signer):  # noqa: F811
    reader = Signer("EdDSA", "reader")
    reader.register(world, ["a"])  # default_mode is read_only
    for token, mode in (
        (signer.token("a"), "read_write"),
        (signer.token("a", mode="read_only"), "read_only"),
        (reader.token("a"), "read_only"),
        (reader.token("a", mode="read_write"), "read_write"),
    ):
        with nobody.transaction():
            enter(nobody, token)
            assert nobody.execute("select mode from tenancy.context()").fetchone() == (mode,)
            if mode == "read_only":
                with refused("25006"), nobody.transaction():
                    nobody.execute("insert into app.note (body) values ('x')")


def test_role_claim(world: World, nobody, signer: Signer):  # noqa: F811
    token = signer.token("a", role="app_none")
    with nobody.transaction():
        enter(nobody, token)
    with world.connect("app_some") as connection, refused("TN006"):
        enter(connection, token)


def test_the_actor(nobody, signer: Signer):
    with nobody.transaction():
        enter(nobody, signer.token("a", sub="user-17"))
        assert nobody.execute("select tenancy.current_actor()").fetchone() == ("user-17",)
        with refused("TN002"), nobody.transaction():
            enter(nobody, signer.token("a", sub="user-18"))
        enter(nobody, signer.token("a", sub="user-17", jti="renewed"))
        with refused("TN002"):
            enter(nobody, signer.token("a", sub="user-17", mode="read_only"))


def test_a_token_for_the_session(nobody, signer: Signer):
    with refused("42501"):
        nobody.execute("select tenancy.enter(%s, 'session')", [signer.token("a")])


def test_renamed_claims_and_aliases(world: World, nobody):  # noqa: F811
    """A token as an identity provider issues it, taken as it is."""
    provider = Signer("RS256", "provider")
    provider.register(
        world, ["*"], claims=json.dumps({"tenant": "https://example.com/org", "actor": "email", "alias_kind": "org"})
    )
    world.admin("select tenancy.add_alias('b', 'org', 'org_B')")
    claims = {"https://example.com/org": "org_B", "email": "x@example.com"}
    with nobody.transaction():
        enter(nobody, provider.token(None, **claims))
        assert bodies(nobody) == {"b"}
        assert nobody.execute("select tenancy.current_actor()").fetchone() == ("x@example.com",)
    with refused("TN006"):
        enter(nobody, provider.token(None, **claims | {"https://example.com/org": "a"}))


def test_another_issuers_key_of_the_same_kid(world: World, nobody, signer: Signer):  # noqa: F811
    other = Signer("EdDSA", signer.kid)
    other.register(world, ["b"], issuer="https://customer.example.org")
    with nobody.transaction():
        enter(nobody, other.token("b", iss="https://customer.example.org"))
        assert bodies(nobody) == {"b"}
    for forged in (other.token("a"), other.token("a", iss="https://customer.example.org")):
        with refused("TN006"):
            enter(nobody, forged)


CUTS: dict[str, tuple[Callable[[World, Signer], object], str]] = {
    "the key is removed": (lambda w, s: w.admin("select tenancy.remove_signing_key(%s, %s)", ISSUER, s.kid), "42501"),
    "the token is revoked": (
        lambda w, s: w.admin("select tenancy.revoke_token(%s, 'j1', now() + interval '1 h')", ISSUER),
        "42501",
    ),
    "the tenant is taken from the key": (
        lambda w, s: w.admin("delete from tenancy.signing_key_tenant where kid = %s", s.kid),
        "42501",
    ),
    "the key is another one": (
        lambda w, s: w.admin("update tenancy.signing_key set jwk = %s where kid = %s", json.dumps(Signer("EdDSA").jwk), s.kid),
        "42501",
    ),
    "the tenant is suspended": (lambda w, s: w.admin("select tenancy.suspend('a', 'test')"), "TN005"),
}


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("step", ["select count(*) from app.note", "commit", "fetch 1 from c"])
def test_cut_off_in_mid_transaction(world: World, nobody, tenants, cut: str, step: str):  # noqa: F811
    signer = Signer("EdDSA", f"cut-{uuid.uuid4().hex[:8]}")
    signer.register(world, ["a"], default_mode="read_write")
    token = signer.token("a", jti="j1")
    before = world.stored(tenants[0])
    nobody.execute("begin")
    enter(nobody, token)
    nobody.execute("declare c cursor for select * from app.note")
    nobody.execute("insert into app.note (body) values ('late')")
    act, sqlstate = CUTS[cut]
    act(world, signer)
    try:
        with refused(sqlstate):
            nobody.execute(step)
        nobody.execute("rollback")
        with pytest.raises(psycopg.Error) as caught:
            enter(nobody, token)
        assert caught.value.sqlstate in ("TN006", "TN007", "TN005")
    finally:
        world.admin("delete from tenancy.token_revocation")
        if cut == "the tenant is suspended":
            world.resume(tenants[0])
    assert world.stored(tenants[0]) == before


def test_a_revocation_outlives_what_its_caller_says(world: World, nobody, tenants):  # noqa: F811
    """The next revocation cleans up those whose tokens have expired."""
    signer = Signer("EdDSA", f"revoked-{uuid.uuid4().hex[:8]}")
    signer.register(world, ["a"])
    token = signer.token("a", jti="early")
    revoke = "select tenancy.revoke_token(%s, %s, now() - interval '1 week')"
    try:
        for jti in ("early", "early", "another"):
            world.admin(revoke, ISSUER, jti)
        nobody.execute("begin")
        with pytest.raises(psycopg.Error) as caught:
            enter(nobody, token)
        assert caught.value.sqlstate == "TN007"
        nobody.execute("rollback")
        world.admin("select tenancy.revoke_token(%s, 'early', now() + interval '1 year')", ISSUER)
        world.admin(revoke, ISSUER, "early")
        kept = "select jti from tenancy.token_revocation where expires_at > now() + interval '364 days'"
        assert world.admin(kept) == [("early",)], "it is never shortened"
    finally:
        world.admin("delete from tenancy.token_revocation")


def test_a_revocation_of_an_unknown_issuer(world: World):  # noqa: F811
    with pytest.raises(psycopg.errors.UndefinedObject):
        world.admin("select tenancy.revoke_token(%s, 'j', now() + interval '1 h')", f"{ISSUER}/")
    assert world.admin("select count(*) from tenancy.token_revocation where issuer = %s", f"{ISSUER}/") == [(0,)]


@pytest.mark.parametrize("step", ["select count(*) from app.note", "commit"])
def test_expiry_in_mid_transaction(world: World, nobody, tenants, step: str):  # noqa: F811
    signer = Signer("EdDSA", f"short-{uuid.uuid4().hex[:8]}")
    signer.register(world, ["a"], default_mode="read_write", leeway="0 s")
    before = world.stored(tenants[0])
    nobody.execute("begin")
    enter(nobody, signer.token("a", exp=int(time.time()) + 2))
    nobody.execute("insert into app.note (body) values ('late')")
    ends = nobody.execute("select expires_at from tenancy.context()").fetchone()[0]
    wait_for(lambda: world.admin("select clock_timestamp() >= %s", ends) == [(True,)], 10, "the token to expire")
    with refused("TN007"):
        nobody.execute(step)
    nobody.execute("rollback")
    assert world.stored(tenants[0]) == before


def test_literal_tokens(world: World, signer: Signer, tenants):  # noqa: F811
    token = signer.token("a")
    texts = [f"select tenancy.enter('{token}')", f"set local tenancy.context = '{token}'"]
    with world.connect("app_none", cursor_factory=ClientCursor) as connection:
        for text in texts:
            connection.execute("begin")
            with refused("TN009", "must be a bind parameter") as caught:
                connection.execute(text)
            connection.execute("rollback")
            assert token not in str(caught.value) + str(caught.value.diag.message_detail)
        with refused("TN009", "must be a bind parameter"):
            connection.execute("select tenancy.enter(%s)", [token])
        with refused("42501"):
            connection.execute("set tenancy.literal_tokens = on")
    world.admin(f"alter role app_none in database {world.database} set tenancy.literal_tokens = on")
    try:
        with world.connect("app_none", cursor_factory=ClientCursor) as connection:
            for text in texts:
                connection.execute("begin")
                connection.execute(text)
                assert bodies(connection) == {"a"}
                connection.execute("rollback")
    finally:
        world.admin(f"alter role app_none in database {world.database} reset tenancy.literal_tokens")


def test_a_parameter_does_not_hide_a_literal_token(nobody, signer: Signer):
    """The scope is bound, the token is not."""
    with refused("TN009", "must be a bind parameter"):
        nobody.execute(f"select tenancy.enter('{signer.token('a')}', %s)", ["transaction"])


@pytest.fixture(scope="module")
def logging_world(tmp_path_factory):
    """A server that logs every statement and error, with pg_stat_statements."""
    settings = {
        "shared_preload_libraries": "pg_stat_statements, tenancy",
        "log_statement": "all",
        "log_min_error_statement": "error",
        "log_error_verbosity": "verbose",
        "log_parameter_max_length": "0",
        "pg_stat_statements.track": "all",
        "pg_stat_statements.track_utility": "on",
    }
    with Server(settings=settings, name="logging") as server:
        made = World.create(server, "logged")
        made.admin("create extension pg_stat_statements")
        yield made


def test_where_a_token_must_not_show(logging_world: World):
    made = logging_world
    made.tenant(slug="shown")
    signer = Signer("EdDSA", "hidden")
    signer.register(made, ["shown"])
    token, bad = signer.token("shown"), Signer("EdDSA", "hidden").token("shown")
    places = {
        "pg_stat_activity": "select string_agg(query, ' ') from pg_stat_activity",
        "pg_settings": "select string_agg(s::text, ' ') from pg_settings s",
        "SHOW": "show tenancy.context",
        "current_setting": "select current_setting('tenancy.context')",
        "pg_stat_statements": "select string_agg(query, ' ') from pg_stat_statements",
        "pg_prepared_statements": "select string_agg(p::text, ' ') from pg_prepared_statements p",
        "pg_cursors": "select string_agg(c::text, ' ') from pg_cursors c",
        "context()": "select tenancy.context()::text",
    }
    with made.connect("app_none") as connection, made.connect("postgres") as watcher:
        connection.execute("begin")
        enter(connection, token)
        # Application roles do not read these two here at all.
        refused_here = ("pg_stat_statements", "pg_stat_activity")
        shown = [connection.execute(query).fetchone()[0] for name, query in places.items() if name not in refused_here]
        shown += [watcher.execute(query).fetchone()[0] for query in places.values()]
        shown += [str(row) for row in connection.execute("show all").fetchall()]
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute("select 1 / 0")
        connection.execute("rollback")
        for wrong in (bad, token + "x", token.replace(".", "..", 1)):
            with pytest.raises(psycopg.Error) as caught:
                enter(connection, wrong)
            shown.append(str(caught.value) + str(caught.value.diag.context))
    shown.append(made.server.log_text())
    secrets = [token.split(".")[1], token.split(".")[2], bad.split(".")[2]]
    for text in shown:
        assert not any(secret in str(text) for secret in secrets), text
    assert "tenancy.enter($1)" in made.server.log_text()


def test_one_entry_for_a_thousand_tenants(logging_world: World):
    made = logging_world
    made.admin("select count(tenancy.provision('many-' || n)) from generate_series(1, 1000) n")
    made.admin("select pg_stat_statements_reset()")
    with made.connect() as connection:
        for number in range(1, 1001):
            with connection.pipeline():
                connection.execute("select tenancy.enter(%s)", [f"many-{number}"])
                connection.execute("select 1 from app.note")
    rows = made.admin("select query, calls from pg_stat_statements where query like '%tenancy.enter(%'")
    assert rows == [("select tenancy.enter($1)", 1000)]
