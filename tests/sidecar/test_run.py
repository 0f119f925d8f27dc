"""tenancyd run as a service: probes, metrics, signals, systemd, logs, secrets."""

import http.client
import json
import os
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest
from harness import Redis, Tenancyd, wait_for
from harness.tenancyd import INSTALLED

from .conftest import cache_keys

SECRET = "hunter2-of-the-cache"


def define_cache(server, shop):
    server.execute("select tenancy.define_store('cache', 'redis')", dbname=shop)


@pytest.fixture
def with_cache(make_tenancyd, server, shop, cache):
    """A running daemon with a Redis store that needs a password."""
    define_cache(server, shop)
    daemon = make_tenancyd(stores={"cache": cache_keys(cache)})
    daemon.start()
    return daemon


# Probes and metrics.


def test_probes(tenancyd):
    assert tenancyd.get("/livez") == (200, "alive\n")
    assert tenancyd.readiness()["ready"] is True
    assert tenancyd.get("/none")[0] == 404


def test_not_ready_says_why(make_tenancyd, server, shop):
    daemon = make_tenancyd(config={"postgres": {"conninfo": "host=127.0.0.1 port=1 dbname=x user=y"}})
    with pytest.raises(TimeoutError):
        daemon.start(deadline=0.5)
    status, body = wait_for(lambda: answer if (answer := daemon.get("/readyz"))[0] else None, 20)
    assert status == 503
    assert wait_for(lambda: daemon.readiness()["reasons"], 20)
    assert json.loads(body)["ready"] is False
    assert daemon.get("/livez")[0] == 200, "a database that is down is no reason to be restarted"
    assert daemon.metrics()["tenancyd_ready"] == 0


def test_metrics(with_cache, server, shop):
    server.execute("select tenancy.provision('acme')", dbname=shop)
    converged = 'tenancyd_tenants_reconciled_total{store="cache",outcome="converged"}'
    wait_for(lambda: with_cache.metrics().get(converged), 30, "acme to be in the cache")
    metrics = with_cache.metrics()
    assert metrics["tenancyd_ready"] == 1
    assert metrics['tenancyd_build_info{version="0.1.0"}'] == 1
    count = metrics['tenancyd_apply_seconds_count{store="cache"}']
    assert metrics['tenancyd_apply_seconds_bucket{store="cache",le="+Inf"}'] == count > 0
    text = with_cache.get("/metrics")[1]
    assert "# TYPE tenancyd_apply_seconds histogram" in text
    assert "# TYPE tenancyd_tenants_reconciled_total counter" in text


def test_metrics_show_how_far_a_store_is_behind(make_tenancyd, cache, server, shop):
    define_cache(server, shop)
    daemon = make_tenancyd(stores={"cache": cache_keys(cache) | {"operation_timeout": "500ms"}})
    daemon.start()
    lag, due = 'tenancyd_lag_seconds{store="cache"}', 'tenancyd_due_tenants{store="cache"}'
    wait_for(lambda: daemon.events("store_ready"), 30, "the store to be served")
    wait_for(lambda: daemon.metrics()[due] == daemon.metrics()[lag] == 0, 30, "them to be measured")
    cache.freeze()
    server.execute("select tenancy.provision('acme')", dbname=shop)
    first = wait_for(lambda: daemon.metrics()[lag], 30, "acme to wait")
    wait_for(lambda: daemon.metrics()[lag] > first, 30, "it to wait longer")
    assert daemon.metrics()[due] == 1
    cache.thaw()
    wait_for(lambda: (daemon.metrics()[due], daemon.metrics()[lag]) == (0, 0), 30, "the store to be in step again")


def test_a_scan_goes_on_after_a_page_that_large_settings_have_ended(make_tenancyd, cache, server, shop):
    [(page,)] = server.execute("select pg_get_functiondef('tenancy.desired_page'::regproc)", dbname=shop)
    short = page.replace("64 * 1024 * 1024", "1")  # of one tenant each
    assert short != page
    server.execute(short, dbname=shop)
    define_cache(server, shop)
    server.execute("select tenancy.provision('t' || n) from generate_series(1, 5) as n", dbname=shop)
    daemon = make_tenancyd(stores={"cache": cache_keys(cache)})
    daemon.start()
    [finished, *_] = wait_for(lambda: daemon.events("scan_finished"), 30, "a scan")
    assert finished["tenants"] == 5


def test_only_loopback_by_default(tenancyd):
    addresses = {line.split()[1] for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]}
    listening = {address for address in addresses if address.endswith(f":{tenancyd.port:04X}")}
    assert listening == {f"0100007F:{tenancyd.port:04X}"}


def test_large_requests_are_refused(tenancyd):
    connection = http.client.HTTPConnection("127.0.0.1", tenancyd.port, timeout=10)
    connection.request("POST", "/livez", body=b"x" * 20000)
    assert connection.getresponse().status == 413


@pytest.mark.parametrize("start", [b"GET /", b"GET /livez HTTP/1.1\r\nX: "], ids=["line", "header"])
def test_requests_without_end_are_ended(tenancyd, start):
    """Whoever may connect could fill the memory otherwise."""
    with socket.create_connection(("127.0.0.1", tenancyd.port)) as client:
        client.settimeout(10)
        with pytest.raises(ConnectionError):
            client.sendall(start + b"x" * 100_000_000)
    assert tenancyd.get("/livez")[0] == 200


def test_clients_that_never_finish_are_let_go(tenancyd):
    """A byte now and then is no silence; the whole request has its time."""
    clients = [socket.create_connection(("127.0.0.1", tenancyd.port)) for _ in range(4)]
    ended = set()

    def drip():
        for client in set(clients) - ended:
            try:
                client.sendall(b"x")
            except ConnectionError:
                ended.add(client)
        return len(ended) == len(clients)

    try:
        wait_for(drip, 20, "all of them to be let go")
    finally:
        for client in clients:
            client.close()


def test_an_address_is_not_shared(tenancyd, tmp_path):
    file = tmp_path / "second.toml"
    file.write_text(f'[postgres]\nconninfo = "dbname=none"\n[http]\nlisten = "127.0.0.1:{tenancyd.port}"\n')
    done = subprocess.run([INSTALLED, "run", "-c", file], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2
    assert f"cannot listen on 127.0.0.1:{tenancyd.port}" in done.stderr


def test_slow_clients_keep_nobody_out(tenancyd):
    """More of them than there are threads and places in the queue."""
    slow = [socket.create_connection(("127.0.0.1", tenancyd.port)) for _ in range(60)]
    for client in slow:
        client.sendall(b"GET /livez HTTP/1.1\r\n")
    try:
        wait_for(lambda: tenancyd.get("/livez")[0] == 200, 60, "an answer")
        threads = len(list(Path(f"/proc/{tenancyd.pid}/task").iterdir()))
        assert threads < 40
    finally:
        for client in slow:
            client.close()


# Signals.


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_when_told(tenancyd, number):
    process = tenancyd._process
    tenancyd.send(number)
    assert process.wait(20) == 0
    assert tenancyd.events("stopping")[-1]["signal"] == number
    assert tenancyd.events("stopped")


def test_drains(make_tenancyd, server, shop, cache):
    """What was claimed is finished or given back: no lease is left behind."""
    define_cache(server, shop)
    server.execute("select count(tenancy.provision('t' || n)) from generate_series(1, 300) n", dbname=shop)
    daemon = make_tenancyd(stores={"cache": cache_keys(cache)}, reconcile={"lease": "1h"})
    daemon.start()
    reached = "select count(*) from tenancy.tenant_store where observed_generation > 0"
    wait_for(lambda: server.execute(reached, dbname=shop) != [(0,)], 30, "some to be done")
    process = daemon._process
    daemon.send(signal.SIGTERM)
    assert process.wait(30) == 0
    leased = "select count(*) from tenancy.tenant_store where lease_until > clock_timestamp()"
    assert server.execute(leased, dbname=shop) == [(0,)]


def test_sighup_reads_the_log_level_again(tenancyd):
    tenancyd.config["log"] = {"level": "error"}
    tenancyd._configure()
    tenancyd.send(signal.SIGHUP)
    reloaded = lambda: "log_level_reloaded" in tenancyd.log_text()  # noqa: E731
    tenancyd.config["log"] = {"level": "info"}
    tenancyd._configure()
    wait_for(lambda: (tenancyd.send(signal.SIGHUP), reloaded())[1], 20, "the level to be read")
    assert tenancyd.get("/livez")[0] == 200


def test_sighup_with_a_broken_file_changes_nothing(tenancyd):
    tenancyd.file.write_text("[postgres\n")
    tenancyd.send(signal.SIGHUP)
    event = wait_for(lambda: tenancyd.events("configuration_unusable"), 20)[0]
    assert f"{tenancyd.file}:1:" in event["message"]
    assert tenancyd.get("/readyz")[0] == 200


# systemd.


class Manager:
    """The socket by which systemd is told things."""

    def __init__(self, path: Path) -> None:
        self.said: list[str] = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        path.chmod(0o777)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while message := self.socket.recv(4096):
            self.said += message.decode().splitlines()


def test_systemd_is_told(make_tenancyd):
    daemon = make_tenancyd()
    manager = Manager(daemon.dir / "notify")
    daemon.environment |= {"NOTIFY_SOCKET": str(daemon.dir / "notify"), "WATCHDOG_USEC": "300000"}
    daemon.start()
    wait_for(lambda: "READY=1" in manager.said, 20)
    wait_for(lambda: manager.said.count("WATCHDOG=1") > 3, 20, "the watchdog to be fed")
    wait_for(lambda: any(said.startswith("STATUS=in step") for said in manager.said), 20)
    daemon.stop()
    wait_for(lambda: "STOPPING=1" in manager.said, 20)


# Logs and secrets.


def test_a_private_key_is_handed_over_by_systemd(make_tenancyd, server, shop):
    """Root's file, as the unit's dynamic user cannot own one: not by its name, but as a credential."""
    define_cache(server, shop)
    with Redis(tls=True) as cache:
        certificate, key = cache.authority.issue("tenancyd")
        os.chown(key, 0, 0)
        daemon = make_tenancyd(stores={"cache": {"kind": "redis", "addresses": [cache.address]}})
        tls = {"ca_file": cache.authority.ca_file, "cert_file": certificate}
        daemon.stores["cache"]["tls"] = tls | {"key_file": key}
        refused = daemon.command("check")
        assert refused.returncode == 2
        assert f"cannot read {key}: Permission denied" in refused.stderr
        assert f"LoadCredential=NAME:{key}" in refused.stderr and 'key_credential = "NAME"' in refused.stderr
        credentials = daemon.dir / "credentials"
        credentials.mkdir()
        (credentials / "client").write_bytes(Path(key).read_bytes())
        (credentials / "client").chmod(0o444)
        daemon.stores["cache"]["tls"] = tls | {"key_credential": "client"}
        daemon.environment["CREDENTIALS_DIRECTORY"] = str(credentials)
        with cache.connect() as administration:
            administration.config_set("tls-auth-clients", "yes")  # from now on only who shows a certificate
        daemon.start()
        wait_for(lambda: daemon.events("store_ready"), 30, "the store to be served")


def test_log_lines_are_objects(with_cache):
    wait_for(lambda: with_cache.events("status"), 20)
    for line in with_cache.log_text().splitlines():
        event = json.loads(line)
        assert {"ts", "level", "event"} <= set(event)


def test_a_first_start_warns_of_nothing(with_cache):
    """All is as it should be: whoever reads the log of the first start is not to look for what is wrong."""
    in_service = {"ready": True, "observing": False, "reasons": []}
    wait_for(lambda: with_cache.readiness() == in_service, 30, "the store to be served")
    warned = [event for event in with_cache.events() if event["level"] not in ("debug", "info")]
    assert [event for event in warned if event["event"] != "store_warning"] == []  # that Redis keeps nothing is true


def test_a_store_that_is_not_attached_is_told(make_tenancyd, cache):
    """At once, not a heartbeat later."""
    daemon = make_tenancyd(stores={"cache": cache_keys(cache)}, reconcile={"tick": "5m"})
    daemon.start()
    [told] = wait_for(lambda: daemon.events("store_not_ready"), 20, "the store to be missed")
    assert told["reason"] == "NotAttached" and "tenancy.define_store('cache', 'redis')" in told["message"]


def test_secrets_stay_secret(with_cache, cache, server):
    """Neither in arguments, environment and logs, nor when the store refuses them."""
    process = Path(f"/proc/{with_cache.pid}")
    assert SECRET not in (process / "cmdline").read_text()
    assert SECRET not in (process / "environ").read_text()
    with cache.connect(password=SECRET) as admin:
        admin.config_set("requirepass", "changed")
        for client in admin.client_list():
            if client["name"] != "":
                admin.client_kill_filter(_id=client["id"])
    cache.restart()
    wait_for(lambda: with_cache.readiness()["reasons"], 30, "the store to be missed")
    shown = with_cache.log_text() + with_cache.get("/readyz")[1] + with_cache.get("/metrics")[1]
    assert SECRET not in shown


def test_failpoints_end_the_program_of_the_tests_alone(make_tenancyd, server, shop, cache):
    define_cache(server, shop)
    daemon = make_tenancyd(stores={"cache": cache_keys(cache)}, failpoint="none")
    daemon.start()
    server.execute("select tenancy.provision('acme')", dbname=shop)
    place = "work.applied"
    wait_for(lambda: place in daemon.passed(), 30, "the place where it might have ended")
    daemon.stop()
    server.execute("select tenancy.provision('globex')", dbname=shop)
    daemon.failpoint = place
    daemon._spawn()
    assert daemon._process.wait(30) == -signal.SIGKILL
    passed = daemon.passed()
    daemon.use_program(INSTALLED)
    daemon.start()
    converged = 'tenancyd_tenants_reconciled_total{store="cache",outcome="converged"}'
    wait_for(lambda: daemon.metrics().get(converged), 40, "globex to be in the cache")
    assert daemon.running and daemon.passed() == passed


def test_a_daemon_without_rights_of_its_own_is_woken(make_tenancyd, server, shop, cache):
    """Its role is a guarded one; it hears notifications all the same, instead of looking every minute."""
    define_cache(server, shop)
    daemon = make_tenancyd(stores={"cache": cache_keys(cache)}, reconcile={"poll": "1h"})
    daemon.start()
    server.execute("select tenancy.provision('acme')", dbname=shop)
    wait_for(lambda: daemon.metrics().get("tenancyd_notifications_total"), 20, "a notification")
    assert not daemon.events("listening_failed") and not daemon.events("notifications_swallowed")
