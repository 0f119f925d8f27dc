"""COPY FROM into a protected table does what COPY does into an unprotected one (design, section 4)."""

import struct

import psycopg
import pytest
from isolation.copied import ACME, Copies, binary, copies, load  # noqa: F401

LONG = b"x" * 300
LOADS = {
    "all columns": ("copy item from stdin", b"7\t%s\tone\t1\t2.50\t2026-02-03\tn\n8\t%s\ttwo\t\\N\t\\N\t\\N\t\\N\n" % ((ACME.encode(),) * 2)),
    "defaults": ("copy item (code, amount) from stdin", b"one\t1\ntwo\t2\n"),
    "other order": ("copy item (note, code) from stdin", b"n\tone\n"),
    "identity given": ("copy item (id, code) from stdin", b"500\tone\n"),
    "no rows": ("copy item (code) from stdin", b""),
    "last line without its end": ("copy item (code) from stdin", b"one\ntwo"),
    "end marker": ("copy item (code) from stdin", b"one\n\\.\n"),
    "empty lines of text": ("copy item (code) from stdin", b"\n"),
    "delimiter and null": ("copy item (code, note) from stdin (delimiter '|', null 'none')", b"one|none\ntwo|2\n"),
    "old syntax": ("copy item (code, note) from stdin delimiter ';' null 'x'", b"one;x\n"),
    "csv": ("copy item (code, note) from stdin (format csv)", b'one,"a, b"\ntwo,\nthree,""\n'),
    "csv with a header": ("copy item (code, note) from stdin (format csv, header)", b"anything,else\none,1\n"),
    "header that matches": ("copy item (code, note) from stdin (format csv, header match)", b"code,note\none,1\n"),
    "header of text": ("copy item (code, note) from stdin (header match)", b"code\tnote\none\t1\n"),
    "quote and escape": ("copy item (code, note) from stdin (format csv, quote '''', escape '!')", b"one,'it!'s'\n"),
    "force null": ("copy item (code, note) from stdin (format csv, force_null (note))", b'one,""\n'),
    "force not null": ("copy item (code, note) from stdin (format csv, force_not_null (note))", b"one,\n"),
    "encoding": ("copy item (code, note) from stdin (encoding 'latin1')", b"one\tcaf\xe9\n"),
    "where": ("copy item (code, amount) from stdin where amount > 1 and code <> 'x'", b"one\t1\ntwo\t2\nthree\t3\nx\t4\n"),
    "where on a default": ("copy item (code) from stdin where price < 1", b"one\n"),
    "where on tableoid": ("copy item (code) from stdin where tableoid = 'item'::regclass", b"one\n"),
    "trigger leaves out": ("copy item (code, note) from stdin", b"one\tskip\ntwo\tkeep\n"),
    "trigger tells": ("copy item (code, note) from stdin", b"one\ttell\n"),
    "trigger changes": ("copy item (code, note) from stdin", b"one\tchange\n"),
    "many rows": ("copy item (code) from stdin", b"".join(b"row %d\n" % n for n in range(3000))),
    "unlogged freeze option off": ("copy item (code) from stdin (freeze off)", b"one\n"),
}
ERRORS = {
    "header that does not": ("copy item (code, note) from stdin (format csv, header match)", b"note,code\none,1\n"),
    "bad number": ("copy item (code, amount) from stdin", b"one\t1\ntwo\ttwo\n"),
    "bad number, long": ("copy item (code, amount) from stdin", b"one\t" + LONG + b"\n"),
    "bad number in the last line": ("copy item (code, amount) from stdin", b"".join(b"%d\t1\n" % n for n in range(1, 2000)) + b"x\ty\n"),
    "domain": ("copy item (code, amount) from stdin", b"one\t1\ntwo\t-2\n"),
    "check": ("copy item (code, price) from stdin", b"one\t1\ntwo\t1000\n"),
    "not null": ("copy item (code, note) from stdin", b"one\t1\n\\N\t2\n"),
    "unique": ("copy item (code) from stdin", b"one\ntwo\none\n"),
    "missing column": ("copy item (code, note) from stdin", b"one\t1\ntwo\n"),
    "extra column": ("copy item (code) from stdin", b"one\t1\n"),
    "trigger refuses": ("copy item (code, note) from stdin", b"one\t1\ntwo\trefuse\n"),
    "bytes": ("copy item (code) from stdin", b"one\ncaf\xe9\n"),
    "quote open": ("copy item (code) from stdin (format csv)", b'"one\n'),
    "no such column": ("copy item (code, nothing) from stdin", b""),
    "column twice": ("copy item (code, code) from stdin", b""),
    "generated column": ("copy item (code, doubled) from stdin", b""),
    "generated column in where": ("copy item (code) from stdin where doubled = 1", b""),
    "generated column in a whole row": ("copy item (code) from stdin where item::text = ''", b""),
    "no such column in where": ("copy item (code) from stdin where nothing = 1", b""),
    "where that is no condition": ("copy item (code) from stdin where 1", b""),
    "where that fails": ("copy item (code, amount) from stdin where 1 / (amount - 1) > 0", b"one\t1\n"),
    "sub-select in where": ("copy item (code) from stdin where exists (select 1)", b""),
    "aggregate in where": ("copy item (code) from stdin where count(*) > 1", b""),
    "unknown option": ("copy item (code) from stdin (format yaml)", b""),
    "contradicting options": ("copy item (code) from stdin (format binary, delimiter 'x')", b""),
    "column of force_null": ("copy item (code) from stdin (format csv, force_null (note))", b""),
}


@pytest.mark.parametrize("statement, data", LOADS.values(), ids=LOADS)
def test_loads(copies: Copies, statement: str, data: bytes) -> None:
    outcome = copies.same_as_copy(statement, data)
    assert outcome.tag == f"COPY {len(outcome.rows)}"


@pytest.mark.parametrize("statement, data", ERRORS.values(), ids=ERRORS)
def test_errors(copies: Copies, statement: str, data: bytes) -> None:
    """The same error as COPY's, with its line, and no row."""
    outcome = copies.same_as_copy(statement, data)
    assert outcome.error and not outcome.rows


def test_lines_of_errors(copies: Copies) -> None:
    """What the comparison is about, spelled out."""
    def context(name: str) -> str:
        return copies.same_as_copy(*ERRORS[name]).error[4] or ""

    assert context("bad number") == 'COPY item, line 2, column amount: "two"'
    assert context("unique") == 'COPY item, line 3: "one"'
    assert context("trigger refuses").endswith('\nCOPY item, line 2: "two\trefuse"')


def test_triggers_fire_once_for_a_statement(copies: Copies) -> None:
    """However many rows: also those that see all rows of the statement."""
    seen = copies.same_as_copy(*LOADS["many rows"]).seen
    assert seen.count(("INSERT BEFORE statement", None)) == seen.count(("INSERT AFTER statement", None)) == 1
    assert seen.count(("rows of item", 3000)) == 1


@pytest.mark.parametrize("when", ["BEFORE", "AFTER"])
def test_a_statement_trigger_refuses(copies: Copies, when: str) -> None:
    """That is of no line."""
    error = copies.same_as_copy("copy item (code) from stdin", b"one\n", before=f"set local work.refuse = '{when}'").error
    assert error[1] == f"refused {when}" and "COPY" not in (error[4] or "")


BINARY = {
    "rows": binary([b"one", struct.pack("!i", 1)], [b"two", None]),
    "none": binary(),
    "nothing": b"",
    "another signature": binary(header=b"PGDUMP\n\xff\r\n\0" + bytes(8)),
    "flags": binary(header=b"PGCOPY\n\xff\r\n\0" + b"\xff" * 4 + bytes(4)),
    "cut header": b"PGCOPY\n\xff",
    "cut row": binary([b"one", struct.pack("!i", 1)], end=b"\0\2\0\0\0\3tw"),
    "too few fields": binary([b"one"]),
    "too many fields": binary([b"one", None, None]),
    "size of a number": binary([b"one", b"12345678"]),
    "negative size": binary(end=b"\0\2\xff\xff\xff\xfe"),
    "huge size": binary(end=b"\0\2\x7f\xff\xff\xff"),
    "domain": binary([b"one", struct.pack("!i", -1)]),
    "data after the end": binary([b"one", None]) + b"more",
}


@pytest.mark.parametrize("data", BINARY.values(), ids=BINARY)
def test_binary(copies: Copies, data: bytes) -> None:
    copies.same_as_copy("copy item (code, amount) from stdin (format binary)", data)


def test_binary_of_everything(copies: Copies) -> None:
    """What COPY writes is what COPY reads."""
    with copies.connect(tenant=None) as connection, connection.cursor() as cursor:
        cursor.execute("begin")
        load(connection, "copy twin.item (id, code, amount, note) from stdin", b"3\tone\t1\tn\n4\ttwo\t\\N\t\\N\n")
        columns = "id, tenant_id, code, amount, price, at, note"
        with cursor.copy(f"copy (select {columns} from twin.item) to stdout (format binary)") as copy:
            data = b"".join(bytes(block) for block in copy)
        connection.execute("rollback")
    assert copies.same_as_copy(f"copy item ({columns}) from stdin (format binary)", data).tag == "COPY 2"


@pytest.mark.parametrize("statement, data", {
    "newer default": ("copy item (code, price) from stdin (default '<default>')", b"one\t<default>\n"),
    "skipped rows": ("copy item (code, amount) from stdin (on_error ignore)", b"one\t1\ntwo\ttwo\nthree\t3\n"),
    "all skipped": ("copy item (code, amount) from stdin (on_error ignore)", b"one\tx\n"),
    "named": ("copy item (code, amount) from stdin (on_error ignore, log_verbosity verbose)", b"one\t1\ntwo\ttwo\n"),
    "silent": ("copy item (code, amount) from stdin (on_error ignore, log_verbosity silent)", b"two\ttwo\n"),
    "limit kept": ("copy item (code, amount) from stdin (on_error ignore, reject_limit 1)", b"one\t1\ntwo\ttwo\n"),
    "limit passed": ("copy item (code, amount) from stdin (on_error ignore, reject_limit 1)", b"one\tx\ntwo\tx\nthree\t3\n"),
    "all columns not null": ("copy item (code, note) from stdin (format csv, force_not_null *)", b"one,\n"),
}.items(), ids=lambda value: value if isinstance(value, str) else "")
def test_options_of_later_versions(copies: Copies, statement: str, data: tuple[str, bytes]) -> None:
    """Where the server does not know one, the twin says so as well."""
    copies.same_as_copy(*data)


def test_column_privileges(copies: Copies) -> None:
    for columns, state in (("code", None), ("code, note", None), ("code, amount", "42501"), (None, "42501")):
        statement = f"copy item {f'({columns})' if columns else ''} from stdin"
        data = b"one\t1\n" if columns == "code, note" else b"one\n" if columns == "code" else b""
        outcome = copies.same_as_copy(statement, data, role="load_narrow")
        assert (outcome.error[0] if outcome.error else None) == state
    # The rows that WHERE looks at are the loader's own.
    assert copies.same_as_copy("copy item (code) from stdin where amount is null", b"one\n", role="load_narrow").tag == "COPY 1"


EVENTS = b"1\t2025-05-05\ta\n2\t2026-05-05\tb\n3\t2025-06-06\tc\n"


def test_where_on_the_whole_row(copies: Copies) -> None:
    statement = "copy plain (id, body) from stdin where plain.* is not null"
    assert copies.same_as_copy(statement, b"1\ta\n2\t\\N\n", table="plain").tag == "COPY 1"


def test_partitions(copies: Copies) -> None:
    outcome = copies.same_as_copy("copy event (id, at, body) from stdin", EVENTS, table="event")
    assert [row[-1] for row in outcome.rows] == ["event_2025", "event_2026", "event_2025"]
    assert outcome.seen == [("rows of event", 3)]
    assert copies.same_as_copy("copy event (id, at) from stdin", b"1\t2025-01-01\n2\t2099-01-01\n", table="event").error[0] == "23514"


def test_one_partition(copies: Copies) -> None:
    for table in ("event_2025", "event_2026"):
        outcome = copies.same_as_copy(f"copy {table} (at, id, body) from stdin", f"{table[-4:]}-05-05\t1\ta\n".encode(), table="event")
        assert [row[-1] for row in outcome.rows] == [table]
        assert copies.same_as_copy(f"copy {table} (at, id) from stdin", b"2030-01-01\t1\n", table="event").error[0] == "23514"


def test_foreign_keys(copies: Copies) -> None:
    before = "insert into item (id, code) overriding system value values (1, 'x')"
    assert copies.same_as_copy("copy line (id, item_id) from stdin", b"1\t1\n2\t\\N\n", table="line", before=before).tag == "COPY 2"
    error = copies.outcome("shop", "copy line (id, item_id) from stdin", b"1\t1\n2\t2\n", table="line", before=before).error
    assert error[0] == "23503" and error[4] is None
