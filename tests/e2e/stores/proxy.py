"""Proxies between a daemon and a store: they record what is asked, delay it, hold it, refuse
connections, or answer in the store's place."""

import socket
import struct
import threading
from collections.abc import Callable
from typing import Any

import bson
from harness import Port

# What is answered instead of forwarding a message; None forwards it.
Answer = Callable[[Any], bytes | None]


class Gone(Exception):
    """One end has closed the connection."""


class Peer:
    """One end of a connection, read in exact pieces."""

    def __init__(self, end: socket.socket) -> None:
        self.socket, self._buffer = end, b""

    def send(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Gone from error

    def exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._more()
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            self._more()
        return self.exactly(self._buffer.index(b"\r\n") + 2)

    def _more(self) -> None:
        try:
            data = self.socket.recv(65536)
        except OSError as error:
            raise Gone from error
        if not data:
            raise Gone
        self._buffer += data


class Proxy:
    """Listens on a port of its own and forwards, message by message, to what listens on `target()`.

    `answer`: sees each message first and may answer it itself. `delay`: seconds that each message
    waits. `asked`: the messages so far. hold() lets nothing pass until let_go(); refuse() ends all
    connections and takes no new ones until accept().
    """

    def __init__(self, target: Callable[[], int]) -> None:
        self._target = target
        self._port = Port()
        self.answer: Answer | None = None
        self.delay = 0.0
        self.asked: list[Any] = []
        self._open, self._ended = threading.Event(), threading.Event()
        self._ends: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self._open.set()
        self.accept()

    # How a protocol is cut into messages.
    def read_request(self, client: Peer) -> tuple[bytes, Any]:
        """The bytes of the next request, and what they mean."""
        raise NotImplementedError

    def read_replies(self, server: Peer) -> bytes:
        """All that the server says to one request."""
        raise NotImplementedError

    def __enter__(self) -> "Proxy":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def port(self) -> int:
        return self._port.number

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def hold(self) -> None:
        self._open.clear()

    def let_go(self) -> None:
        self._open.set()

    def wait_until_let_go(self) -> None:
        self._open.wait()

    def refuse(self) -> None:
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.cut()

    def cut(self) -> None:
        """Ends all connections that there are."""
        with self._lock:
            for end in self._ends:
                _shut(end)

    def accept(self) -> None:
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            threading.Thread(target=self._listen, args=[self._listener], daemon=True).start()

    def honest(self) -> None:
        """Forwards everything, at once, for everybody."""
        self.answer, self.delay = None, 0.0
        self.let_go()
        self.accept()

    def close(self) -> None:
        self._ended.set()
        self.let_go()
        self.refuse()
        self._port.release()

    def _listen(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket() as server:
            with self._lock:
                self._ends |= {client, server}
            try:
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                server.connect(("127.0.0.1", self._target()))
                self._forward(Peer(client), Peer(server))
            except (Gone, OSError):
                pass
            finally:
                with self._lock:
                    self._ends -= {client, server}

    def _forward(self, client: Peer, server: Peer) -> None:
        while True:
            raw, message = self.read_request(client)
            if message is not None:
                self.asked.append(message)
            self._open.wait()
            if self.delay:
                self._ended.wait(self.delay)
            own = self.answer(message) if self.answer and message is not None else None
            if own is None:
                server.send(raw)
                own = self.read_replies(server)
                self._open.wait()
            client.send(own)


class RawProxy(Proxy):
    """For any protocol: bytes, both ways, neither read nor answered."""

    def _forward(self, client: Peer, server: Peer) -> None:
        back = threading.Thread(target=_pump, args=[server.socket, client.socket], daemon=True)
        back.start()
        _pump(client.socket, server.socket)
        back.join()


class RedisProxy(Proxy):
    """For RESP2; a message is a command as a list of texts."""

    def read_request(self, client: Peer) -> tuple[bytes, list[str]]:
        raw = _element(client)
        return raw, [part.decode(errors="replace") for part in _bulk_texts(raw)]

    def read_replies(self, server: Peer) -> bytes:
        return _element(server)


class MongoProxy(Proxy):
    """For OP_MSG; a message is a command as a document, with its sequences of documents in it.

    What is older (OP_QUERY's greeting) is forwarded and not recorded.
    """

    OP_MSG = 2013
    MORE_TO_COME = 2

    def read_request(self, client: Peer) -> tuple[bytes, dict[str, Any] | None]:
        raw = _wire_message(client)
        return raw, _command(raw) if _operation(raw) == self.OP_MSG else None

    def read_replies(self, server: Peer) -> bytes:
        replies = b""
        while True:
            reply = _wire_message(server)
            replies += reply
            if _operation(reply) != self.OP_MSG or not _flags(reply) & self.MORE_TO_COME:
                return replies


def redis_ok(*texts: str) -> bytes:
    """An array of texts, as the daemon's scripts return."""
    return b"*%d\r\n" % len(texts) + b"".join(b"$%d\r\n%s\r\n" % (len(t), t.encode()) for t in texts)


def mongo_ok(command: dict[str, Any], **more: Any) -> bytes:
    """A reply to a command that says that all went well."""
    body = b"\0\0\0\0\0" + bson.encode({"ok": 1.0} | more)
    return struct.pack("<iiii", 16 + len(body), 0, command["$request"], MongoProxy.OP_MSG) + body


def command_name(command: dict[str, Any]) -> str:
    return next(iter(command))


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    _shut(source)
    _shut(target)


def _shut(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def _element(peer: Peer) -> bytes:
    """One value of RESP2, raw."""
    line = peer.line()
    kind, size = line[:1], line[1:-2]
    if kind == b"$" and int(size) >= 0:
        return line + peer.exactly(int(size) + 2)
    if kind == b"*":
        return line + b"".join(_element(peer) for _ in range(max(0, int(size))))
    return line


def _bulk_texts(raw: bytes) -> list[bytes]:
    texts, rest = [], raw.partition(b"\r\n")[2]
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        texts.append(rest[: int(size[1:])])
        rest = rest[int(size[1:]) + 2 :]
    return texts


def _wire_message(peer: Peer) -> bytes:
    size = peer.exactly(4)
    return size + peer.exactly(struct.unpack("<i", size)[0] - 4)


def _operation(raw: bytes) -> int:
    return int(struct.unpack("<i", raw[12:16])[0])


def _flags(raw: bytes) -> int:
    return int(struct.unpack("<I", raw[16:20])[0])


def _command(raw: bytes) -> dict[str, Any]:
    """The document of section 0 with those of section 1 as a list, and the request's number."""
    command: dict[str, Any] = {}
    more: dict[str, Any] = {"$request": struct.unpack("<i", raw[4:8])[0]}
    at = 20
    while at < len(raw) - (4 if _flags(raw) & 1 else 0):
        size = struct.unpack("<i", raw[at + 1 : at + 5])[0]
        section = raw[at + 1 : at + 1 + size]
        if raw[at] == 0:
            command = bson.decode(section)
        else:
            name, _, documents = section[4:].partition(b"\0")
            more[name.decode()] = bson.decode_all(documents)
        at += 1 + size
    return command | more
