"""Hands the validator's orders to the ingest socket of ptn-api. Python 3.8 or newer, standard library only.

Copy this file beside the validator and put a PtnBridge where the validator has the queue of its WebSocket server:

    from ptn_bridge import PtnBridge
    queue = PtnBridge("<PTN_ROOT>/.ptn-api/ingest.sock")
    queue.put({"position": position_dict})

put() never waits and never raises: it writes the item down as JSON and leaves the rest to a thread. What the server has
not acknowledged is sent again, in order, when the connection is back; the server knows an order that it has already.
Whatever does not arrive this way is found by the server in the position files: nothing depends on the bridge but the
milliseconds it saves.
"""

import collections
import enum
import json
import logging
import os
import selectors
import socket
import threading
import time

# What is sent before the first answer is there.
_WINDOW_BYTES = 1 << 20
_WINDOW_LINES = 512
# The server takes no longer one.
_MAX_LINE_BYTES = 4 << 20
_FIRST_RETRY_S = 0.05
_MAX_RETRY_S = 1.0
# How often what went wrong is told again while it goes on.
_REPORT_EVERY_S = 60.0
# Answers to the connection, not to a line.
_CONNECTION_CODES = frozenset(["PTN_ERR_INGEST_MAX_CONNECTIONS"])

_log = logging.getLogger("ptn_bridge")


def _convert(value):
    """Values that json does not know: numbers stay numbers, nothing becomes text that was none."""
    if isinstance(value, enum.Enum):
        return value.value
    # Positions and orders; models of pydantic; arrays and numbers of numpy.
    for name in ("to_dict", "model_dump", "tolist", "item"):
        method = getattr(value, name, None)
        if callable(method):
            return method()
    raise TypeError("%s is not JSON serializable" % type(value).__name__)


def _encode(item):
    """The line of an item. Written as the validator writes its files: NaN stays, the server takes it for null."""
    if not isinstance(item, dict):
        item = _convert(item)
    if not isinstance(item, dict) or "position" not in item:
        raise ValueError('the item is no {"position": {...}}')
    line = json.dumps(item, default=_convert).encode("ascii")
    if len(line) > _MAX_LINE_BYTES:
        raise ValueError("the item has %d bytes, %d are allowed" % (len(line), _MAX_LINE_BYTES))
    return line + b"\n"


class _Lost(Exception):
    """The connection ended or makes no sense; what is not acknowledged is sent again on the next."""


class PtnBridge:
    """Takes items like a queue and sends them to the socket, in order, from a thread of its own.

    max_buffered items of max_buffered_bytes in all wait at most while the server is away. Beyond that new ones are
    dropped and counted: what waits stays complete and in order, and the server finds the others in the files.
    """

    def __init__(self, socket_path, max_buffered=100_000, max_buffered_bytes=256 << 20):
        self._path = os.fspath(socket_path)
        self._max_buffered = max_buffered
        self._max_bytes = max_buffered_bytes
        self._start()

    def _start(self):
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._lines = collections.deque()  # Not acknowledged yet, the oldest first.
        self._bytes = 0
        self._counts = dict.fromkeys(["acknowledged", "duplicates", "refused", "bad", "dropped", "connections"], 0)
        self._reasons = {}
        self._reported = {}
        self._connected = False
        self._closing_at = None
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="ptn-bridge", daemon=True)
        self._thread.start()

    # --- what the validator calls ---------------------------------------------------------------------------------

    def put(self, item, block=True, timeout=None):
        """Takes an item. Never waits, never raises; block and timeout are there because a queue has them."""
        try:
            if os.getpid() != self._pid:
                self._start()  # After a fork neither the thread nor the connection is this process's own.
            line = _encode(item)
        except Exception as error:  # Whatever the item does: the validator goes on.
            self._count("bad", repr(error))
            return
        with self._lock:
            is_full = len(self._lines) >= self._max_buffered or self._bytes + len(line) > self._max_bytes
            if not is_full and self._closing_at is None:
                self._lines.append(line)
                self._bytes += len(line)
                is_taken = True
            else:
                is_taken = False
        if is_taken:
            self._wake()
        else:
            self._count("dropped", "the buffer is full" if is_full else "the bridge is closed")

    def put_nowait(self, item):
        self.put(item)

    def stats(self):
        """How many items wait ("buffered") and what became of the others."""
        with self._lock:
            return dict(self._counts, buffered=len(self._lines), connected=self._connected)

    def close(self, timeout=5.0):
        """Takes no more items and sends what waits, for so many seconds at most. Returns whether all was acknowledged."""
        with self._lock:
            self._closing_at = time.monotonic() + timeout
        self._wake()
        self._thread.join(timeout + 1.0)
        with self._lock:
            return not self._lines

    # Where the validator hands its queue to another process, that one gets a bridge of its own.
    def __getstate__(self):
        return (self._path, self._max_buffered, self._max_bytes)

    def __setstate__(self, state):
        self._path, self._max_buffered, self._max_bytes = state
        self._start()

    # --- the thread -----------------------------------------------------------------------------------------------

    def _wake(self):
        try:
            self._wake_out.send(b"x")
        except OSError:
            pass  # Full: it is awake already. Closed: it has ended.

    def _count(self, what, reason=None, by=1):
        with self._lock:
            self._counts[what] += by
            if reason is not None:
                self._reasons[what] = reason

    def _report(self):
        """Tells what went wrong: at once, then once a minute while it goes on. Here, as a log may wait for a disk."""
        now = time.monotonic()
        with self._lock:
            counts, reasons = dict(self._counts), dict(self._reasons)
        for what, reason in reasons.items():
            told, told_at = self._reported.get(what, (0, None))
            if counts[what] == told or (told_at is not None and now - told_at < _REPORT_EVERY_S):
                continue
            self._reported[what] = (counts[what], now)
            _log.warning("%d items %s in all, the last one because: %s", counts[what], what, reason)

    def _is_over(self):
        with self._lock:
            closing_at, is_empty = self._closing_at, not self._lines
        return closing_at is not None and (is_empty or time.monotonic() >= closing_at)

    def _run(self):
        retry_s = _FIRST_RETRY_S
        while not self._is_over():
            before = self.stats()["acknowledged"]
            try:
                self._talk()
            except (OSError, ValueError, _Lost) as error:
                _log.debug("no connection to %s: %s", self._path, error)
            except Exception:  # A defect of the bridge must not end it, nor the validator.
                _log.exception("the bridge to %s failed and goes on", self._path)
            with self._lock:
                self._connected = False
            self._report()
            retry_s = _FIRST_RETRY_S if self.stats()["acknowledged"] > before else min(retry_s * 2, _MAX_RETRY_S)
            self._pause(retry_s)
        self._report()
        self._wake_in.close()
        self._wake_out.close()

    def _pause(self, seconds):
        until = time.monotonic() + seconds
        while not self._is_over():
            left = until - time.monotonic()
            if left <= 0:
                return
            # New items end no pause; closing is looked for often enough.
            time.sleep(min(left, 0.05))
            self._report()

    def _talk(self):
        """One connection, until it is lost or the bridge is closed."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        selector = selectors.DefaultSelector()
        try:
            connection.settimeout(1.0)
            connection.connect(self._path)
            connection.setblocking(False)
            self._count("connections")
            with self._lock:
                self._connected = True
            selector.register(self._wake_in, selectors.EVENT_READ)
            selector.register(connection, selectors.EVENT_READ)
            _Exchange(self, connection, selector).run()
        finally:
            selector.close()
            connection.close()

    def _window(self, start):
        """Lines from this index on that may be sent, as one piece, and how many they are."""
        lines, size = [], 0
        with self._lock:
            for index in range(start, min(len(self._lines), _WINDOW_LINES)):
                lines.append(self._lines[index])
                size += len(lines[-1])
                if size >= _WINDOW_BYTES:
                    break
        return b"".join(lines), len(lines)

    def _acknowledge(self, answer):
        """The oldest line is done with."""
        with self._lock:
            self._bytes -= len(self._lines.popleft())
        if answer.get("ok") is True:
            self._count("acknowledged")
            if answer.get("duplicate") is True:
                self._count("duplicates")
        else:
            self._count("refused", "%s: %s" % (answer.get("code"), answer.get("message")))


class _Exchange:
    """Lines out, answers in, on one connection. The server answers each line, in order."""

    def __init__(self, bridge, connection, selector):
        self._bridge = bridge
        self._connection = connection
        self._selector = selector
        self._sent = 0  # Lines that were handed to the connection, at least in part, and have no answer.
        self._out = memoryview(b"")
        self._in = b""

    def run(self):
        bridge = self._bridge
        while not bridge._is_over():
            bridge._report()
            if not self._out:
                piece, count = bridge._window(self._sent)
                self._out = memoryview(piece)
                self._sent += count
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._out else 0)
            self._selector.modify(self._connection, events)
            # The time is for reports, and for closing, whose time may run out while nothing happens.
            for key, ready in self._selector.select(0.5):
                try:
                    if key.fileobj is bridge._wake_in:
                        bridge._wake_in.recv(65536)
                        continue
                    if ready & selectors.EVENT_READ:
                        self._receive()
                    if ready & selectors.EVENT_WRITE and self._out:
                        self._out = self._out[self._connection.send(self._out) :]
                except BlockingIOError:
                    pass  # It was ready, and is no more: the next turn tells.

    def _receive(self):
        received = self._connection.recv(65536)
        if not received:
            raise _Lost("the server ended the connection")
        *lines, self._in = (self._in + received).split(b"\n")
        for line in lines:
            answer = json.loads(line)
            if not isinstance(answer, dict):
                raise _Lost("an answer that is no object")
            if answer.get("code") in _CONNECTION_CODES:
                raise _Lost(answer.get("message"))
            if self._sent == 0:
                raise _Lost("an answer to nothing")
            self._bridge._acknowledge(answer)
            self._sent -= 1
