"""Getting to Redis: TLS, credentials, permissions, what a server is found to be capable of."""

import socket
import threading

import pytest
from harness import Authority, Port

from stores.redis_keys import ok
from stores.store_driver import StoreError, new_id, stamp, work

SECRET = "s3cret-pässword"
# What docs/ say that tenancyd's own user needs.
RULES = (
    "on >s3cret-pässword resetchannels &{t:*}:tenancy ~{t:*}:* ~tenancy:instance -@all "
    "+@connection +info +scan +eval +evalsha +unlink +del +exists +type "
    "+hget +hset +hsetnx +hmget +hgetall +hlen +hkeys +hdel +memory|usage +publish +select"
)


@pytest.fixture(scope="module")
def tls_server():
    from harness import Redis

    with Redis(tls=True) as server:
        yield server


def tls(server, **more):
    return {"enabled": True, "ca_file": server.authority.ca_file} | more


def test_tls(tls_server, open_redis):
    store = open_redis(tls_server, tls=tls(tls_server))
    tenants, instance = [new_id() for _ in range(2000)], new_id()
    jobs = [work(each, "publish", settings={"a": "x" * 1000}) for each in tenants]
    assert ok(store.apply(jobs, instance))
    assert len(store.list()) >= 2000
    assert ok(store.apply([work(each, "erase", present=False) for each in tenants], instance))


def test_tls_by_name(tls_server, open_redis):
    address = f"localhost:{tls_server.port}"
    assert open_redis(tls_server, addresses=[address], tls=tls(tls_server)).read_stamp() is None
    by_name = tls(tls_server, server_name="localhost")
    assert open_redis(tls_server, tls=by_name).read_stamp() is None


@pytest.mark.parametrize("name", ["redis.example", "127.0.0.2", "localhost.", "ocalhost"])
def test_tls_to_another_name(tls_server, open_redis, name):
    with pytest.raises(StoreError, match="Unavailable TlsFailed.*mismatch"):
        open_redis(tls_server, tls=tls(tls_server, server_name=name))


def test_tls_with_another_authority(tls_server, open_redis, tmp_path):
    other = Authority(tmp_path / "tls")
    with pytest.raises(StoreError, match="Unavailable TlsFailed.*certificate"):
        open_redis(tls_server, tls={"enabled": True, "ca_file": other.ca_file})
    with pytest.raises(StoreError, match="Unavailable TlsFailed"):
        open_redis(tls_server, tls={"enabled": True})


def test_tls_towards_a_plain_server_and_the_reverse(tls_server, redis, open_redis):
    with pytest.raises(StoreError, match="Unavailable (TlsFailed|ConnectionLost|TimedOut)"):
        open_redis(redis, tls=tls(tls_server), connect_timeout_ms=500)
    with pytest.raises(StoreError, match="Unavailable (ConnectionLost|ProtocolError)"):
        open_redis(tls_server)


def test_a_client_certificate(make_redis, open_redis):
    server = make_redis(tls=True)
    certificate, key = server.authority.issue("tenancyd")
    with server.connect() as raw:
        raw.config_set("tls-auth-clients", "yes")
    with pytest.raises(StoreError, match="Unavailable (TlsFailed|ConnectionLost)"):
        open_redis(server, tls=tls(server))
    both = tls(server, cert_file=certificate, key_file=key)
    assert open_redis(server, tls=both).read_stamp() is None
    with server.connect(ssl_certfile=certificate, ssl_keyfile=key) as raw:
        raw.config_set("tls-auth-clients", "no")


@pytest.mark.parametrize("missing", ["ca_file", "cert_file", "key_file"])
def test_files_are_read_before_connecting(tls_server, open_store, missing):
    certificate, key = tls_server.authority.issue("tenancyd")
    files = tls(tls_server, cert_file=certificate, key_file=key) | {missing: "/nonexistent.pem"}
    with pytest.raises(StoreError, match="ConfigError.*/nonexistent.pem"):
        open_store(kind="redis", addresses=["127.0.0.1:1"], tls=files)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"addresses": []}, "no addresses"),
        ({"addresses": ["redis://localhost"]}, "write host:port"),
        ({"addresses": ["localhost:70000"]}, "write host:port"),
        ({"addresses": ["localhost"], "cluster": True, "database": 1}, "database 0 only"),
    ],
)
def test_configuration(open_store, config, said):
    with pytest.raises(StoreError, match=f"ConfigError.*{said}"):
        open_store(kind="redis", **config)


@pytest.fixture
def guarded(make_redis):
    return make_redis(users={"default": "off", "tenancyd": RULES, "weak": "on >weak ~* +@read +@connection +info"})


def test_a_user_with_just_what_is_needed(guarded, open_redis):
    store = open_redis(guarded, username="tenancyd", password=SECRET)
    tenant, instance = new_id(), new_id()
    found = store.probe()
    assert found["missing"] == []
    assert store.write_stamp(stamp(instance)) is True
    assert ok(store.apply([work(tenant, "claim", "publish", settings={"a": 1})], instance))
    assert ok(store.apply([work(tenant, "publish", state="suspended", generation=2)], instance))
    assert len(store.list()) == 1
    assert ok(store.apply([work(tenant, "erase", present=False)], instance))


@pytest.mark.parametrize("credentials", [
    {"username": "tenancyd", "password": "wr0ng-pässword"},
    {"username": "nobody", "password": "wr0ng-pässword"},
    {"password": "wr0ng-pässword"},
    {},
])  # fmt: skip
def test_wrong_credentials(guarded, open_redis, credentials):
    with pytest.raises(StoreError, match="Unavailable AuthenticationFailed") as caught:
        open_redis(guarded, **credentials)
    assert "wr0ng" not in caught.value.message


def test_a_password_where_none_is_wanted(redis, open_redis):
    with pytest.raises(StoreError, match="Unavailable AuthenticationFailed") as caught:
        open_redis(redis, password=SECRET)
    assert SECRET not in caught.value.message


def test_missing_permissions(guarded, open_redis):
    store = open_redis(guarded, username="weak", password="weak")
    missing = " ".join(store.probe()["missing"])
    assert "EVAL" in missing and "UNLINK" in missing and "SCAN" not in missing
    with pytest.raises(StoreError, match="Unavailable PermissionDenied"):
        store.apply([work(new_id(), "publish")], new_id())


def test_probe_of_a_plain_server(redis, open_redis):
    found = open_redis(redis).probe()
    assert found["product"] == "Redis" and found["version"].count(".") == 2
    assert found["missing"] == []
    assert found["details"]["databases"] == "16" and found["details"]["cluster"] is False
    text = " ".join(found["warnings"])
    assert "keeps nothing on disk" in text and "needs no password" in text
    assert "maxmemory-policy" not in text
    with redis.connect() as raw:
        assert raw.dbsize() == 0


def test_probe_of_a_well_kept_server(make_redis, open_redis):
    server = make_redis(
        users={"default": "off", "tenancyd": "on >secret ~* &* +@all"},
        settings={"appendonly": "yes", "maxmemory-policy": "volatile-lru"},
    )
    found = open_redis(server, username="tenancyd", password="secret").probe()
    assert found["missing"] == [] and found["warnings"] == []
    assert found["details"]["default_user_open"] is False


def test_probe_finds_an_open_default_user_beside_ours(make_redis, open_redis):
    server = make_redis(users={"default": "on nopass ~x:* +get", "tenancyd": "on >secret ~* &* +@all"})
    found = open_redis(server, username="tenancyd", password="secret").probe()
    assert found["details"]["default_user_open"] is True


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-lfu", "allkeys-random"])
def test_probe_warns_of_a_server_that_drops_keys(make_redis, open_redis, policy):
    server = make_redis(settings={"maxmemory-policy": policy})
    assert policy in " ".join(open_redis(server).probe()["warnings"])


def test_probe_compares_the_kind_of_server(redis, open_store, make_redis):
    store = open_store(kind="redis", addresses=[redis.address], cluster=True)
    assert "not part of a cluster" in store.probe()["missing"][0]
    with pytest.raises(StoreError, match="Unavailable ClusterMismatch"):
        store.read_stamp()
    server = make_redis(cluster=True)
    with server.connect() as raw:
        raw.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 8000)
    store = open_store(kind="redis", addresses=[server.address])
    assert "cluster = true" in store.probe()["missing"][0]


def test_nobody_listens(open_store):
    port = Port()
    try:
        store = open_store(kind="redis", addresses=[f"127.0.0.1:{port.number}"])
        with pytest.raises(StoreError, match="Unavailable ConnectionFailed.*refused"):
            store.read_stamp()
    finally:
        port.release()


def test_a_name_that_does_not_exist(open_store):
    store = open_store(kind="redis", addresses=["no-such-host.invalid:6379"])
    with pytest.raises(StoreError, match="Unavailable (NameNotResolved|TimedOut)"):
        store.read_stamp(within=5)


def test_a_host_that_does_not_accept(open_store):
    """A full backlog: connect() is not answered."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for each in fillers:
            each.setblocking(False)
            each.connect_ex(listener.getsockname())
        port = listener.getsockname()[1]
        store = open_store(kind="redis", addresses=[f"127.0.0.1:{port}"], connect_timeout_ms=300)
        with pytest.raises(StoreError, match="Unavailable TimedOut"):
            store.read_stamp()
        assert 0.25 < store.took < 3
        for each in fillers:
            each.close()


def test_the_connection_bears_a_name(redis, open_redis):
    store = open_redis(redis)
    with redis.connect() as raw:
        assert "tenancyd" in [each["name"] for each in raw.client_list()]
    assert store.status is None and threading.active_count() >= 1
