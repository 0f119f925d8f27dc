"""Rows of tenants that nobody registered: what protect() tells an operator. (That they stay: tests/pgtap.)"""

import pytest


@pytest.mark.parametrize("tenants", [1, 2])
def test_protect_says_how_many(server, database, tenants):
    heard = []
    with server.connect(dbname=database) as connection:
        connection.execute("create table note (tenant_id uuid)")
        connection.execute("insert into note select gen_random_uuid() from generate_series(1, %s)", [tenants])
        connection.add_notice_handler(lambda diag: heard.append(diag.message_primary))
        connection.execute("select tenancy.protect('note')")
    assert heard == [f'table "public.note" has rows of tenants that are not registered (tenants: {tenants})']
