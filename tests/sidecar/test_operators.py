"""What operators call by hand: status, adopt, forget-store."""

import json
import os
import pty
import subprocess

import pytest
from harness import wait_for
from harness.process import unprivileged

from .conftest import cache_keys


@pytest.fixture
def with_cache(make_tenancyd, server, shop, cache):
    """A daemon with a Redis store that has been running and is stopped; acme is in the store."""
    server.execute("select tenancy.define_store('cache', 'redis'), tenancy.provision('acme')", dbname=shop)
    daemon = make_tenancyd(stores={"cache": cache_keys(cache)})
    daemon.start()
    active = "select state from tenancy.tenant where slug = 'acme'"
    wait_for(lambda: server.execute(active, dbname=shop) == [("active",)], 30, "acme to be active")
    in_step = "select tenancy.status_report() #>> '{stores,0,converged}'"
    wait_for(lambda: server.execute(in_step, dbname=shop) == [("1",)], 30, "the store to be in step")
    daemon.stop()
    return daemon


def admin(server, shop):
    return ["--conninfo", f"host={server.dir} port={server.port} dbname={shop} user=shop_admin"]


def as_admin(daemon):
    return ["--conninfo", daemon.conninfo_of("shop_admin")]


# status


def test_status(with_cache):
    done = with_cache.command("status")
    assert done.returncode == 0, done.stderr
    assert ", epoch 1, tick " in done.stdout.splitlines()[0]
    [row] = [line.split() for line in done.stdout.splitlines() if line.startswith("cache ")]
    assert row[:6] == ["cache", "redis", "in", "service", "1", "1"]
    assert "tenancyd  0.1.0" in done.stdout


def test_status_of_nothing(make_tenancyd):
    done = make_tenancyd().command("status")
    assert done.stdout == (
        "No instance is bound yet.\nThis host (tenancyd) runs no daemon that answers.\n  -> systemctl status tenancyd\n\n"
        "No store is defined.\n\nNo daemon has been heard of.\n\nNo alarms.\n"
    )


def test_status_shows_alarms(with_cache, server, shop):
    server.psql(
        "select tenancy.suspend('acme', 'unpaid'); update tenancy.tenant set changed_at = now() - interval '1 minute'",
        dbname=shop,
    )
    server.execute("update tenancy.tenant_store set pending_since = now() - interval '1 minute'", dbname=shop)
    assert "suspension_not_reached  cache  acme" in with_cache.command("status").stdout


def test_status_says_how_many_alarms_there_are(with_cache, server, shop):
    server.psql(
        "select count(tenancy.provision('t' || n)) from generate_series(1, 104) as n; update tenancy.tenant_store set parked = true, due_at = null",
        dbname=shop,
    )
    [(count,)] = server.execute("select count(*) from tenancy.store_alarm", dbname=shop)
    assert int(count) > 100
    report = json.loads(with_cache.command("status", "--json").stdout)
    assert (report["alarm_count"], len(report["alarms"])) == (int(count), 100)
    further = f"\nand {int(count) - 100} more\n  -> SELECT * FROM tenancy.store_alarm ORDER BY since\n"
    assert with_cache.command("status").stdout.endswith(further)


def test_status_json(with_cache, server, shop):
    report = json.loads(with_cache.command("status", "--json").stdout)
    [(same,)] = server.execute("select tenancy.status_report()", dbname=shop)
    assert set(report) - {"host"} == set(same) == {"instance", "daemons", "stores", "alarms", "alarm_count"}
    host = report["host"]
    assert (host["daemon"], host["answers"], host["observes"], host["reasons"]) == ("tenancyd", False, False, [])


def rows(text, heading):
    """The table with this heading as lists of words."""
    [table] = [part.splitlines()[1:] for part in text.split("\n\n") if part.startswith(heading)]
    return {line.split()[0]: line for line in table}


def test_status_of_a_host_in_service(with_cache):
    with_cache.start()
    wait_for(lambda: with_cache.events("store_ready"), 30, "the store to be served")
    text = with_cache.command("status").stdout
    assert "This host (tenancyd) writes to the stores.\n" in text
    assert " in service " in rows(text, "STORE ")["cache"] and " at work " in rows(text, "DAEMON ")["tenancyd"]


def test_status_of_a_fenced_host(with_cache, cache):
    """The stamp is ahead of the database: the daemon says so to nobody but this host."""
    with_cache.start()
    wait_for(lambda: with_cache.events("store_ready"), 30, "the store to be served")
    with cache.connect(password="hunter2-of-the-cache") as client:
        client.hincrby("tenancy:instance", "tick", 1000)
    wait_for(lambda: with_cache.readiness()["observing"], 30, "the daemon to be fenced")
    text = with_cache.command("status").stdout
    assert "This host (tenancyd) ONLY OBSERVES: nothing is written to any store from here.\n  StampMismatch: " in text
    assert "  -> where the original is gone for good: tenancyd adopt --as replacement --conninfo " in text
    assert " only observed " in rows(text, "STORE ")["cache"] and " only observes " in rows(text, "DAEMON ")["tenancyd"]
    host = json.loads(with_cache.command("status", "--json").stdout)["host"]
    assert (host["answers"], host["observes"], host["reason"]) == (True, True, "StampMismatch")
    assert "tenancyd adopt --as replacement" in host["next_step"] and host["reasons"][0].startswith("StampMismatch: ")


def test_status_of_a_host_that_is_no_member(with_cache, make_tenancyd, cache):
    """What another host's daemon serves stays in service."""
    with_cache.start()
    other = make_tenancyd(stores={"cache": cache_keys(cache)}, name="other")
    other.start()
    text = other.command("status").stdout
    assert "This host (other) ONLY OBSERVES" in text and "  NotMember: " in text
    assert f"  -> if this host belongs to it: tenancyd adopt --as member --config {other.file}\n" in text
    assert " in service " in rows(text, "STORE ")["cache"] and " at work " in rows(text, "DAEMON ")["tenancyd"]


def test_status_of_a_copy(with_cache, server, shop):
    """At once, and although no daemon runs."""
    server.execute("update tenancy.instance set system_identifier = system_identifier + 1", dbname=shop)
    text = with_cache.command("status").stdout
    assert "  IdentityMismatch: " in text and "runs no daemon that answers" in text
    assert " only observed " in rows(text, "STORE ")["cache"]


def test_status_of_a_store_that_is_not_ready(with_cache, server, shop):
    server.execute("update tenancy.store_status set reason = 'CapabilityMissing'", dbname=shop)
    assert " NOT READY " in rows(with_cache.command("status").stdout, "STORE ")["cache"]


def test_status_where_no_daemon_runs_any_more(with_cache, server, shop):
    server.execute("update tenancy.daemon set seen_at = now() - interval '2 minutes'", dbname=shop)
    server.execute("update tenancy.store set defined_at = now() - interval '2 minutes'", dbname=shop)
    text = with_cache.command("status").stdout
    assert " no daemon " in rows(text, "STORE ")["cache"] and " silent " in rows(text, "DAEMON ")["tenancyd"]


def test_status_without_the_database(make_tenancyd):
    done = make_tenancyd(config={"postgres": {"conninfo": "host=127.0.0.1 port=1 dbname=x user=y"}}).command("status")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("tenancyd: postgresql: ")


# adopt


def stamp(cache):
    with cache.connect(password="hunter2-of-the-cache") as client:
        return client.hgetall("tenancy:instance")


def test_adopt_shows_and_asks_first(with_cache, cache):
    before = stamp(cache)
    done = with_cache.command("adopt", "--as", "replacement")
    assert done.returncode == 2
    assert "nobody can be asked without a terminal; use --yes" in done.stderr
    assert f"store cache   store cache of instance {before['instance']}, epoch 1" in done.stdout
    assert "takes the place of the one that the stores knew" in done.stdout
    assert stamp(cache) == before


@pytest.mark.parametrize(("answer", "status"), [("n\n", 1), ("\n", 1), ("y\n", 0)])
def test_adopt_asks_on_a_terminal(with_cache, cache, answer, status):
    before = stamp(cache)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        unprivileged([str(with_cache.program), "adopt", "--as", "replacement", "-c", str(with_cache.file), *as_admin(with_cache)]),
        stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    os.write(ours, answer.encode())
    output = process.communicate(timeout=60)[0]
    os.close(ours), os.close(theirs)
    assert process.returncode == status, output
    assert "Adopt as replacement? [y/N]" in output
    assert (stamp(cache)["epoch"] == "2") is (status == 0)
    assert ("Nothing was changed." in output) is (status == 1)
    assert (stamp(cache) == before) is (status == 1)


def test_adopt_replacement(with_cache, cache, server, shop):
    done = with_cache.command("adopt", "--as", "replacement", "--yes", *as_admin(with_cache))
    assert done.returncode == 0, done.stderr
    assert "epoch 2." in done.stdout and "store cache: stamped" in done.stdout
    assert stamp(cache)["epoch"] == "2"
    assert server.execute("select epoch, bound_by from tenancy.instance", dbname=shop) == [(2, "shop_admin")]


@pytest.mark.parametrize("role", ["replacement", "clone"])
def test_what_the_database_is_is_not_the_daemons_to_say(with_cache, cache, server, shop, role):
    """Its login is on every host that runs a daemon; whoever has it is not to take the stores away."""
    before = stamp(cache)
    done = with_cache.command("adopt", "--as", role, "--yes")
    assert done.returncode == 1 and "(42501)" in done.stderr
    assert "--conninfo" in done.stderr
    assert stamp(cache) == before
    assert server.execute("select epoch from tenancy.instance", dbname=shop) == [(1,)]
    assert server.execute("select state from tenancy.store", dbname=shop) == [("attached",)]


def test_adopt_with_a_store_that_is_down(with_cache, cache):
    cache.stop()
    done = with_cache.command("adopt", "--as", "replacement", "--yes", *as_admin(with_cache))
    assert done.returncode == 1
    assert "store cache   not known: " in done.stdout
    assert "store cache: not stamped: " in done.stdout and "Run the same command again" in done.stdout
    cache.start()


def test_adopt_of_an_unknown_store(with_cache):
    done = with_cache.command("adopt", "--as", "member", "--store", "none", "--yes")
    assert done.returncode == 2 and "the configuration has no store none" in done.stderr


def test_adopt_where_it_does_not_fit(with_cache, server, shop):
    """A host cannot join an instance while the database is not that instance."""
    server.execute("update tenancy.instance set system_identifier = system_identifier + 1", dbname=shop)
    done = with_cache.command("adopt", "--as", "member", "--yes")
    assert done.returncode == 1, done.stdout
    assert "IdentityMismatch" in done.stdout
    assert done.stderr.startswith("tenancyd: ")


def test_adopt_by_root_leaves_the_state_to_the_daemon(with_cache):
    """Whoever runs it: the daemon has to be able to read afterwards what was written."""
    command = [str(with_cache.program), "adopt", "--as", "replacement", "--yes", "-c", str(with_cache.file)]
    done = subprocess.run([*command, *as_admin(with_cache)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    with_cache.start()
    in_service = {"ready": True, "observing": False, "reasons": []}
    wait_for(lambda: with_cache.readiness() == in_service, 30, "the daemon to serve its store")


# forget-store


def test_forget_store(with_cache, server, shop):
    done = with_cache.command("forget-store", "cache", "--reason", "burnt", "--yes", *admin(server, shop))
    assert done.returncode == 0, done.stderr
    assert "Of 1 tenants it is not proven that store cache is empty; 0 of them are erased" in done.stdout
    assert "Not proven gone from it: 1 tenants." in done.stdout
    assert server.execute("select state from tenancy.store", dbname=shop) == [("forgotten",)]


def test_forget_store_asks(with_cache, server, shop):
    done = with_cache.command("forget-store", "cache", "--reason", "burnt", *admin(server, shop))
    assert done.returncode == 2 and "use --yes" in done.stderr
    assert server.execute("select state from tenancy.store", dbname=shop) == [("attached",)]


def test_forget_store_is_not_for_the_daemon(with_cache, server, shop):
    login = ["--conninfo", f"host={server.dir} port={server.port} dbname={shop} user=tenancyd"]
    done = with_cache.command("forget-store", "cache", "--reason", "burnt", "--yes", *login)
    assert done.returncode == 1 and "permission denied" in done.stderr


def test_forget_store_that_is_not_there(make_tenancyd, server, shop):
    done = make_tenancyd().command("forget-store", "none", "--reason", "r", "--yes", *admin(server, shop))
    assert done.returncode == 1 and "(TN027)" in done.stderr and "hint: " in done.stderr


# What to do next.


UNREACHABLE = "host=127.0.0.1 port=1 dbname=x user=y"


@pytest.mark.parametrize(
    ("arguments", "login"),
    [
        (["status"], "[postgres] conninfo"),
        (["adopt", "--as", "member", "--yes"], "[postgres] conninfo"),
        (["adopt", "--as", "clone", "--yes", "--conninfo", UNREACHABLE], "--conninfo"),
        (["forget-store", "cache", "--reason", "r", "--conninfo", UNREACHABLE], "--conninfo"),
    ],
)
def test_next_step_without_the_database(make_tenancyd, arguments, login):
    done = make_tenancyd(config={"postgres": {"conninfo": UNREACHABLE}}).command(*arguments)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"hint: See that the server runs, that {login} is right")


def test_next_step_on_a_standby(make_tenancyd, make_server, make_standby):
    primary = make_server()
    standby = make_standby(primary)
    done = make_tenancyd(server=standby, dbname="postgres", user=primary.superuser).command("adopt", "--as", "member", "--yes")
    assert done.returncode == 1
    assert "hint: That server is a standby: name the primary in [postgres] conninfo" in done.stderr


def test_next_step_without_the_extension(make_tenancyd):
    daemon = make_tenancyd(dbname="postgres")
    for arguments in (["status"], ["adopt", "--as", "member", "--yes"]):
        assert "hint: The extension is not in this database" in daemon.command(*arguments).stderr


def test_next_step_without_the_right(make_tenancyd):
    daemon = make_tenancyd(user="shop_owner")
    for arguments in (["status"], ["adopt", "--as", "member", "--yes"]):
        assert "SELECT tenancy.add_operator('ROLE', 'sidecar')" in daemon.command(*arguments).stderr
    login = ["--conninfo", daemon.conninfo_of("shop_owner")]
    done = daemon.command("forget-store", "cache", "--reason", "r", "--yes", *login)
    assert "SELECT tenancy.add_operator('ROLE', 'admin')" in done.stderr


@pytest.mark.parametrize("role", ["member", "clone"])
def test_next_step_where_nothing_is_bound(make_tenancyd, role):
    daemon = make_tenancyd()
    done = daemon.command("adopt", "--as", role, "--yes", *as_admin(daemon))
    assert done.returncode == 1
    assert "belongs to no instance yet" in done.stderr
    assert "hint: tenancyd run makes an instance when it starts." in done.stderr


def test_next_step_for_a_store_of_another_instance(with_cache, cache):
    """The same command once more would not do it."""
    stranger = {"instance": "11111111-1111-1111-1111-111111111111", "epoch": 1, "tick": 1}
    with cache.connect(password="hunter2-of-the-cache") as client:
        client.hset("tenancy:instance", mapping=stranger)
    done = with_cache.command("adopt", "--as", "member", "--yes")
    assert done.returncode == 1
    line = f"tenancyd adopt --as member --store cache --config {with_cache.file}"
    assert f"if it is to change hands: {line}" in done.stdout
    assert with_cache.command("adopt", "--as", "member", "--store", "cache", "--yes").returncode == 0


def test_next_step_where_a_host_is_no_member(with_cache, make_tenancyd, cache):
    other = make_tenancyd(stores={"cache": cache_keys(cache)}, name="other")
    done = other.command("adopt", "--as", "member")
    assert f"-> if this host belongs to it: tenancyd adopt --as member --config {other.file}\n" in done.stdout
