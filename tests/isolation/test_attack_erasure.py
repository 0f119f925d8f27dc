"""What leaves a protected table takes its place in the record along, so that erasing finds it."""

from harness import Server


def test_a_child_that_left_is_erased_too(server: Server, database: str):
    server.psql(
        """create table event (id int, tenant_id uuid not null);
           create table event_old () inherits (event);
           insert into event_old select 1, tenancy.provision('gone');
           select tenancy.protect('event');
           alter table event_old no inherit event;
           select tenancy.suspend('gone', 'x'), tenancy.archive('gone', 'x'), tenancy.request_erasure('gone', 'x', '0')""",
        dbname=database,
    )
    server.psql("call tenancy.erase('gone')", dbname=database)
    assert server.execute("select count(*) from event_old", dbname=database) == [(0,)]
