"""Stores that are attached, defined anew, forgotten or bound anew beside daemons and operators."""

from collections.abc import Callable

import pytest
from harness import Server, wait_for

from .operators import Connect, Later
from .store_daemons import Daemon, daemon, followed, look, tenants  # noqa: F401


# A store that is being attached.


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read"])
def test_who_changed_a_tenant_while_the_store_was_attached_is_followed(
    daemon: Callable[..., Daemon], connect: Connect, isolation: str
) -> None:
    admin, slow = connect(), connect()
    slow.autocommit = False
    slow.execute(f"set transaction isolation level {isolation}")
    slow.execute("select count(*) from tenancy.tenant")
    if isolation == "read committed":
        slow.execute("select tenancy.suspend('t1', 'x'), tenancy.provision('unseen')")
    admin.execute("select tenancy.define_store('late', 'redis', '{}')")
    one = daemon("one", "late")
    one.settle()
    if isolation == "repeatable read":
        slow.execute("select tenancy.suspend('t1', 'x'), tenancy.provision('unseen')")
    slow.commit()
    wait_for(lambda: followed(one, admin), 20, "the store to be settled")
    assert look(admin, "t1", "late") == (3, 3, False, False)
    assert look(admin, "unseen", "late") == (2, 2, False, False)


def test_whose_erasing_began_while_the_store_was_attached_is_claimed(
    daemon: Callable[..., Daemon], connect: Connect
) -> None:
    """Its row says that it is to be there, and whoever began did not see the row."""
    admin, slow = connect(), connect()
    for step in ("suspend('t1', 'x')", "archive('t1', 'x')", "request_erasure('t1', 'x', '0')"):
        admin.execute(f"select tenancy.{step}")
    slow.autocommit = False
    slow.execute("select tenancy.define_store('late', 'redis', '{}')")
    admin.execute("select tenancy.begin_erasure('t1', 1000)")
    slow.commit()
    one = daemon("one", "late")
    wait_for(lambda: followed(one, admin), 20, "the store to be settled")
    proven = "select erased_at is not null from tenancy.tenant_store where store = 'late' and tenant_id = tenancy.tenant_id('t1')"
    assert admin.execute(proven).fetchone() == (True,)


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read"])
def test_who_was_provisioned_while_the_definition_changed_follows_it(
    daemon: Callable[..., Daemon], connect: Connect, isolation: str
) -> None:
    """Neither transaction sees the other's rows, and the tenant has converged before the change commits."""
    admin, slow, one = connect(), connect(), daemon()
    wait_for(lambda: followed(one, admin), 20, "the store to be settled")
    slow.autocommit = False
    slow.execute(f"set transaction isolation level {isolation}")
    with connect() as other:
        other.autocommit = False
        if isolation == "repeatable read":
            slow.execute("select count(*) from tenancy.tenant")
        other.execute("select tenancy.provision('unseen')")
        if isolation == "read committed":
            slow.execute("select tenancy.define_collection('docs', 'notes')")
        other.commit()
    if isolation == "repeatable read":
        slow.execute("select tenancy.define_collection('docs', 'notes')")
    one.settle()
    assert look(admin, "unseen") == (2, 2, False, False)
    slow.commit()
    wait_for(lambda: followed(one, admin), 20, "the store to be settled")
    behind = """select count(*) from tenancy.tenant_store as s join tenancy.store as d on d.name = s.store
                 where d.name = 'docs' and s.observed_store_generation < d.generation"""
    assert admin.execute(behind).fetchone() == (0,)


def test_a_definition_reaches_tenants_while_an_old_snapshot_is_open(daemon: Callable[..., Daemon], connect: Connect, tenants: int) -> None:
    """Only the second comparison waits for it."""
    admin, old, one = connect(), connect(), daemon()
    one.settle()
    old.autocommit = False
    old.execute("set transaction isolation level repeatable read")
    old.execute("select count(*) from tenancy.tenant")
    admin.execute("select tenancy.define_collection('docs', 'notes')")
    assert len([*one.claim(), *one.claim()]) == tenants
    assert not followed(one, admin)


@pytest.mark.parametrize(
    ("coming", "generation"), [("select tenancy.provision('new', tier => 'gold')", 3), ("select tenancy.set_tier('t1', 'gold')", 4)]
)
def test_who_comes_into_a_tier_beside_a_change_of_it_follows_it(
    server: Server, daemon: Callable[..., Daemon], connect: Connect, database: str, coming: str, generation: int
) -> None:
    admin, slow, one = connect(), connect(), daemon()
    admin.execute("select tenancy.define_tier('gold')")
    server.psql("select tenancy.define_setting('n', '{}')", dbname=database)
    one.settle()
    with admin.transaction():
        admin.execute(coming)
        setting = Later(slow, "select tenancy.set_setting('tier:gold', 'n', '1')").wait_until_blocked(server)
    wait_for(lambda: not setting.running, 20, "the setting to be set")
    assert setting.error is None
    query = "select tenant_id, settings from tenancy.desired_page('docs', null, 1000)"
    wanted = {tenant: settings for tenant, settings in one.connection.execute(query) if settings}
    assert list(wanted.values()) == [{"n": 1}]
    assert [(tenant, reached) for tenant, reached, *_ in one.claim()] == [(tenant, generation) for tenant in wanted]


def test_who_erases_leaves_the_comparison_to_the_others(daemon: Callable[..., Daemon], connect: Connect) -> None:
    """The marks that it makes are for those: they would sleep, and nobody would tell them."""
    admin, one = connect(), daemon()
    wait_for(lambda: followed(one, admin), 20, "the store to be settled")
    admin.execute("select tenancy.define_collection('docs', 'notes')")
    marks = "select count(*) from tenancy.store_mark where store = 'docs'"
    assert one.connection.execute("select count(*) from tenancy.claim_work('one', 1, 'docs', 64, '1 minute', true)").fetchone() == (0,)
    assert admin.execute(marks).fetchone() == (0,)
    assert len(one.claim()) == 64


# A store that is being forgotten.


def test_who_is_provisioned_while_its_store_is_forgotten_does_not_wait_for_it(server: Server, connect: Connect, tenants: int) -> None:
    admin, early, late = connect(), connect(), connect()
    admin.execute("select tenancy.define_store('late', 'redis', '{provision}')")
    early.autocommit = admin.autocommit = False
    early.execute("select tenancy.provision('early')")
    forgetting = Later(admin, "select tenancy.forget_store('late', 'x')").wait_until_blocked(server)
    early.commit()
    wait_for(lambda: not forgetting.running, 20, "the store to be forgotten")
    assert forgetting.error is None
    provisioning = Later(late, "select tenancy.provision('late')").wait_until_blocked(server)
    admin.commit()
    wait_for(lambda: not provisioning.running, 20, "the tenant to be provisioned")
    assert provisioning.error is None
    states = late.execute("select slug, state from tenancy.tenant where slug in ('early', 'late') order by slug").fetchall()
    assert states == [("early", "active"), ("late", "active")]
    assert late.execute("select count(*) from tenancy.tenant_store where store = 'late'").fetchone() == (0,)


# An instance that is bound anew.


def test_a_heartbeat_beside_an_adoption_is_of_the_old_epoch(
    server: Server, connect: Connect, daemon: Callable[..., Daemon], database: str
) -> None:
    """It began before and comes after: it neither stands in the adoption's way nor counts."""
    admin, beating = connect(), daemon("old").connection
    beating.execute("select tenancy.tick_instance('old', '1', 1)")
    with server.connect(dbname=database, autocommit=False) as holder:
        holder.execute("lock table tenancy.instance in share mode")
        adoption = Later(admin, "select epoch from tenancy.bind_instance('replacement')").wait_until_blocked(server)
        beat = Later(beating, "select tenancy.tick_instance('old', '1', 1)").wait_until_blocked(server)
        holder.rollback()
    wait_for(lambda: not adoption.running and not beat.running, 20, "both to be over")
    assert adoption.rows == [(2,)] and adoption.error is None
    assert beat.error is not None and beat.error.sqlstate == "TN026"
    assert server.execute("select count(*) from tenancy.daemon", dbname=database) == [(0,)]
