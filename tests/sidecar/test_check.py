"""tenancyd check: what is in order, what is not, and what to do."""

import json

import pytest
from harness import Server, wait_for

from .conftest import ROLES, cache_keys


def findings(daemon, *arguments):
    """(level, subject): message and next step, of the JSON; and the exit status."""
    done = daemon.command("check", "--json", *arguments)
    report = json.loads(done.stdout)
    assert done.returncode == (1 if report["failed"] else 0), done.stderr
    found = {}
    for finding in report["findings"]:
        key = (finding["level"], finding["subject"])
        found[key] = found.get(key, "") + f"{finding['message']} -> {finding['next_step']}\n"
    return done.returncode, found


def levels(found):
    return {level for level, _ in found}


@pytest.fixture
def backup(server, shop):
    """Registers shop_backup; its conninfo."""
    server.execute("select tenancy.register_bypass('shop_backup', 'backup')", dbname=shop)
    return f"host={server.dir} port={server.port} dbname={shop} user=shop_backup"


def test_all_in_order(make_tenancyd, server, shop, cache, backup):
    server.execute("select tenancy.define_store('cache', 'redis')", dbname=shop)
    daemon = make_tenancyd(
        stores={"cache": cache_keys(cache)},
        config={"check": {"backup_conninfo": backup}, "postgres": {"nodes": [f"{_conninfo(server, shop)} connect_timeout=5"]}},
    )
    daemon.start()
    status, found = findings(daemon)
    assert status == 0, found
    assert "primary" in found["ok", "postgres"] and "operator of kind sidecar" in found["ok", "postgres"]
    assert "library preloaded" in found["ok", "node 1"]
    assert "epoch 1" in found["ok", "instance"]
    assert "reads every table" in found["ok", "backup"]
    assert "Redis" in found["ok", "store cache"] and "stamped by this instance" in found["ok", "store cache"]


def test_table(make_tenancyd, shop):
    done = make_tenancyd().command("check")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split()[:2] == ["ok", "configuration"]
    assert any(line.startswith("warning  nodes") for line in lines)
    assert lines[-1].startswith("0 failed, ")


def test_writes_nothing(make_tenancyd, server, shop, backup):
    """Not one row of the extension's tables differs afterwards; the role is not even able to."""
    tables = """select string_agg(c.relname || (xpath('/row/n/text()',
                  query_to_xml(format('select count(*) || max(xmin::text)::text as n from tenancy.%I', c.relname), true, true, '')))[1]::text, ';')
                from pg_class c where c.relnamespace = 'tenancy'::regnamespace and c.relkind = 'r'"""
    before = server.execute(tables, dbname=shop)
    daemon = make_tenancyd(config={"check": {"backup_conninfo": backup}})
    assert daemon.command("check").returncode == 0
    assert server.execute(tables, dbname=shop) == before
    assert list(daemon.state.iterdir()) == []


def test_unreachable(make_tenancyd):
    daemon = make_tenancyd(config={"postgres": {"conninfo": "host=127.0.0.1 port=1 dbname=shop user=me"}})
    status, found = findings(daemon)
    assert status == 1
    assert "pg_hba.conf" in found["failed", "postgres"]
    assert ("failed", "instance") in found and ("failed", "stores") in found


def test_role_without_rights(make_tenancyd, server, shop):
    server.execute("select tenancy.remove_operator('tenancyd', 'sidecar')", dbname=shop)
    status, found = findings(make_tenancyd())
    assert status == 1
    assert "tenancy.add_operator('\"tenancyd\"', 'sidecar')" in found["failed", "postgres"]


def test_role_that_is_too_strong(make_tenancyd, server):
    _, found = findings(make_tenancyd(user=server.superuser))
    assert "superuser" in found["warning", "postgres"]


def test_no_extension(make_tenancyd, server):
    status, found = findings(make_tenancyd(dbname="postgres"))
    assert status == 1
    assert "CREATE EXTENSION tenancy" in found["failed", "postgres"]


def test_not_preloaded(make_tenancyd, make_server):
    bare = make_server(preload=None)
    bare.createdb("shop", extensions=["tenancy"])
    bare.psql(ROLES, dbname="shop")
    status, found = findings(make_tenancyd(server=bare, dbname="shop"))
    assert "preloaded by the database's session_preload_libraries" in found["ok", "postgres"]
    bare.execute("alter database shop reset session_preload_libraries")
    status, found = findings(make_tenancyd(server=bare, dbname="shop", name="second"))
    assert status == 1
    assert "add tenancy to shared_preload_libraries" in found["failed", "postgres"]


@pytest.fixture
def pair(make_server, make_standby):
    """A primary with the database shop, and its standby."""
    primary: Server = make_server()
    primary.createdb("shop", extensions=["tenancy"])
    primary.psql(ROLES, dbname="shop")
    standby = make_standby(primary)
    standby.wait_for_catchup()
    return primary, standby


def test_standby_and_stranger_among_the_nodes(make_tenancyd, make_server, pair):
    primary, standby = pair
    stranger = make_server(name="stranger")
    stranger.createdb("shop", extensions=["tenancy"])
    stranger.psql(ROLES, dbname="shop")
    nodes = [_conninfo(node, "shop") for node in (standby, stranger)]
    status, found = findings(make_tenancyd(server=primary, dbname="shop", config={"postgres": {"nodes": nodes}}))
    assert status == 1
    assert "hot standby" in found["ok", "node 1"] and ("failed", "node 1") not in found
    assert "of another cluster" in found["failed", "node 2"]
    standby.execute("select pg_wal_replay_pause()")
    _, found = findings(make_tenancyd(server=standby, dbname="shop", name="second"))
    assert "is a standby" in found["failed", "postgres"]


def _conninfo(server, dbname, user="tenancyd"):
    return f"host={server.dir} port={server.port} dbname={dbname} user={user}"


# The backup.


def test_backup_role_that_is_not_registered(make_tenancyd, server, shop):
    table = "create table orders (tenant_id uuid, item text); select tenancy.protect('orders')"
    server.psql(table, dbname=shop)
    _, found = findings(make_tenancyd(), "--backup", _conninfo(server, shop, "shop_backup"))
    assert "enter" in found["failed", "backup"]


def test_backup_role_that_may_not_read(make_tenancyd, server, shop, backup):
    server.psql("create schema hidden create table t (); revoke pg_read_all_data from shop_backup", dbname=shop)
    try:
        _, found = findings(make_tenancyd(), "--backup", backup)
        assert "hidden.t" in found["failed", "backup"] and "pg_read_all_data" in found["failed", "backup"]
    finally:
        server.execute("grant pg_read_all_data to shop_backup")


def test_dump(make_tenancyd, server, shop, backup):
    server.psql("create table orders (tenant_id uuid, item text); select tenancy.protect('orders')", dbname=shop)
    status, found = findings(make_tenancyd(), "--backup", backup, "--dump")
    assert status == 0, found
    assert "pg_dump got through" in found["ok", "backup"]


def test_dump_that_fails(make_tenancyd, server, shop, backup):
    """pg_read_all_data reads every table, but no large object: only a dump shows that."""
    server.execute("select lo_from_bytea(0, 'large')", dbname=shop)
    status, found = findings(make_tenancyd(), "--backup", backup, "--dump")
    assert status == 1
    assert "reads every table" in found["ok", "backup"]
    assert "large object" in found["failed", "backup"]


def test_dump_needs_a_role(make_tenancyd):
    done = make_tenancyd().command("check", "--dump")
    assert done.returncode == 2 and "--backup" in done.stderr


# Stores.


def test_stores_on_one_side_only(make_tenancyd, server, shop):
    server.execute("select tenancy.define_store('cache', 'redis')", dbname=shop)
    daemon = make_tenancyd(stores={"other": {"kind": "redis", "addresses": ["127.0.0.1:1"]}})
    status, found = findings(daemon)
    assert status == 1
    assert "tenancy.define_store('other', 'redis')" in found["failed", "store other"]
    assert "add [stores.cache]" in found["failed", "store cache"]


def test_store_of_another_kind(make_tenancyd, server, shop, cache):
    server.execute("select tenancy.define_store('cache', 'mongodb')", dbname=shop)
    _, found = findings(make_tenancyd(stores={"cache": cache_keys(cache)}))
    assert "of kind mongodb in the database" in found["failed", "store cache"]


def test_store_that_is_down(make_tenancyd, server, shop, cache):
    server.execute("select tenancy.define_store('cache', 'redis')", dbname=shop)
    daemon = make_tenancyd(stores={"cache": cache_keys(cache)})
    cache.stop()
    status, found = findings(daemon)
    assert status == 1 and "lets this host in, and that [stores.cache] is right" in found["failed", "store cache"]


def test_store_of_another_instance(make_tenancyd, server, shop, cache):
    server.execute("select tenancy.define_store('cache', 'redis')", dbname=shop)
    daemon = make_tenancyd(stores={"cache": cache_keys(cache)})
    daemon.start()
    stranger = {"instance": "11111111-1111-1111-1111-111111111111", "epoch": 1, "tick": 1}
    with cache.connect(password="hunter2-of-the-cache") as client:
        wait_for(lambda: client.exists("tenancy:instance") == 1, 30, "the store to be stamped")
        daemon.stop()
        client.hset("tenancy:instance", mapping=stranger)
    status, found = findings(daemon)
    assert status == 1
    assert "StampMismatch" in found["failed", "store cache"]
    assert ("ok", "store cache") not in found, "what is somebody else's is not tried out"


STRANGER = {"instance": "11111111-1111-1111-1111-111111111111", "store": "cache", "epoch": 1, "tick": 1}


def put_stamp(cache, stamp):
    with cache.connect(password="hunter2-of-the-cache") as client:
        client.delete("tenancy:instance")
        client.hset("tenancy:instance", mapping=stamp)


@pytest.fixture
def with_cache(make_tenancyd, server, shop, cache):
    """A daemon with a store that the database defines; it has not run yet."""
    server.execute("select tenancy.define_store('cache', 'redis')", dbname=shop)
    return make_tenancyd(stores={"cache": cache_keys(cache)})


def test_new_database_with_a_store_of_another_instance(with_cache, cache):
    """One verdict: tenancyd makes no instance beside the one that the store belongs to."""
    put_stamp(cache, STRANGER)
    status, found = findings(with_cache)
    assert status == 1
    assert ("warning", "instance") not in found, "tenancyd run does not make one"
    assert "StoresStamped" in found["failed", "instance"]
    for subject in ("instance", "store cache"):
        step = found["failed", subject].partition(" -> ")[2]
        assert "tenancyd adopt --as replacement --conninfo " in step
        assert f"tenancyd adopt --as member --store cache --config {with_cache.file}" in step
    with_cache.start()
    assert any("StoresStamped" in reason for reason in with_cache.readiness()["reasons"]), "and so it does"


def test_store_without_a_stamp_that_holds_tenants_of_another_instance(with_cache, cache):
    with cache.connect(password="hunter2-of-the-cache") as client:
        marker = {"instance": STRANGER["instance"], "generation": 1, "state": "active"}
        client.hset("{t:22222222222222222222222222222222}:tenancy:tenant", mapping=marker)
    status, found = findings(with_cache)
    assert status == 1
    assert "ForeignObjects" in found["failed", "store cache"]
    assert ("ok", "store cache") not in found, "what is somebody else's is not tried out"


def test_store_that_was_emptied(with_cache, cache):
    with_cache.start()
    wait_for(lambda: with_cache.events("store_ready"), 30, "the store to be served")
    with_cache.stop()
    with cache.connect(password="hunter2-of-the-cache") as client:
        client.flushall()
    _, found = findings(with_cache)
    step = f"tenancyd adopt --as member --store cache --config {with_cache.file}"
    assert "MissingStamp" in found["failed", "store cache"] and step in found["failed", "store cache"]


def test_store_that_refuses_the_password(with_cache, cache):
    with_cache.stores["cache"]["password"] = "wrong"
    _, found = findings(with_cache)
    assert "-> correct username, and password_file or credential, in [stores.cache]" in found["failed", "store cache"]


def test_store_whose_stamp_is_none(with_cache, cache):
    with cache.connect(password="hunter2-of-the-cache") as client:
        client.set("tenancy:instance", "x")
    _, found = findings(with_cache)
    assert "remove it from the store, then: tenancyd adopt --as member --store cache" in found["failed", "store cache"]


def test_store_whose_uri_cannot_be_used(make_tenancyd, server, shop):
    server.execute("select tenancy.define_store('docs', 'mongodb')", dbname=shop)
    daemon = make_tenancyd(stores={"docs": {"kind": "mongodb", "uri": "mongodb://127.0.0.1:1/?readPreference=secondary"}})
    _, found = findings(daemon)
    assert "take out readPreference" in found["failed", "store docs"]
    assert f"-> correct it in {daemon.file}" in found["failed", "store docs"]


# The instance.


def test_host_that_is_no_member(with_cache, make_tenancyd, cache):
    with_cache.start()
    other = make_tenancyd(stores={"cache": cache_keys(cache)}, name="other")
    _, found = findings(other)
    assert "NotMember" in found["failed", "instance"]
    assert found["failed", "instance"].endswith(f"tenancyd adopt --as member --config {other.file}\n")


def test_copy_of_the_database(with_cache, server, shop):
    with_cache.start()
    with_cache.stop()
    server.execute("update tenancy.instance set system_identifier = system_identifier + 1", dbname=shop)
    _, found = findings(with_cache)
    login = f"--conninfo 'host={server.dir} port={server.port} dbname={shop} user=ADMIN' --config {with_cache.file}"
    for role in ("replacement", "clone"):
        assert f"tenancyd adopt --as {role} {login}" in found["failed", "instance"].replace("  ", " ")
    assert "not tried out" in found["warning", "store cache"], "a copy writes nothing"
    assert "reachable" not in found.get(("ok", "store cache"), "")


def test_standby_instead_of_the_primary(make_tenancyd, pair):
    """It can be reached: only no primary can."""
    _, found = findings(make_tenancyd(server=pair[1], dbname="shop"))
    for subject in ("instance", "stores"):
        assert "no primary can be reached -> first mend what is said of postgres above" in found["failed", subject]


def test_state_file_that_is_damaged(with_cache):
    (with_cache.state / "instance.json").write_text("x")
    _, found = findings(with_cache)
    assert "remove it, then: tenancyd adopt --as member" in found["failed", "instance"]
