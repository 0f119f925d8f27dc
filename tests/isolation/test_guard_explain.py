"""EXPLAIN and everything else that shows plans (leaks P27, P28, P54)."""

import re

import psycopg
import pytest
from isolation.guarded import Guards, enter, guards  # noqa: F401

EXPLAINS = {
    "plain": "explain select * from messages where id = 1",
    "other tenant": "explain select * from messages where body = 'globex message'",
    "analyze": "explain analyze select * from messages",
    "without costs": "explain (costs off) select * from messages",
    "json": "explain (format json, verbose) select * from messages",
    "update": "explain update messages set body = '' where id = 1",
    "insert": "explain insert into messages (id, body) values (99, 'x')",
    "create table as": "explain create table copied as select * from messages",
    "declare": "explain declare c cursor for select * from messages",
    "view": "explain select * from message_view",
    "function": "explain select * from inlined_messages()",
    "sub-select": "explain select (select count(*) from messages)",
    "never executed": "explain select * from messages where false and id = 1",
    "cte": "explain with m as materialized (select * from messages) select * from plain, m",
    "union": "explain select body from plain union all select body from messages",
    "dynamic": "do $$begin execute 'explain select * from messages'; end$$",
    "counts of a function": "explain (analyze, buffers) select count_messages()",
}


@pytest.mark.parametrize("statement", EXPLAINS.values(), ids=EXPLAINS.keys())
def test_explain_of_a_protected_table_is_refused(guards: Guards, statement: str) -> None:
    guards.is_the_guards_work(statement, match="EXPLAIN")


def test_the_leak_itself(guards: Guards) -> None:
    """What the guard hides: the estimate of another tenant's rows."""
    plan = guards.passes("explain select * from messages where body = 'globex message'", role="guard_off")
    assert plan
    error = guards.refused("explain select * from messages where body = 'globex message'")
    assert "rows" not in (error.diag.message_primary or "")


def test_explain_execute_of_a_drivers_statement_is_refused(guards: Guards) -> None:
    """EXPLAIN EXECUTE reaches statements that the driver prepared, too."""
    for role in ("guard_off", "guard_app"):
        with guards.connect(role, tenant="acme") as connection:
            connection.pgconn.prepare(b"driver_statement", b"select * from messages")
            if role == "guard_off":
                assert connection.execute("explain execute driver_statement").fetchall()
            else:
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="EXPLAIN"):
                    connection.execute("explain execute driver_statement")
            connection.execute("rollback")


def test_explain_of_other_tables_passes(guards: Guards) -> None:
    assert "rows=" in guards.passes("explain analyze select * from plain")[0][0]
    assert guards.passes("explain analyze select * from plain", tenant=None)


def test_standard_answers_without_costs_and_rows(guards: Guards) -> None:
    guards.admin("alter role guard_app set tenancy.guard = standard")
    try:
        for statement in ("explain select * from messages", "explain (costs on) select * from messages",
                          "explain (costs, costs true, verbose) select * from message_view"):
            plan = "\n".join(row[0] for row in guards.passes(statement))
            assert "Scan" in plan and not re.search("cost=|rows=|width=", plan)
        for options in ("analyze", "(analyze)", "(analyze true, costs off)", "(analyze off, analyze on)",
                        "(analyze 1)"):
            guards.refused(f"explain {options} select * from messages", match="EXPLAIN")
        assert guards.passes("explain (analyze false) select * from messages")
        assert guards.passes("explain (analyze 0) select * from messages")
        guards.refused("prepare p as select 1", match="PREPARE")
    finally:
        guards.admin("alter role guard_app reset tenancy.guard")


def test_explain_by_permission(guards: Guards) -> None:
    guards.refused("explain select * from messages")
    guards.admin("select tenancy.grant_explain('guard_app', now() + interval '1 hour', 'slow query 4711')")
    try:
        assert "rows=" in guards.passes("explain select * from messages")[0][0]
        assert guards.admin(
            "select detail ->> 'reason' from tenancy.audit_event where event = 'grant_explain'"
        ) == [("slow query 4711",)]
        guards.admin("update tenancy.explain_grant set valid_until = now() - interval '1 second'")
        guards.refused("explain select * from messages")
    finally:
        assert guards.admin("select tenancy.revoke_explain('guard_app')") == [(True,)]
    guards.refused("explain select * from messages")
    assert guards.admin("select tenancy.revoke_explain('guard_app')") == [(False,)]


@pytest.mark.parametrize("arguments", [
    "null, now() + interval '1 hour', 'x'",
    "'guard_app', null, 'x'",
    "'guard_app', now() - interval '1 hour', 'x'",
    "'guard_app', 'infinity', 'x'",
    "'guard_app', now() + interval '1 hour', ' '",
])
def test_a_grant_needs_role_end_and_reason(guards: Guards, arguments: str) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        guards.admin(f"select tenancy.grant_explain({arguments})")


def test_only_admins_grant_explain(guards: Guards) -> None:
    with guards.connect() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select tenancy.grant_explain('guard_app', now() + interval '1 hour', 'x')")


def test_debug_print_plan(guards: Guards) -> None:
    seen = {}
    for role in ("guard_off", "guard_app"):
        with guards.connect(role, tenant="acme") as connection:
            notices: list[str] = []
            connection.add_notice_handler(lambda n, to=notices: to.append(f"{n.message_primary}{n.message_detail}"))
            connection.execute("set local client_min_messages = log")
            connection.execute("set local debug_print_plan = on")
            if role == "guard_off":
                connection.execute("select * from messages")
            else:
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="cannot be printed"):
                    connection.execute("select * from messages")
            seen[role] = "".join(notices)
            connection.execute("rollback")
    assert "plan_rows" in seen["guard_off"]
    assert "plan_rows" not in seen["guard_app"]


def test_debug_print_plan_of_other_tables_passes(guards: Guards) -> None:
    assert guards.passes("set local debug_print_plan = on", "select * from plain")


def test_auto_explain_does_not_reach_the_client(guards: Guards) -> None:
    """auto_explain, where an administrator loaded it, logs to the client as well."""
    texts = {}
    for role in ("guard_off", "guard_app"):
        guards.admin(f"alter role {role} set session_preload_libraries = 'auto_explain'")
        guards.admin(f"alter role {role} set auto_explain.log_min_duration = 0")
        guards.admin(f"alter role {role} set auto_explain.log_analyze = on")
        try:
            with guards.connect(role) as connection:
                notices: list[str] = []
                connection.add_notice_handler(lambda n, to=notices: to.append(n.message_primary or ""))
                enter(connection, "acme")
                connection.execute("set local client_min_messages = log")
                connection.execute("select count(*) from messages")
                connection.execute("declare c cursor for select * from messages; fetch 1 from c; close c")
                connection.execute("rollback")
                texts[role] = "".join(notices)
        finally:
            guards.admin(f"alter role {role} reset session_preload_libraries")
            guards.admin(f"alter role {role} reset auto_explain.log_min_duration")
            guards.admin(f"alter role {role} reset auto_explain.log_analyze")
    assert "Query Text" in texts["guard_off"]
    assert "Query Text" not in texts["guard_app"]


def test_statistics_functions(guards: Guards) -> None:
    """Counters of one's own transaction count the rows of all tenants exactly (P55)."""
    for function in ("pg_stat_get_xact_tuples_returned", "pg_stat_get_xact_numscans", "pg_stat_get_tuples_returned",
                     "pg_stat_get_live_tuples"):
        guards.is_the_guards_work(f"select {function}('messages'::regclass)", match="statistics")
    guards.is_the_guards_work("select seq_tup_read from pg_stat_xact_user_tables", match="statistics")
    for function in ("pg_stat_get_xact_function_calls", "pg_stat_get_function_calls", "pg_stat_get_function_self_time"):
        guards.is_the_guards_work(f"select {function}('tenancy.current_tenant_id'::regproc)", match="statistics")
    guards.is_the_guards_work("select calls from pg_stat_user_functions", match="statistics")
    guards.is_the_guards_work("select currtid2('messages', '(0,1)')", match="statistics")  # follows a row, whose ever it is
    guards.admin("grant pg_read_all_stats to guard_app")
    try:
        assert guards.passes("select pg_stat_get_xact_numscans('messages'::regclass)")
    finally:
        guards.admin("revoke pg_read_all_stats from guard_app")


def test_the_leak_of_function_statistics(guards: Guards) -> None:
    """Plans that are shown or parallel call the policy's function for each row, whose ever it is."""
    guards.admin("alter role guard_off set track_functions = 'all'")
    try:
        calls = guards.passes(
            "set local enable_indexscan = off", "set local enable_bitmapscan = off", "explain (analyze) select count(*) from messages",
            "select pg_stat_get_xact_function_calls('tenancy.current_tenant_id'::regproc)", role="guard_off")[0][0]
    finally:
        guards.admin("alter role guard_off reset track_functions")
    assert calls >= 710
