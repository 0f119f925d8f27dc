"""tenancyd protect: a live table, step by step, in spite of locks, interruptions and restarts."""

import re
import signal
import subprocess
import threading

import psycopg
import pytest
from harness import wait_for
from harness.process import clean_environment, unprivileged
from harness.tenancyd import PROGRAM

ROWS = 2000
TABLES = f"""
create table room (id bigint primary key, tenant_id uuid not null);
create table message (id bigint primary key, tenant_id uuid not null, room_id bigint references room, body text);
insert into room select n, (select id from tenancy.tenant where slug = 'acme') from generate_series(1, 100) n;
insert into message select n, (select id from tenancy.tenant where slug = 'acme'), n % 100 + 1, 'hello' from generate_series(1, {ROWS}) n;
grant create on schema public to shop_owner;
alter table room owner to shop_owner;
alter table message owner to shop_owner;
"""


class Protect:
    """`tenancyd protect` as a process whose output is read line by line."""

    def __init__(self, server, shop, *arguments):
        conninfo = f"host={server.dir} port={server.port} dbname={shop} user=shop_owner"
        self.process = subprocess.Popen(
            unprivileged([str(PROGRAM), "protect", *arguments, "--conninfo", conninfo]),
            cwd=server.dir, env=clean_environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        self.output = ""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self.process.stdout:
            self.output += line

    def wait_for(self, text):
        wait_for(lambda: text in self.output or self.process.poll() is not None, 60, text)
        assert text in self.output, self.output

    def end(self):
        """Exit status and whole output."""
        status = self.process.wait(120)
        self._thread.join()
        return status, self.output


@pytest.fixture
def protect(server, shop):
    server.psql("select tenancy.provision('acme'); " + TABLES, dbname=shop)
    started = []

    def start(*arguments):
        started.append(Protect(server, shop, *arguments))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.wait()


def is_protected(server, shop, table="message"):
    row = "select relrowsecurity and relforcerowsecurity from pg_class where oid = %s::regclass"
    return server.execute(row, [table], dbname=shop) == [(True,)]


def is_whole(server, shop):
    """No trace of an interrupted attempt: no invalid index, no constraint that is not validated."""
    invalid = "select count(*) from pg_index where not indisvalid"
    helpers = "select count(*) from pg_constraint where not convalidated"
    return server.execute(invalid, dbname=shop) == server.execute(helpers, dbname=shop) == [(0,)]


def test_protects(protect, server, shop):
    status, output = protect("room").end()
    assert status == 0, output
    status, output = protect("public.message").end()
    assert status == 0, output
    assert is_protected(server, shop) and is_whole(server, shop)
    count = int(re.search(r"public.message: (\d+) steps to do", output)[1])
    assert f"step {count} of {count}: " in output
    assert re.search(r"CREATE INDEX CONCURRENTLY .*  \[SHARE UPDATE EXCLUSIVE\]\n(  .*\n)*  done in \d+\.\d s", output)
    assert output.endswith("public.message is protected\n")


def test_dry_run_changes_nothing(protect, server, shop):
    status, output = protect("room", "--dry-run").end()
    assert status == 0
    assert "SELECT tenancy.protect('public.room'" in output and "-- lock: ACCESS EXCLUSIVE, a moment" in output
    assert not is_protected(server, shop, "room")


def test_options_reach_the_plan(protect, server, shop):
    server.psql("alter table message drop column tenant_id", dbname=shop)
    assert protect("room").end()[0] == 0
    status, output = protect("message", "--via", "room_id", "--harden-keys", "keys", "--fill-null", "--dry-run").end()
    assert status == 0, output
    for part in ("via => 'room_id'", "harden_keys => 'keys'", "fill_null => true"):
        assert part in output
    status, output = protect("message", "--via", "room_id").end()
    assert status == 0, output
    assert is_protected(server, shop)


def test_what_cannot_be_protected(protect):
    status, output = protect("nothing").end()
    assert status == 1 and 'tenancyd: relation "nothing" does not exist (42P01)' in output
    status, output = protect("room", "--tenant-column", "id_of_tenant").end()
    assert status == 1 and "tenancyd: " in output


def test_waits_its_turn_behind_a_lock(protect, server, shop):
    """A transaction that has read the table stays open; the table is asked for again and again, and got in the end."""
    with server.connect(dbname=shop, autocommit=False) as holder:
        holder.execute("select count(*) from room")
        attempt = protect("room")
        attempt.wait_for("planning again in")
        # Others get through between two attempts: nobody queues for longer than the lock_timeout.
        waiting = "select max(clock_timestamp() - waitstart) < interval '4 seconds' from pg_locks where not granted"
        assert server.execute(waiting, dbname=shop)[0][0] in (True, None)
        holder.rollback()
    status, output = attempt.end()
    assert status == 0, output
    assert is_protected(server, shop, "room") and is_whole(server, shop)


def test_gives_up_at_last(protect, server, shop):
    with server.connect(dbname=shop, autocommit=False) as holder:
        holder.execute("select count(*) from room")
        status, output = protect("room", "--attempts", "1").end()
    assert status == 1 and "given up after 1 failures in a row" in output
    assert not is_protected(server, shop, "room")


def test_an_old_transaction_does_not_undo_an_index(protect, server, shop):
    """CREATE INDEX CONCURRENTLY waits for it as long as it takes, while writers go on."""
    with server.connect(dbname=shop, autocommit=False) as old:
        old.execute("insert into room values (1000, (select id from tenancy.tenant where slug = 'acme'))")
        attempt = protect("room")
        attempt.wait_for(" s: ")
        server.execute("insert into room values (1001, (select id from tenancy.tenant where slug = 'acme'))", dbname=shop)
        assert "planning again" not in attempt.output
        old.commit()
    status, output = attempt.end()
    assert status == 0, output
    assert "waiting for" in output
    assert output.count("CREATE INDEX CONCURRENTLY") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_goes_on_after_an_interruption(protect, server, shop, number):
    with server.connect(dbname=shop, autocommit=False) as old:
        old.execute("insert into room values (1000, (select id from tenancy.tenant where slug = 'acme'))")
        attempt = protect("room")
        attempt.wait_for("CREATE INDEX CONCURRENTLY")
        building = "select count(*) from pg_stat_progress_create_index where datname = current_database()"
        wait_for(lambda: server.execute(building, dbname=shop) == [(1,)], 20, "the index to be built")
        attempt.process.send_signal(number)
        status, output = attempt.end()
        if number != signal.SIGKILL:
            assert status == 1 and "run the same command again to go on" in output
        wait_for(lambda: server.execute(building, dbname=shop) == [(0,)], 20, "the server to end the statement")
        old.commit()
    assert not is_protected(server, shop, "room") and not is_whole(server, shop)
    status, output = protect("room").end()
    assert status == 0, output
    assert "DROP INDEX CONCURRENTLY" in output
    assert is_protected(server, shop, "room") and is_whole(server, shop)


def test_goes_on_after_a_restart_of_the_server(protect, server, shop):
    with server.connect(dbname=shop, autocommit=False) as holder:
        holder.execute("select count(*) from room")
        attempt = protect("room")
        attempt.wait_for("planning again in")
        try:
            server.restart("immediate")
        finally:
            holder.close()
    status, output = attempt.end()
    assert status == 0, output
    assert is_protected(server, shop, "room") and is_whole(server, shop)


def test_application_works_meanwhile(protect, server, shop):
    """An application that writes all the time has to wait for no more than moments."""
    protect("room").end()
    errors, waits, stop = [], [], threading.Event()

    def write():
        with server.connect(dbname=shop) as app:
            app.execute("set statement_timeout = '5s'")
            n = 100000
            while not stop.is_set():
                n += 1
                try:
                    app.execute("insert into message values (%s, (select id from tenancy.tenant where slug = 'acme'), 1, 'x')", [n])
                    waits.append(n)
                except psycopg.Error as error:
                    errors.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    status, output = protect("message").end()
    stop.set()
    writer.join()
    assert status == 0, output
    assert waits and not [error for error in errors if error.sqlstate == "57014"]
