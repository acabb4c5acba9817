"""Downloads from a server on this machine: checked, continued, and complete or not there."""

from __future__ import annotations

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from minicoord.datasets.images import load
from minicoord.datasets.images.download import download, download_images
from minicoord.datasets.images.idx import idx_bytes
from minicoord.datasets.images.load import load_images
from minicoord.datasets.images.sources import FILES, SourceFile

CONTENT = bytes(range(256)) * 4096  # 1 MiB, four chunks


class Server(ThreadingHTTPServer):
    """Serves `CONTENT` under every path, with the faults that a test asks for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.breaks_after: list[int] = []  # bytes after which the next transfers end
        self.knows_ranges = True
        self.shift = 0  # bytes by which what it sends lies beside what it was asked for
        self.asked: list[tuple[str, str | None]] = []  # path and Range of each request
        self.address = f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers["Range"]
        self.server.asked.append((self.path, asked))
        if self.path.startswith("/missing"):
            self.send_error(404)
            return
        content = self.server.content
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.server.knows_ranges else 0
        start += self.server.shift if start else 0
        if start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = start + self.server.breaks_after.pop(0) if self.server.breaks_after else None
        self.wfile.write(content[start:end])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def source(*addresses: str, content: bytes = CONTENT) -> SourceFile:
    return SourceFile("some.gz", hashlib.sha256(content).hexdigest(), addresses)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_fetched_once(server, tmp_path):
    said: list[str] = []
    file = source(f"{server.address}/a")
    path = download(file, tmp_path, said.append)
    assert path.read_bytes() == CONTENT and names(tmp_path) == ["some.gz"]
    assert said == [f"fetching {server.address}/a"]
    download(file, tmp_path)
    assert len(server.asked) == 1


def test_a_broken_transfer_goes_on_where_it_ended(server, tmp_path):
    server.breaks_after = [300_000, 200_000]
    assert download(source(f"{server.address}/a"), tmp_path).read_bytes() == CONTENT
    assert [asked for _, asked in server.asked] == [None, "bytes=300000-", "bytes=500000-"]
    assert names(tmp_path) == ["some.gz"]


def test_a_later_call_goes_on_as_well(server, tmp_path):
    server.breaks_after = [100_000] * 3
    with pytest.raises(OSError, match=r"cannot fetch some.gz .* fetch it by hand and put it into"):
        download(source(f"{server.address}/a"), tmp_path)
    assert names(tmp_path) == ["some.gz.part"]
    assert download(source(f"{server.address}/a"), tmp_path).read_bytes() == CONTENT
    assert server.asked[-1][1] == "bytes=300000-"


def test_a_server_without_ranges_sends_all_of_it_again(server, tmp_path):
    server.knows_ranges = False
    server.breaks_after = [300_000]
    assert download(source(f"{server.address}/a"), tmp_path).read_bytes() == CONTENT


def test_a_server_that_sends_another_range_is_not_believed(server, tmp_path):
    server.shift = 5
    server.breaks_after = [300_000]
    with pytest.raises(OSError, match=r"asked for the bytes from 300000, got bytes 300005-1048575/1048576"):
        download(source(f"{server.address}/a"), tmp_path)
    server.shift = 0
    assert download(source(f"{server.address}/a"), tmp_path).read_bytes() == CONTENT


def test_the_next_address_is_asked_where_one_fails(server, tmp_path):
    path = download(source(f"{server.address}/missing", f"{server.address}/b"), tmp_path)
    assert path.read_bytes() == CONTENT
    assert [asked for asked, _ in server.asked] == ["/missing", "/b"]


def test_wrong_contents_leave_what_was_there(server, tmp_path):
    (tmp_path / "some.gz").write_bytes(b"older")
    server.content = b"something else"
    with pytest.raises(OSError, match=f"SHA-256 of what arrived is {hashlib.sha256(b'something else').hexdigest()}"):
        download(source(f"{server.address}/a"), tmp_path)
    assert names(tmp_path) == ["some.gz"] and (tmp_path / "some.gz").read_bytes() == b"older"


@pytest.mark.parametrize("left", [b"of another file", CONTENT + b"too long"])
def test_a_part_that_does_not_belong_to_the_file_is_fetched_anew(server, tmp_path, left):
    (tmp_path / "some.gz.part").write_bytes(left)
    assert download(source(f"{server.address}/a"), tmp_path).read_bytes() == CONTENT
    assert names(tmp_path) == ["some.gz"]


def test_a_part_that_is_complete_needs_no_server(tmp_path):
    (tmp_path / "some.gz.part").write_bytes(CONTENT)
    assert download(source(), tmp_path).read_bytes() == CONTENT


def test_an_address_that_nobody_serves_is_named(server, tmp_path):
    address = server.address
    with pytest.raises(OSError, match=r"cannot fetch some.gz \(http://127.0.0.1:1/x: .*refused"):
        download(source("http://127.0.0.1:1/x"), tmp_path)
    assert names(tmp_path) == [] and address


def test_a_missing_set_is_fetched_when_asked_to(server, tmp_path, monkeypatch):
    monkeypatch.setitem(FILES, "cifar-10", (source(f"{server.address}/a"),))
    monkeypatch.setenv("MINICOORD_DATA", str(tmp_path))
    assert download_images("cifar-10") == tmp_path / "cifar-10"
    assert "some.gz" in names(tmp_path / "cifar-10")
    file = FILES["cifar-10"][0]
    monkeypatch.setitem(FILES, "cifar-10", (SourceFile("cifar-10-binary.tar.gz", file.sha256, file.addresses),))
    with pytest.raises(ValueError, match=r"cifar-10-binary.tar.gz is damaged"):  # it is fetched, and not an archive
        load_images("cifar-10", tmp_path / "new", download=True)
    assert "cifar-10-binary.tar.gz" in names(tmp_path / "new")


def test_a_set_with_a_hole_is_completed(server, tmp_path, monkeypatch):
    numbers = idx_bytes(np.zeros((2, 28, 28), np.uint8)), idx_bytes(np.array([3, 1], np.uint8))
    names_of = [f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]
    for name, content in zip(names_of[:3], [*numbers, numbers[0]], strict=True):
        (tmp_path / name).write_bytes(content)
    server.content = numbers[1]
    checksums = [hashlib.sha256(content).hexdigest() for content in numbers * 2]
    sources = [SourceFile(*both, (f"{server.address}/a",)) for both in zip(names_of, checksums, strict=True)]
    monkeypatch.setitem(FILES, "mnist", tuple(sources))
    monkeypatch.setattr(load, "COUNTS", {"train": 2, "t10k": 2})
    with pytest.raises(FileNotFoundError, match=r"but not t10k-labels-idx1-ubyte.gz"):
        load_images("mnist", tmp_path)
    assert load_images("mnist", tmp_path, download=True).test.labels.tolist() == [3, 1]
    assert len(server.asked) == 1


def test_a_download_needs_a_folder(monkeypatch):
    monkeypatch.delenv("MINICOORD_DATA", raising=False)
    with pytest.raises(ValueError, match=r"no folder for the files of mnist; give one as folder=..., or set MINICOORD"):
        download_images("mnist")
    with pytest.raises(ValueError, match="the name is 'svhn', wanted one of"):
        download_images("svhn")
