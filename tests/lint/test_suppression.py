"""What an operator is told who accepts a finding. (What becomes of it: tests/pgtap/suppression.sql.)"""

import pytest

ACCEPT = "select tenancy.suppress_finding('C09_unprotected_table', %s, 'goes next week', now() + interval '7 days')"


@pytest.fixture
def connection(server, database):
    with server.connect(dbname=database) as connection:
        connection.execute("create table note (tenant_id uuid)")
        yield connection


def notices(connection, name):
    heard = []
    connection.add_notice_handler(lambda diag: heard.append((diag.message_primary, diag.message_hint)))
    connection.execute(ACCEPT, [name])
    return heard


def test_an_object_that_the_rule_finds_nothing_about(connection):
    assert notices(connection, "note") == [
        (
            "no finding of C09_unprotected_table is about 'note' now",
            "Name the object as tenancy.check_isolation() does, such as shop.orders.",
        )
    ]


def test_an_object_with_a_finding(connection):
    assert notices(connection, "public.note") == []
