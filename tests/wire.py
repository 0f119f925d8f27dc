"""Messages of PostgreSQL's protocol that no driver sends: fast-path calls, portals in odd order.

https://www.postgresql.org/docs/15/protocol-message-formats.html
"""

import os
import select
import socket
import struct
from typing import Any

import psycopg


def message(kind: bytes, body: bytes = b"") -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def parse(text: str, name: bytes = b"") -> bytes:
    return message(b"P", name + b"\0" + text.encode() + b"\0" + struct.pack("!H", 0))


def bind(portal: bytes = b"", *values: bytes, statement: bytes = b"") -> bytes:
    body = portal + b"\0" + statement + b"\0" + struct.pack("!HH", 0, len(values))
    body += b"".join(struct.pack("!I", len(value)) + value for value in values)
    return message(b"B", body + struct.pack("!H", 0))


def run(portal: bytes = b"", rows: int = 0) -> bytes:
    """Execute a portal, for all its rows or so many."""
    return message(b"E", portal + b"\0" + struct.pack("!I", rows))


SYNC = message(b"S")
BEGIN = parse("begin") + bind() + run()


def socket_of(connection: psycopg.Connection[Any]) -> socket.socket:
    """A handle of the connection's socket of one's own, to be closed; the connection goes on."""
    return socket.socket(fileno=os.dup(connection.pgconn.socket))


def _receive(raw: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        select.select([raw], [], [], 10)
        got = raw.recv(size - len(data))
        if not got:
            raise ConnectionError("the server closed the connection")
        data += got
    return data


def read_until_ready(raw: socket.socket) -> tuple[bytes, bytes]:
    """(SQLSTATE of an error, last result) of the messages up to ReadyForQuery."""
    code = result = b""
    while True:
        kind, length = struct.unpack("!cI", _receive(raw, 5))
        payload = _receive(raw, length - 4)
        if kind == b"E":
            code = next(field[1:] for field in payload.split(b"\0") if field[:1] == b"C")
        elif kind in (b"V", b"D"):
            result = payload
        elif kind == b"Z":
            return code, result


def function_oid(connection: psycopg.Connection[Any], signature: str) -> int:
    row = connection.execute("select %s::regprocedure::oid", [signature]).fetchone()
    assert row is not None
    return int(row[0])


def fast_path_call(connection: psycopg.Connection[Any], function: str | int, *arguments: str) -> tuple[bytes, bytes]:
    """Calls a function by message 'F': (SQLSTATE of the error, result). By its oid, it is all that is sent."""
    oid = function_oid(connection, function) if isinstance(function, str) else function
    body = struct.pack("!IhhH", oid, 1, 0, len(arguments))
    for argument in arguments:
        body += struct.pack("!I", len(argument)) + argument.encode()
    body += struct.pack("!H", 0)
    with socket_of(connection) as raw:
        raw.sendall(message(b"F", body))
        return read_until_ready(raw)


def pipeline(connection: psycopg.Connection[Any], *statements: tuple[str, list[bytes]]) -> list[psycopg.pq.PGresult]:
    """Statements with bound parameters and one Sync, in one go; their results. Raises the first error.

    psycopg's own pipelines may send a second Sync, upon which PgBouncer 1.18 loses count and keeps
    the server connection.
    """
    pgconn = connection.pgconn
    pgconn.enter_pipeline_mode()
    for text, parameters in statements:
        pgconn.send_query_params(text.encode(), parameters)
    pgconn.pipeline_sync()
    results: list[psycopg.pq.PGresult] = []
    while not results or results[-1].status != psycopg.pq.ExecStatus.PIPELINE_SYNC:
        result = pgconn.get_result()
        if result is not None:
            results.append(result)
    pgconn.exit_pipeline_mode()
    for result in results:
        if result.status == psycopg.pq.ExecStatus.FATAL_ERROR:
            raise psycopg.errors.error_from_result(result)
    return results[:-1]
