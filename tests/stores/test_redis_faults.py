"""Redis frozen, full, failing, or not Redis at all."""

import socket
import threading

import pytest
from harness import wait_for

from stores.redis_keys import marker, ok, settings
from stores.store_driver import StoreError, desired, new_id, stamp, work


def test_a_frozen_server(make_redis, open_redis):
    server = make_redis()
    store = open_redis(server)
    server.freeze()
    for call in (
        lambda: store.read_stamp(within=0.5),
        lambda: store.observe([desired(new_id())], within=0.5),
        lambda: store.list(within=0.5),
        lambda: store.probe(within=0.5),
    ):
        with pytest.raises(StoreError, match="Unavailable TimedOut"):
            call()
        assert 0.3 < store.took < 3
    server.thaw()
    assert store.read_stamp() is None


def test_the_operation_timeout_holds_where_the_deadline_is_far(make_redis, open_redis):
    server = make_redis()
    store = open_redis(server, operation_timeout_ms=300)
    server.freeze()
    with pytest.raises(StoreError, match="Unavailable TimedOut"):
        store.apply([work(new_id(), "publish")], new_id(), within=60)
    assert store.took < 3


def test_a_server_frozen_while_a_large_batch_is_sent(make_redis, open_redis):
    server = make_redis()
    store = open_redis(server, operation_timeout_ms=500)
    server.freeze()
    jobs = [work(new_id(), "publish", settings={"a": "x" * 100_000}) for _ in range(300)]
    with pytest.raises(StoreError, match="Unavailable TimedOut"):
        store.apply(jobs, new_id())
    assert store.took < 5


def test_a_full_server_takes_no_settings_but_cuts_off(make_redis, open_redis):
    server = make_redis(settings={"maxmemory-policy": "noeviction"})
    store, tenant, instance = open_redis(server), new_id(), new_id()
    assert ok(store.apply([work(tenant, "publish", settings={"a": 1, "b": 2})], instance))
    with server.connect() as raw:
        raw.config_set("maxmemory", 1)
        with pytest.raises(StoreError, match="Unavailable StoreFull"):
            store.apply([work(tenant, "publish", generation=2, settings={"c": 3})], instance)
        with pytest.raises(StoreError, match="Unavailable StoreFull"):
            store.apply([work(new_id(), "publish", settings={"d": 4})], instance)
        assert store.write_stamp(stamp(instance))
        assert marker(raw, tenant)["generation"] == "1"
        assert settings(raw, tenant) == {"a": "1", "b": "2"}
        suspended = work(tenant, "publish", generation=3, state="suspended", settings={"a": 1})
        assert ok(store.apply([suspended], instance))
        assert marker(raw, tenant)["state"] == "suspended" and settings(raw, tenant) == {"a": "1"}
        assert ok(store.apply([work(tenant, "erase", present=False)], instance))
        raw.config_set("maxmemory", 0)
    assert ok(store.apply([work(tenant, "publish", generation=4)], instance))


def test_a_server_that_cannot_save(make_redis, open_redis):
    server = make_redis(settings={"save": "3600 1"})
    store = open_redis(server)
    with server.connect() as raw:
        (server.dir / "dump.rdb").mkdir()
        raw.set("x", "y")
        raw.bgsave()
        wait_for(lambda: raw.info("persistence")["rdb_last_bgsave_status"] == "err", 10, "it to fail")
    with pytest.raises(StoreError, match="Unavailable PersistenceFailing"):
        store.apply([work(new_id(), "publish")], new_id())
    assert store.observe([desired(new_id())])[0]["has_objects"] is False
    (server.dir / "dump.rdb").rmdir()  # or it would not end


def test_a_server_busy_with_a_script(make_redis, open_redis):
    server = make_redis(settings={"busy-reply-threshold": 50})
    store = open_redis(server, operation_timeout_ms=5000)
    with server.connect(socket_timeout=60) as raw, server.connect() as killer:
        loop = threading.Thread(target=_swallow, args=(lambda: raw.eval("while true do end", 0),))
        loop.start()
        with pytest.raises(StoreError, match="Unavailable (StoreBusy|TimedOut)"):
            while True:
                store.observe([desired(new_id())])
        killer.script_kill()
        loop.join()
    assert store.read_stamp() is None


def _swallow(call):
    try:
        call()
    except Exception:  # the script is killed
        pass


def test_more_clients_than_it_takes(make_redis, open_redis):
    server = make_redis(settings={"maxclients": 2})
    with server.connect() as one, server.connect() as two:
        one.ping(), two.ping()
        with pytest.raises(StoreError, match="Unavailable (TooManyClients|ConnectionLost)"):
            open_redis(server)


class Liar:
    """A server that answers each line of requests with the next of `replies`, whatever was asked.

    A reply is bytes, or a function that gets the connection. After the last the connection is kept
    open and silent, or closed if `hang_up`.
    """

    def __init__(self, *replies, hang_up=False):
        self.replies, self.hang_up = replies, hang_up
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.connections = []
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        for each in self.connections:
            each.close()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        try:
            for reply in self.replies:
                if not connection.recv(65536):
                    return
                if callable(reply):
                    reply(connection)
                else:
                    connection.sendall(reply)
            if self.hang_up:
                connection.shutdown(socket.SHUT_RDWR)
            else:
                while connection.recv(65536):
                    pass
        except OSError:
            pass


# To CLIENT SETNAME, and to INFO replication.
NAMED = b"+OK\r\n"
PRIMARY = b"$13\r\nrole:master\r\n\r\n"
# To the script that reads a tenant without keys, and to INFO keyspace.
UNSTAMPED = b"*4\r\n" + b"$-1\r\n" * 4
UNMARKED = b"*7\r\n:0\r\n:1\r\n:1\r\n$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n*0\r\n"
KEYSPACE = b"$28\r\n# Keyspace\r\ndb0:keys=1,x=0\r\n\r\n"


def endless(what):
    def send(connection):
        while True:
            connection.sendall(what)

    return send


@pytest.mark.parametrize(
    ("replies", "reason"),
    [
        ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], "ProtocolError"),
        ([b"\0\xff\r\n"], "ProtocolError"),
        ([NAMED, b"SSH-2.0-OpenSSH_9\r\n"], "ProtocolError"),
        ([NAMED, PRIMARY, b"*-7\r\n"], "(ProtocolError|ReplyTooLarge)"),
        ([NAMED, PRIMARY, b"$-7\r\n"], "ProtocolError"),
        ([NAMED, PRIMARY, b"*2147483647\r\n"], "ReplyTooLarge"),
        ([NAMED, PRIMARY, b"*99999999999\r\n"], "(ProtocolError|ReplyTooLarge)"),
        ([NAMED, PRIMARY, b"*1\r\n" * 20], "ProtocolError"),
        ([NAMED, PRIMARY, b"*1000000\r\n" * 3], "ReplyTooLarge"),
        ([NAMED, PRIMARY, b"$99999999999\r\n" + b"x" * 100], "TimedOut"),
        ([NAMED, PRIMARY, endless(b"x" * 65536)], "(ProtocolError|ReplyTooLarge)"),
        ([NAMED, PRIMARY, endless(b":1\r\n")], "UnexpectedReply"),
        ([NAMED, PRIMARY, lambda c: (c.sendall(b"$2000000000\r\n"), endless(b"x" * 65536)(c))],
         "ReplyTooLarge"),
        ([NAMED, PRIMARY, b"*3\r\n$5\r\nhel"], "TimedOut"),
        ([NAMED, PRIMARY, b":1\r\n"], "UnexpectedReply"),
        ([NAMED, PRIMARY, b"+OK\r\n"], "UnexpectedReply"),
        ([NAMED, PRIMARY, b"$-1\r\n"], "UnexpectedReply"),
        ([NAMED, PRIMARY, b"*0\r\n"], "UnexpectedReply"),
        ([NAMED, PRIMARY, b"*4\r\n:1\r\n:1\r\n:1\r\n:1\r\n"], "StampUnreadable"),
        ([NAMED, PRIMARY, b"-ERR what\r\n"], "UnexpectedReply"),
        ([NAMED, PRIMARY, b"-LOADING Redis is loading\r\n"], "StoreLoading"),
        ([NAMED, PRIMARY, b"-MASTERDOWN Link\r\n"], "PrimaryDown"),
        ([NAMED, PRIMARY, b"-MOVED 1 127.0.0.1:1\r\n"], "ClusterMismatch"),
        ([NAMED, b":1\r\n"], "UnexpectedReply"),
        ([b"-NOAUTH x\r\n", b"-NOAUTH x\r\n"], "AuthenticationFailed"),
        ([], "TimedOut"),
    ],
)  # fmt: skip
def test_a_server_that_lies(open_store, replies, reason):
    with Liar(*replies) as liar:
        store = open_store(kind="redis", addresses=[liar.address], connect_timeout_ms=700)
        with pytest.raises(StoreError, match=f"Unavailable {reason}"):
            store.read_stamp(within=5 if reason.startswith("Reply") else 1)
        assert store.status is None


@pytest.mark.parametrize("replies", [[], [b"+O"], [NAMED], [NAMED, PRIMARY], [NAMED, PRIMARY, b"*3\r\n$5\r\nhel"]])
def test_a_server_that_hangs_up(open_store, replies):
    with Liar(*replies, hang_up=True) as liar:
        store = open_store(kind="redis", addresses=[liar.address])
        with pytest.raises(StoreError, match="Unavailable ConnectionLost"):
            store.read_stamp(within=2)


def lied_to(open_store, *replies):
    """A session that has read an empty stamp, of an empty server, from a liar, which goes on with `replies`."""
    liar = Liar(NAMED, PRIMARY, UNSTAMPED, b"$0\r\n\r\n", *replies)
    store = open_store(kind="redis", addresses=[liar.address], operation_timeout_ms=700)
    assert store.read_stamp() is None
    return store


@pytest.mark.parametrize("reply", [
    b":1\r\n", b"*0\r\n", b"*1\r\n:1\r\n", b"*1\r\n$5\r\nmaybe\r\n", b"*1\r\n*0\r\n", b"$4\r\ndone\r\n",
])  # fmt: skip
def test_an_unknown_answer_to_publishing_is_not_success(open_store, reply):
    store = lied_to(open_store, reply)
    with pytest.raises(StoreError, match="Unavailable UnexpectedReply"):
        store.apply([work(new_id(), "publish")], new_id())


@pytest.mark.parametrize("reply", [
    b"*2\r\n$1\r\n0\r\n:1\r\n", b"*2\r\n:0\r\n*0\r\n", b"*1\r\n$1\r\n0\r\n", b"*2\r\n$1\r\n0\r\n*1\r\n:1\r\n", b"+OK\r\n",
])  # fmt: skip
def test_an_unknown_answer_to_a_scan_is_not_absence(open_store, reply):
    store = lied_to(open_store, UNMARKED, KEYSPACE, reply)
    with pytest.raises(StoreError, match="Unavailable UnexpectedReply"):
        store.observe([desired(new_id(), present=False)])


def test_a_scan_without_end_takes_a_share_of_the_time_and_proves_nothing(open_store):
    """It is no outage, which would keep the other tenants waiting; what was not looked at may be there."""
    store = lied_to(open_store, UNMARKED, KEYSPACE, *[b"*2\r\n$1\r\n7\r\n*0\r\n"] * 100_000)
    [found] = store.observe([desired(new_id(), present=False)], within=2)
    assert found["has_objects"]
    assert store.took < 1.5


def test_an_erasing_without_end_is_the_failure_of_its_tenant(open_store):
    store = lied_to(open_store, b"$-1\r\n", KEYSPACE, *[b"*2\r\n$1\r\n7\r\n*0\r\n"] * 100_000)
    [outcome] = store.apply([work(new_id(), "erase", present=False)], new_id(), within=1)
    assert outcome["failure"]["kind"] == "transient"
    assert outcome["failure"]["reason"] == "EraseUnfinished"
    assert store.took < 3


@pytest.mark.parametrize("settled", [True, False])
def test_absence_is_not_claimed_when_slots_changed_hands_meanwhile(open_store, settled):
    """The map of the slots differs before and after the walk: a key may have passed unseen."""
    names = b"$12\r\nx - myself 0\r\n"

    def slots(liar, last):
        port = int(liar.address.rpartition(":")[2])
        return b"*1\r\n*3\r\n:0\r\n:%d\r\n*2\r\n$0\r\n\r\n:%d\r\n" % (last, port)

    with Liar(NAMED) as liar:
        whole, part = slots(liar, 16383), slots(liar, 16382)
        nothing = b"*2\r\n$1\r\n0\r\n*0\r\n"
        liar.replies = (NAMED, whole, UNSTAMPED, UNMARKED, whole, names, KEYSPACE, nothing,
                        whole if settled else part, names)  # fmt: skip
        store = open_store(
            kind="redis", cluster=True, addresses=[liar.address], operation_timeout_ms=700
        )
        assert store.read_stamp() is None
        [found] = store.observe([desired(new_id(), present=False)])
    if settled:
        assert found["has_objects"] is False
    else:
        assert found["failure"]["reason"] == "SlotMoving"


def test_a_server_that_repeats_the_password(open_store):
    echo = b"-ERR unknown command 'AUTH', with args beginning with: 's3cret'\r\n"
    with Liar(echo + NAMED) as liar:
        store = open_store(kind="redis", addresses=[liar.address], password="s3cret")
        with pytest.raises(StoreError, match="Unavailable AuthenticationFailed") as caught:
            store.read_stamp()
        assert "s3cret" not in caught.value.message
