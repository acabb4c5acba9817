"""Whole sets from files: IDX plain and compressed, both forms of CIFAR-10, and each fault in one sentence."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest

from minicoord.datasets.images import cifar10, load
from minicoord.datasets.images.idx import idx_bytes, read_idx
from minicoord.datasets.images.load import load_images
from minicoord.datasets.images.pickled_batch import read_pickled_batch

RECORDS = 7
NAMES = [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]


@pytest.fixture(autouse=True)
def small_sets(monkeypatch, tmp_path):
    """Sets of a few images, and a machine without Debian's package."""
    monkeypatch.setattr(load, "COUNTS", {"train": 6, "t10k": 4})
    monkeypatch.setattr(load, "DEBIAN", tmp_path / "debian")
    monkeypatch.setattr(cifar10, "RECORDS", RECORDS)
    monkeypatch.delenv("MINICOORD_DATA", raising=False)


def write_idx_set(folder: Path, ending: str = ".gz", seed: int = 0) -> dict[str, np.ndarray]:
    folder.mkdir(parents=True, exist_ok=True)
    rng, written = np.random.default_rng(seed), {}
    for part, count in load.COUNTS.items():
        for kind, shape, top in (("images-idx3", (count, 28, 28), 256), ("labels-idx1", (count,), 10)):
            numbers = rng.integers(0, top, shape).astype(np.uint8)
            content = idx_bytes(numbers)
            (folder / f"{part}-{kind}-ubyte{ending}").write_bytes(gzip.compress(content) if ending else content)
            written[f"{part}-{kind}"] = numbers
    return written


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_idx_files_are_read(tmp_path, name, ending):
    written = write_idx_set(tmp_path, ending)
    data = load_images(name, tmp_path)
    assert (data.name, len(data.classes)) == (name, 10)
    np.testing.assert_array_equal(data.train.images[..., 0], written["train-images-idx3"])
    np.testing.assert_array_equal(data.test.labels, written["t10k-labels-idx1"])
    assert data.train.images.shape == (6, 28, 28, 1) and data.train.labels.dtype == np.int64


def test_the_folders_are_searched_in_their_order(tmp_path, monkeypatch):
    seeds = {"given": 1, "variable": 2, "debian": 3}
    kept = {place: write_idx_set(tmp_path / place / "fashion-mnist", seed=seed) for place, seed in seeds.items()}

    def place_of(folder=None) -> str:
        labels = load_images("fashion-mnist", folder).train.images[..., 0]
        return next(place for place, held in kept.items() if np.array_equal(held["train-images-idx3"], labels))

    assert place_of() == "debian"
    monkeypatch.setenv("MINICOORD_DATA", str(tmp_path / "variable"))
    assert place_of() == "variable"
    assert place_of(tmp_path / "given") == "given"
    assert place_of(tmp_path / "given" / "fashion-mnist") == "given"


def test_another_set_with_files_of_the_same_names_is_not_taken(tmp_path, monkeypatch):
    write_idx_set(tmp_path / "mnist")
    monkeypatch.setenv("MINICOORD_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="fashion-mnist is not in"):
        load_images("fashion-mnist")


def one_sentence(error: BaseException) -> str:
    words = str(error)
    assert "\n" not in words and not words.endswith("."), words
    return words


def test_a_missing_set_says_what_to_fetch_and_where_to_put_it(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError) as caught:
        load_images("mnist", tmp_path / "here")
    words = one_sentence(caught.value)
    assert "train-images-idx3-ubyte.gz" in words and "t10k-labels-idx1-ubyte.gz" in words
    assert "https://ossci-datasets.s3.amazonaws.com/mnist/ " in words and f"into {tmp_path / 'here'}" in words
    with pytest.raises(FileNotFoundError) as caught:
        load_images("cifar-10")
    words = one_sentence(caught.value)
    assert "cifar-10-binary.tar.gz" in words and "MINICOORD_DATA" in words
    monkeypatch.setenv("MINICOORD_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"into .*cifar-10, or call load_images with download=True"):
        load_images("cifar-10")


def test_a_set_with_a_hole_names_the_file(tmp_path):
    write_idx_set(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(FileNotFoundError, match=r"not t10k-labels-idx1-ubyte.gz; fetch it from https.* put it there"):
        load_images("fashion-mnist", tmp_path)


def spoiled(content: bytes, how: str) -> bytes:
    return {
        "truncated gzip": lambda: gzip.compress(content)[:-20],
        "damaged gzip": lambda: gzip.compress(content)[:30] + b"\xff" * 30,
        "truncated": lambda: content[:-1],
        "too long": lambda: content + b"\0",
        "header only": lambda: content[:6],
        "empty": lambda: b"",
        "wrong magic": lambda: b"\x89PNG" + content[4:],
        "wrong type": lambda: content[:2] + b"\x0d" + content[3:],
        "wrong count": lambda: idx_bytes(np.zeros((5, 28, 28), np.uint8)),
        "wrong side": lambda: idx_bytes(np.zeros((6, 32, 28), np.uint8)),
    }[how]()


@pytest.mark.parametrize(
    "how, words",
    [
        ("truncated gzip", "is damaged or truncated"),
        ("damaged gzip", "is damaged or truncated"),
        ("truncated", r"holds 4703 bytes, but its header promises 4704 for \(6, 28, 28\); fetch it again"),
        ("too long", "holds 4705 bytes, but its header promises 4704"),
        ("header only", "ends within its header, after 6 bytes"),
        ("empty", "begins with the bytes of an empty file"),
        ("wrong magic", "begins with the bytes 89 50 4e 47, wanted 00 00 08"),
        ("wrong type", "begins with the bytes 00 00 0d 03, wanted 00 00 08"),
        ("wrong count", r"holds an array of shape \(5, 28, 28\), wanted \(6, 28, 28\), as in mnist"),
        ("wrong side", r"holds an array of shape \(6, 32, 28\), wanted \(6, 28, 28\)"),
    ],
)
def test_a_wrong_file_is_named_in_one_sentence(tmp_path, how, words):
    write_idx_set(tmp_path, "")
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(spoiled(path.read_bytes(), how))
    with pytest.raises(ValueError, match=words) as caught:
        load_images("mnist", tmp_path)
    assert str(path) in one_sentence(caught.value)


def test_a_label_that_no_class_has_is_named(tmp_path):
    write_idx_set(tmp_path, "")
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx_bytes(np.full(4, 10, np.uint8)))
    with pytest.raises(ValueError, match="has the label 10 in t10k-labels-idx1-ubyte, wanted labels from 0 to 9"):
        load_images("mnist", tmp_path)


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="the name is 'imagenet', wanted one of 'mnist', 'fashion-mnist', 'cifar-10'"):
        load_images("imagenet")


def test_idx_files_of_any_number_of_axes_are_read(tmp_path):
    for numbers in (np.zeros((2, 0, 3), np.uint8), np.arange(24, dtype=np.uint8).reshape(1, 2, 3, 4)):
        (tmp_path / "a").write_bytes(idx_bytes(numbers))
        np.testing.assert_array_equal(read_idx(tmp_path / "a"), numbers)


# CIFAR-10


def batches(seed: int = 0) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Pixels (N, 3072) and labels (N,) of the six files."""
    rng = np.random.default_rng(seed)
    draw = lambda top, *shape: rng.integers(0, top, shape).astype(np.uint8)  # noqa: E731
    return {name: (draw(256, RECORDS, 3072), draw(10, RECORDS)) for name in NAMES}


def binary(pixels: np.ndarray, labels: np.ndarray) -> bytes:
    return np.concatenate([labels[:, None], pixels], axis=1).tobytes()


def published_pickle(pixels: np.ndarray, labels: np.ndarray) -> bytes:
    """The instructions of the published files, which Python 2 wrote with protocol 2."""

    def text(words: bytes) -> bytes:
        return b"U" + bytes([len(words)]) + words  # SHORT_BINSTRING

    dtype = b"cnumpy\ndtype\n" + text(b"u1") + b"K\0K\1\x87R(K\3" + text(b"|") + b"NNN" + b"J\xff\xff\xff\xff" * 2
    dtype += b"K\0tb"
    shape = b"M" + struct.pack("<H", len(pixels)) + b"M" + struct.pack("<H", pixels.shape[1]) + b"\x86"
    array = b"cnumpy.core.multiarray\n_reconstruct\nq\1cnumpy\nndarray\nK\0\x85" + text(b"b") + b"\x87Rq\2"
    array += b"(K\1" + shape + dtype + b"\x89T" + struct.pack("<i", pixels.nbytes) + pixels.tobytes() + b"tb"
    items = text(b"batch_label") + text(b"training batch 1 of 5")
    items += text(b"labels") + b"]q\3(" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    items += text(b"data") + array + text(b"filenames") + b"](" + text(b"a.png") * 2 + b"e"
    return b"\x80\x02}q\0(" + items + b"u."


FORMS = {
    "binary": ("cifar-10-batches-bin", ".bin", binary),
    "python": ("cifar-10-batches-py", "", published_pickle),
}


def archive(path: Path, folder: str, files: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


@pytest.mark.parametrize("how", ["in the folder", "in a folder in it", "archive"])
@pytest.mark.parametrize("form", FORMS)
def test_cifar_10_is_read_in_both_forms_unpacked_or_not(tmp_path, form, how):
    folder, ending, write = FORMS[form]
    written = batches()
    files = {f"{name}{ending}": write(*batch) for name, batch in written.items()}
    if how == "archive":
        archive(tmp_path / f"cifar-10-{form}.tar.gz", folder, {"readme.html": b"", **files})
    else:
        place = tmp_path / folder if how == "in a folder in it" else tmp_path
        place.mkdir(exist_ok=True)
        for name, content in files.items():
            (place / name).write_bytes(content)
    data = load_images("cifar-10", tmp_path)
    assert data.train.images.shape == (5 * RECORDS, 32, 32, 3) and len(data.test) == RECORDS
    pixels, labels = written["data_batch_2"]
    green = pixels[3].reshape(3, 32, 32)[1]
    np.testing.assert_array_equal(data.train.images[RECORDS + 3, :, :, 1], green)
    np.testing.assert_array_equal(data.train.labels[RECORDS : 2 * RECORDS], labels)
    np.testing.assert_array_equal(data.test.labels, written["test_batch"][1])
    assert sorted(path.name for path in tmp_path.rglob("*.bin") if how == "archive") == []


def test_faults_of_cifar_10_are_named(tmp_path):
    for name, batch in batches().items():
        (tmp_path / f"{name}.bin").write_bytes(binary(*batch))
    path = tmp_path / "data_batch_4.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"data_batch_4.bin has 21510 bytes, wanted 21511, 7 records of 3,073"):
        load_images("cifar-10", tmp_path)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"lacks data_batch_4.bin; fetch cifar-10-binary.tar.gz from https"):
        load_images("cifar-10", tmp_path)
    pixels, labels = batches()["data_batch_4"]
    path.write_bytes(binary(pixels, labels + np.uint8(10)))
    with pytest.raises(ValueError, match=r"data_batch_4.bin has the label \d+, wanted labels from 0 to 9"):
        load_images("cifar-10", tmp_path)


@pytest.mark.parametrize("keep", [100, -100])
def test_a_truncated_archive_is_named(tmp_path, keep):
    path = tmp_path / "cifar-10-binary.tar.gz"
    archive(path, "cifar-10-batches-bin", {f"{name}.bin": binary(*batch) for name, batch in batches().items()})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"cifar-10-binary.tar.gz is damaged or truncated .* fetch it again"):
        load_images("cifar-10", tmp_path)


def test_an_archive_with_a_hole_names_the_file(tmp_path):
    files = {f"{name}.bin": binary(*batch) for name, batch in batches().items() if name != "test_batch"}
    archive(tmp_path / "cifar-10-binary.tar.gz", "cifar-10-batches-bin", files)
    with pytest.raises(FileNotFoundError, match=r"cifar-10-binary.tar.gz lacks test_batch.bin; fetch"):
        load_images("cifar-10", tmp_path)


def test_a_pickled_batch_of_another_size_is_named(tmp_path):
    for name, (pixels, labels) in batches().items():
        (tmp_path / name).write_bytes(published_pickle(pixels[1:], labels[1:]))
    words = r"data_batch_1 holds pixels of shape \(6, 3072\) and labels of shape \(6,\), wanted \(7, 3072\) and \(7,\)"
    with pytest.raises(ValueError, match=words):
        load_images("cifar-10", tmp_path)


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_a_batch_that_python_3_pickled_is_read(protocol):
    pixels, labels = batches()["test_batch"]
    for array in (pixels, np.asfortranarray(pixels)):
        content = pickle.dumps({b"data": array, b"labels": labels.tolist(), b"x": None}, protocol)
        found = read_pickled_batch(content, "a batch")
        np.testing.assert_array_equal(found[0], pixels)
        np.testing.assert_array_equal(found[1], labels)


class Attack:
    def __reduce__(self):
        return (Path.touch, (Path("touched"),))


@pytest.mark.parametrize(
    "content, words",
    [
        (pickle.dumps(Attack(), 2), "has no place in it"),
        (pickle.dumps({"data": Attack(), "labels": [1]}, 4), "has no place in it"),
        (b"cposix\nsystem\n(S'touch touched'\ntR.", "the name 'posix system' has no place in it"),
        (pickle.dumps({"data": np.zeros((2, 3)), "labels": [1, 2]}, 2), "dtype 'f8', wanted unsigned bytes"),
        (pickle.dumps({"labels": [1, 2]}, 2), "a batch is not a batch of CIFAR-10's Python form .'data'"),
        (pickle.dumps([1, 2], 2), "is not a batch"),
        (published_pickle(*batches()["test_batch"])[:-200], "is not a batch of CIFAR-10's Python form"),
        (b"", "is not a batch"),
        (b"\x93NUMPY", "is not a batch"),
    ],
)
def test_a_pickle_of_anything_else_is_refused_and_never_run(content, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=words) as caught:
        read_pickled_batch(content, "a batch")
    one_sentence(caught.value)
    assert list(tmp_path.iterdir()) == []
