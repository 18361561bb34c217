"""Downloads from a misbehaving local server."""

import hashlib
import http.server
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from slowpoints.core.presets.source import Source
from slowpoints.datasets import limits, sources

NAME, CONTENT = "train-images.gz", bytes(range(256)) * 40


class Server(http.server.ThreadingHTTPServer):
    """Answers each folder differently, and records the time of each request."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = []
        self.done = threading.Event()

    def handle_error(self, *_):
        """Aborted connections are expected."""

    def times(self, folder):
        return [when for path, when in self.asked if path == f"/{folder}/{NAME}"]


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.asked.append((self.path, time.monotonic()))
        getattr(self, self.path.split("/")[1])()

    def answer(self, code, content=b"", length=None, **headers):
        self.send_response(code)
        for name, value in {"Content-Length": len(content) if length is None else length, **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(content)

    def good(self):
        self.answer(200, CONTENT)

    def stalls(self):
        self.answer(200, CONTENT[:1000], length=len(CONTENT))
        self.server.done.wait(20)

    def silent(self):
        self.server.done.wait(20)

    def trickles(self):
        self.answer(200, length=len(CONTENT))
        while not self.server.done.wait(0.05):
            self.wfile.write(b"x")

    def cuts(self):
        self.answer(200, CONTENT[:1000], length=len(CONTENT))

    def resets(self):
        pass

    def promises_less(self):
        self.answer(200, CONTENT, length=1000)

    def promises_nonsense(self):
        self.answer(200, CONTENT, length="much")

    def wrong(self):
        self.answer(200, CONTENT[::-1])

    def endless(self):
        self.send_response(200)
        self.end_headers()
        while not self.server.done.is_set():
            self.wfile.write(CONTENT)

    def moved(self):
        self.answer(302, Location=f"/good/{NAME}")

    def circles(self):
        self.answer(302, Location=self.path)

    def elsewhere(self):
        self.answer(302, Location="file:///etc/hostname")

    def absent(self):
        self.answer(404)

    def broken(self):
        self.answer(500)

    def busy_once(self):
        self.good() if len(self.server.asked) > 1 else self.answer(429, Retry_After=1)

    def busy_until(self):
        until = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
        self.good() if len(self.server.asked) > 1 else self.answer(429, Retry_After=until)

    def busy_for_long(self):
        self.answer(429, Retry_After=3600)

    def broken_twice(self):
        self.good() if len(self.server.asked) > 2 else self.answer(503, Retry_After="soon")


@pytest.fixture
def server(monkeypatch):
    """A server, with short timeouts for tests."""
    monkeypatch.setattr(sources, "TIMEOUT", 0.3)
    monkeypatch.setattr(sources, "PAUSE", 0.1)
    monkeypatch.setattr(sources, "LONGEST_PAUSE", 3)
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.done.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def fetch(server, tmp_path):
    """Downloads from folders of the server in turn; only a complete file may exist afterwards."""

    def fetch(*folders):
        address = f"http://127.0.0.1:{server.server_port}"
        checksum = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
        source = Source("idx", urls=tuple(f"{address}/{folder}" for folder in folders), checksums={NAME: checksum})
        target = tmp_path / "resources" / NAME
        started = time.monotonic()
        try:
            sources.download(NAME, source, target)
            assert target.read_bytes() == CONTENT
        finally:
            assert time.monotonic() - started < 8
            assert [path.name for path in target.parent.iterdir() if path.name != NAME] == []
        return target

    return fetch


@pytest.mark.parametrize(
    ("folder", "attempts", "complaint"),
    [
        ("stalls", 3, "Read timed out"),
        ("silent", 3, "Read timed out"),
        ("cuts", 3, r"IncompleteRead\(1000 bytes read, 9240 more expected\)"),
        ("resets", 3, "RemoteDisconnected"),
        ("promises_less", 3, f"{NAME}.* does not match the known hash"),
        ("wrong", 3, f"{NAME}.* does not match the known hash: expected sha256:{hashlib.sha256(CONTENT).hexdigest()}"),
        ("broken", 3, "500 Server Error"),
        ("absent", 1, "404 Client Error"),
        ("circles", 1, "Exceeded 30 redirects"),
        ("elsewhere", 3, "No connection adapters"),
        ("busy_for_long", 1, "429 Client Error"),
    ],
)
def test_a_server_that_fails_is_named_and_the_next_one_asked(server, fetch, tmp_path, folder, attempts, complaint):
    with pytest.raises(OSError, match=rf"(?s)^{NAME} could not be had.*/{folder}: .*{complaint}"):
        fetch(folder)
    assert not (tmp_path / "resources" / NAME).exists()
    assert folder == "circles" or len(server.times(folder)) == attempts
    fetch(folder, "good")


@pytest.mark.parametrize("folder", ["good", "moved", "promises_nonsense"])
def test_a_whole_file_is_taken_at_the_first_attempt(server, fetch, folder):
    fetch(folder)
    assert len(server.times(folder)) == 1


def test_pauses_grow(server, fetch):
    fetch("broken_twice")
    first, second, third = server.times("broken_twice")
    assert second - first >= 0.1
    assert third - second >= 0.2


@pytest.mark.parametrize(("folder", "asked"), [("busy_once", 1), ("busy_until", 0.9)])
def test_a_server_that_asks_for_a_pause_gets_it(server, fetch, folder, asked):
    fetch(folder)
    first, second = server.times(folder)
    assert second - first >= asked  # dates are in whole seconds


def test_a_file_that_comes_too_slowly_leaves_time_for_the_next_address(server, fetch, monkeypatch):
    monkeypatch.setattr(sources, "PATIENCE", 2)
    with pytest.raises(OSError, match=r"/trickles: \d+ bytes came, too slowly"):
        fetch("trickles")
    fetch("trickles", "good")
    assert len(server.times("trickles")) == 2


def test_a_file_without_end_is_given_up(fetch, monkeypatch):
    monkeypatch.setattr(limits, "MOST_BYTES", 10**6)
    with pytest.raises(OSError, match=rf"/endless/{NAME}: unpacks to [0-9,]+ bytes; at most 1,000,000 are read"):
        fetch("endless")


def test_all_addresses_are_named_with_what_each_said(fetch):
    with pytest.raises(OSError, match=r"(?s)/absent: 404 .*\n .*/wrong: .*does not match"):
        fetch("absent", "wrong")
