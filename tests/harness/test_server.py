"""The harness itself: a server's life."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from harness import Port, Server, ServerError, wait_for
from harness.process import alive, children


@pytest.fixture(scope="module")
def plain():
    with Server(preload=None) as server:
        yield server


def test_answers_on_socket_and_loopback(plain):
    assert plain.execute("select 41 + %s", [1]) == [(42,)]
    with plain.connect(host="127.0.0.1") as connection:
        assert connection.execute("select host(inet_server_addr())").fetchone() == ("127.0.0.1",)


def test_server_is_not_root(plain):
    assert os.stat(f"/proc/{plain.pid}").st_uid != 0


def test_settings_reach_the_server():
    with Server(preload=None, settings={"work_mem": "7MB", "jit": False}) as server:
        assert server.execute("show work_mem") == [("7MB",)]
        server.configure(work_mem="9MB")
        assert server.execute("show work_mem") == [("9MB",)]
        assert server.execute("show jit") == [("off",)]


def test_psql_reports_errors(plain):
    assert plain.psql("select 1; select 2;") == "1\n2"
    with pytest.raises(ServerError, match="division by zero"):
        plain.psql("select 1/0;")
    assert "division by zero" in plain.psql("select 1/0;", check=False)


def test_createdb_with_extension(plain):
    plain.createdb("app one", extensions=["pgcrypto"])
    assert plain.psql("select extname from pg_extension where extname ~ 'crypto'", dbname="app one") == "pgcrypto"
    plain.dropdb("app one")


def test_restart_keeps_the_data_and_kill_loses_the_connections():
    with Server(preload=None) as server:
        server.execute("create table kept as select 1 as n")
        server.execute("checkpoint")
        connection = server.connect()
        family = [server.pid, *children(server.pid)]
        server.kill()
        assert not any(alive(pid) for pid in family)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
        server.start()
        assert server.execute("table kept") == [(1,)]
        server.restart()
        assert server.execute("table kept") == [(1,)]


def test_a_server_that_cannot_start_says_why():
    server = Server(preload=None, settings={"shared_preload_libraries": "no_such_library"})
    try:
        with pytest.raises(ServerError, match="no_such_library"):
            server.start()
    finally:
        server.close()
    assert not server.dir.exists()


def test_another_port_when_it_is_taken():
    server = Server(preload=None)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", server.port))
        taken.listen()
        before = server.port
        with server:
            assert server.port != before
            with server.connect(host="127.0.0.1") as connection:
                connection.execute("select 1")


def test_ports_differ():
    ports = [Port() for _ in range(50)]
    assert len({port.number for port in ports}) == 50
    for port in ports:
        port.release()


ORPHAN = """
import os, signal, sys
from harness import Server
server = Server(preload=None)
server.start()
print(server.pid, server.dir, flush=True)
if sys.argv[1] == 'kill': os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[1] == 'raise': raise SystemExit(3)
"""


@pytest.mark.parametrize("way", ["kill", "raise", "end"])
def test_nothing_outlives_the_test_process(way):
    tests = Path(__file__).resolve().parents[1]
    done = subprocess.run(
        [sys.executable, "-c", ORPHAN, way],
        env=os.environ | {"PYTHONPATH": str(tests)},
        stdout=subprocess.PIPE,
        text=True,
    )
    pid, directory = done.stdout.split()
    wait_for(lambda: not alive(int(pid)), 20, "the orphan to end")
    if way == "kill":
        subprocess.run(["rm", "-rf", directory], check=True)
    assert not Path(directory).exists()


def test_wait_for_gives_up():
    with pytest.raises(TimeoutError, match="the moon"):
        wait_for(lambda: 0, 0.05, "the moon")
