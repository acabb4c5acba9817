"""The values exchanged between the process of a submission and the one that grades it."""

import json
import os

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from minicoord.learn.checking.counted_loads import LoadedAgainError, counted
from minicoord.learn.exercises import im2col
from minicoord.learn.grading.exchange import UnusableError, read_value, write_value

LIMIT = 10_000


def there_and_back(value, folder, **options):
    description = json.loads(json.dumps(write_value(value, folder, "value", LIMIT)))
    return read_value(description, folder, LIMIT, **options)


@pytest.mark.parametrize(
    "value",
    [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.zeros((0, 4)),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.array(3, np.int8),
        np.array([True, False]),
    ],
    ids=["float32", "empty", "fortran", "no axes", "bool"],
)
def test_an_array_comes_back_unchanged(value, tmp_path):
    back = there_and_back(value, tmp_path)
    assert_array_equal(back, value)
    assert type(back) is np.ndarray and back.dtype == value.dtype and back.shape == value.shape


@pytest.mark.parametrize("value", [None, 3, -0.5, True, "same", float("inf"), np.float32(0.1), np.int64(7)])
def test_numbers_and_strings_keep_their_type(value, tmp_path):
    back = there_and_back(value, tmp_path)
    assert back == value
    assert type(back) is type(value)


def test_tuples_and_lists_keep_their_items(tmp_path):
    back = there_and_back((np.ones(2), [1, (2.5, np.zeros(3))]), tmp_path)
    assert type(back) is tuple and type(back[1]) is list and type(back[1][1]) is tuple
    assert_array_equal(back[0], np.ones(2))
    assert_array_equal(back[1][1][1], np.zeros(3))


@pytest.mark.parametrize("limit", [None, 1])
def test_an_array_that_counts_its_loads_does_so_again(limit, tmp_path):
    (back,) = there_and_back((counted(np.arange(6.0).reshape(2, 3), limit),), tmp_path, counting=True)
    assert (back[1, 2], back.tally.loads, back.tally.limit) == (5.0, 1, limit)
    if limit:
        with pytest.raises(LoadedAgainError):
            back[1, 2]


def test_a_result_that_counts_its_loads_is_refused(tmp_path):
    with pytest.raises(UnusableError, match="its kind is unknown"):
        there_and_back(counted(np.zeros(3), 1), tmp_path)


def test_a_function_is_passed_by_its_name(tmp_path):
    assert there_and_back(im2col.im2col, tmp_path, functions=im2col) is im2col.im2col


@pytest.mark.parametrize(
    "value", [{"a": 1}, {1, 2}, 2j, object(), 10**5000], ids=["dict", "set", "complex", "object", "long"]
)
def test_other_objects_keep_only_their_type(value, tmp_path):
    assert type(there_and_back(value, tmp_path)).__name__ == type(value).__name__


def test_a_large_array_keeps_only_its_shape_and_dtype(tmp_path):
    huge = np.broadcast_to(np.float32(1), (10**6, 10**6))
    back = there_and_back(huge, tmp_path)
    assert back.shape == huge.shape and back.dtype == huge.dtype and back.strides == (0, 0)
    assert not list(tmp_path.iterdir())


def test_an_array_of_objects_is_not_pickled(tmp_path):
    description = write_value(np.array([object()]), tmp_path, "value", LIMIT)
    assert description["kind"] == "shape"


def _pickled(folder):
    np.save(folder / "value.npy", np.array([{}]), allow_pickle=True)


def _header_that_promises_more(folder):
    with (folder / "value.npy").open("wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (10**12,)}
        np.lib.format.write_array_header_1_0(file, header)
        file.write(bytes(64))


def _broken_header(folder):
    np.save(folder / "value.npy", np.zeros(3))
    data = (folder / "value.npy").read_bytes()
    (folder / "value.npy").write_bytes(data.replace(b"(3,)", b"(((("))


def _link(folder):
    (folder / "elsewhere").write_bytes(b"secret")
    os.symlink(folder / "elsewhere", folder / "value.npy")


def _too_long(folder):
    (folder / "value.npy").write_bytes(b"\0" * 10 * LIMIT)


@pytest.mark.parametrize(
    "forge", [_pickled, _header_that_promises_more, _broken_header, _link, _too_long, lambda folder: None]
)
def test_a_forged_file_is_refused(forge, tmp_path):
    forge(tmp_path)
    with pytest.raises(UnusableError):
        read_value({"kind": "array", "file": "value.npy"}, tmp_path, LIMIT)


def test_a_file_that_is_named_many_times_is_refused(tmp_path):
    array = write_value(np.zeros(LIMIT // 32), tmp_path, "value", LIMIT)
    assert len(read_value({"kind": "list", "items": [array] * 4}, tmp_path, LIMIT)) == 4
    with pytest.raises(UnusableError):
        read_value({"kind": "list", "items": [{"kind": "list", "items": [array] * 64}] * 64}, tmp_path, LIMIT)


@pytest.mark.parametrize(
    "description",
    [
        None,
        [],
        {},
        {"kind": "pickle"},
        {"kind": "array", "file": "../../value.npy"},
        {"kind": "shape", "dtype": "object", "shape": [10**30]},
        {"kind": "shape", "dtype": "float64", "shape": [-1]},
        {"kind": "number", "value": []},
        {"kind": "tuple", "items": 3},
    ],
)
def test_a_forged_description_is_refused(description, tmp_path):
    with pytest.raises(UnusableError):
        read_value(description, tmp_path, LIMIT)
