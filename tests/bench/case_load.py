"""(h) Loading rows: COPY into a protected table, against COPY into its unprotected twin and against
INSERTs of a thousand rows each into the protected table. Times are for one row."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from .case_query import ENTER
from .client import Block
from .report import Report
from .rounds import Rounds
from .schema import TENANT, Bench

CASE = "load"
SLOWER = 1.5
ROWS = 500_000
ROUNDS = 9
STATEMENT = 1_000  # rows of an INSERT
CHUNK = 256 * 1024  # bytes that COPY is given at a time


@dataclass(frozen=True)
class Shape:
    """A table, and its row number `n`."""

    name: str
    columns: str
    index: str
    row: str  # in the text format of COPY


SHAPES = (
    Shape("rows of 130 bytes, two indexes",
          "id bigint PRIMARY KEY, tenant_id uuid NOT NULL, created_at timestamptz, amount integer, note text", "tenant_id, created_at",
          "{n}\t{tenant}\t2026-01-01 00:00:{second:02d}+00\t{amount}\tnote number {n} " + "x" * 40),
    Shape("rows of 50 bytes, one index", "tenant_id uuid NOT NULL, n integer, amount integer", "tenant_id", "{tenant}\t{n}\t{amount}"),
)


class Data:
    """The same rows for COPY and for INSERT."""

    def __init__(self, shape: Shape, tenant: str, count: int) -> None:
        rows = [shape.row.format(n=n, tenant=tenant, second=n % 60, amount=n * 7919 % 65536) for n in range(count)]
        text = ("\n".join(rows) + "\n").encode()
        self.count = count
        self.chunks = [text[at : at + CHUNK] for at in range(0, len(text), CHUNK)]
        values = ["('" + row.replace("\t", "','") + "')" for row in rows]
        self.statements = [",".join(values[at : at + STATEMENT]) for at in range(0, count, STATEMENT)]

    def copy(self, connection: psycopg.Connection[tuple[object, ...]], table: str) -> None:
        with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
            for chunk in self.chunks:
                copy.write(chunk)

    def insert(self, connection: psycopg.Connection[tuple[object, ...]], table: str) -> None:
        for values in self.statements:
            connection.execute(f"INSERT INTO {table} VALUES {values}".encode())


def processor_time(process: int) -> int:
    """Nanoseconds that a process has run."""
    return int(Path(f"/proc/{process}/schedstat").read_text(encoding="ascii").split()[0])


@contextmanager
def working(bench: Bench, schema: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """In a transaction: of the tenant, or of an application without the extension."""
    tenanted = schema == "tenanted"
    with bench.server.connect(user="bench_app" if tenanted else "bench_plain", dbname=bench.database) as connection:
        connection.execute("BEGIN")
        if tenanted:
            connection.execute(ENTER)
        yield connection
        connection.execute("COMMIT")


def measure(bench: Bench, schema: str, data: Data, way: str) -> Block:
    bench.execute(f"TRUNCATE {schema}.load")
    bench.execute("CHECKPOINT")
    with working(bench, schema) as connection:
        process = connection.info.backend_pid
        ran, began = processor_time(process), time.perf_counter()
        getattr(data, way)(connection, f"{schema}.load")
        seconds, ran = time.perf_counter() - began, processor_time(process) - ran
    each = 1e9 * seconds / data.count
    return Block(data.count, seconds, each, each, each, each, each, ran / data.count)


def make(bench: Bench, shape: Shape) -> None:
    for schema in ("plain", "tenanted"):
        bench.execute(f"DROP TABLE IF EXISTS {schema}.load; CREATE TABLE {schema}.load ({shape.columns});"
                      f"CREATE INDEX ON {schema}.load ({shape.index}); GRANT SELECT, INSERT ON {schema}.load TO PUBLIC")
    bench.execute("SELECT tenancy.protect('tenanted.load')")


WAYS = {"COPY, protected": ("tenanted", "copy"), "COPY, twin": ("plain", "copy"), "INSERT, protected": ("tenanted", "insert")}


def run(bench: Bench, report: Report) -> dict[str, object]:
    count, repeats = (ROWS // 10, 2) if report.quick else (ROWS, ROUNDS)
    for shape in SHAPES:
        make(bench, shape)
        data = Data(shape, bench.tenant_id(TENANT), count)
        rounds = Rounds("mean", {way: [] for way in WAYS})
        for _ in range(repeats):
            for way in random.sample(list(WAYS), len(WAYS)):
                rounds.blocks[way].append(measure(bench, WAYS[way][0], data, WAYS[way][1]))
        report.ratio(CASE, f"COPY against the twin, {shape.name}", rounds, "COPY, protected", "COPY, twin", SLOWER)
        report.ratio(CASE, "the same rows by INSERT, against COPY", rounds, "INSERT, protected", "COPY, protected")
    return {"rows": count, "rows_of_an_insert": STATEMENT}
