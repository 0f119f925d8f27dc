"""A server of MongoDB's protocol that answers what a test tells it to.

    with ScriptedMongo() as server:
        server.on("dropDatabase", {"ok": 1})
        ... mongodb://127.0.0.1:{server.port}/ ...

Commands without an answer get {"ok": 1}; `hello` describes the primary of a replica set. An answer
may be a document, bytes to be sent as they are, None to close the connection, or a function of the
command and its database that returns one of these. `seen` are the names of the commands so far.
"""

import socket
import socketserver
import struct
import threading
from collections.abc import Callable
from typing import Any

import bson

Answer = dict[str, Any] | bytes | None
OP_MSG, OP_QUERY, OP_REPLY = 2013, 2004, 1
UNASKED = ("hello", "isMaster", "ismaster", "endSessions")


class ScriptedMongo:
    def __init__(self) -> None:
        self.seen: list[str] = []
        self._answers: dict[str, Answer | Callable[[dict[str, Any]], Answer]] = {}
        script = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                script._serve(self.request)

        class Listener(socketserver.ThreadingTCPServer):
            daemon_threads = True

        self._server = Listener(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> "ScriptedMongo":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def uri(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}/"

    def on(self, command: str, answer: Answer | Callable[[dict[str, Any]], Answer]) -> None:
        self._answers[command] = answer

    def _serve(self, connection: socket.socket) -> None:
        while True:
            header = _read(connection, 16)
            if header is None:
                return
            length, request, _, code = struct.unpack("<iiii", header)
            body = _read(connection, length - 16)
            if body is None:
                return
            answer = self._answer(_command(code, body))
            if answer is None:
                return
            connection.sendall(answer if isinstance(answer, bytes) else _reply(code, request, answer))

    def _answer(self, command: dict[str, Any]) -> Answer:
        name = next(iter(command))
        if name not in UNASKED:
            self.seen.append(name)
        if name in self._answers:
            answer = self._answers[name]
            return answer(command) if callable(answer) else answer
        return self._hello() if name in UNASKED else {"ok": 1}

    def _hello(self) -> dict[str, Any]:
        own = f"127.0.0.1:{self.port}"
        return {
            "isWritablePrimary": True,
            "ismaster": True,
            "setName": "scripted",
            "hosts": [own],
            "me": own,
            "primary": own,
            "maxBsonObjectSize": 16777216,
            "maxMessageSizeBytes": 48000000,
            "maxWriteBatchSize": 100000,
            "logicalSessionTimeoutMinutes": 30,
            "minWireVersion": 0,
            "maxWireVersion": 21,
            "ok": 1,
        }


def cursor(*documents: Any) -> dict[str, Any]:
    return {"cursor": {"firstBatch": list(documents), "id": 0, "ns": "t.c"}, "ok": 1}


def refusal(code: int, message: str = "refused by the script") -> dict[str, Any]:
    return {"ok": 0, "code": code, "errmsg": message}


def _read(connection: socket.socket, size: int) -> bytes | None:
    data = b""
    while len(data) < size:
        try:
            part = connection.recv(size - len(data))
        except OSError:
            return None
        if not part:
            return None
        data += part
    return data


def _command(code: int, body: bytes) -> dict[str, Any]:
    if code == OP_QUERY:
        start = body.index(b"\0", 4) + 1 + 8
        return bson.decode(body[start:])
    assert code == OP_MSG and body[4] == 0, "one section of kind 0 is all that the driver sends here"
    size = struct.unpack_from("<i", body, 5)[0]
    return bson.decode(body[5 : 5 + size])


def _reply(code: int, request: int, document: dict[str, Any]) -> bytes:
    encoded = bson.encode(document)
    if code == OP_QUERY:
        payload, reply_code = struct.pack("<iqii", 8, 0, 0, 1) + encoded, OP_REPLY
    else:
        payload, reply_code = struct.pack("<i", 0) + b"\0" + encoded, OP_MSG
    return struct.pack("<iiii", 16 + len(payload), 1, request, reply_code) + payload
