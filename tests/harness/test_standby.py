"""The harness itself: a hot standby."""

import psycopg
import pytest
from harness import Server, Standby


def test_replays_and_is_promoted():
    with Server(preload=None) as primary, Standby(primary) as standby:
        primary.execute("create table t as select generate_series(1, 1000) as n")
        standby.wait_for_catchup()
        assert standby.execute("select count(*), pg_is_in_recovery() from t") == [(1000, True)]
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            standby.execute("insert into t values (0)")

        standby.execute("select pg_wal_replay_pause()")
        primary.execute("insert into t values (1001)")
        with pytest.raises(TimeoutError):
            standby.wait_for_catchup(deadline=0.3)
        standby.execute("select pg_wal_replay_resume()")
        standby.wait_for_catchup()

        primary.kill()
        standby.promote()
        standby.execute("insert into t values (1002)")
        assert standby.execute("select max(n) from t") == [(1002,)]
