"""Values without end, masked arrays and careless indents: each is refused in one short sentence."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from careless_values import Raising

from minicoord import (
    Adam,
    AddCoords,
    Conv2D,
    Dense,
    Flatten,
    MaxPool2D,
    Reshape,
    Residual,
    Sequential,
    fit,
    gradcheck,
    mean_squared_error,
)
from minicoord.datasets import not_so_clevr
from minicoord.kernels.area import area_resize
from minicoord.kernels.convolution import conv2d
from minicoord.kernels.im2col import col2im, im2col
from minicoord.kernels.pooling import max_pool2d
from minicoord.kernels.transposed import conv_transpose2d
from minicoord.kernels.updates import adam_update
from minicoord.kernels.upsample import upsample_nearest_backward
from minicoord.nn.initialisers import initialise
from minicoord.plots.confusion_figure import confusion_counts
from minicoord.system.arguments import check_flag, is_number, is_whole, shown
from minicoord.system.files import remove_file, write_atomically, write_json
from minicoord.system.paths import package_folder
from minicoord.train.checkpoint import read_checkpoint

X, W = np.ones((2, 4, 6, 3), np.float32), np.ones((3, 3, 3, 2), np.float32)
ODD_PADDING: Any = (True, [2, 3])
BACK = np.ones((3, 3, 2, 3), np.float32)
ENDLESS = [10**400, "x" * 100_000, list(range(10**6)), b"x" * 10**6, ["x" * 100_000] * 3, (10**400, 10**400)]
DOORS: dict[str, Callable[[Any], object]] = {
    "conv2d, stride": lambda value: conv2d(X, W, None, stride=value),
    "conv2d, padding": lambda value: conv2d(X, W, None, padding=value),
    "conv_transpose2d, padding": lambda value: conv_transpose2d(X, BACK, None, padding=value),
    "im2col, kernel_size": lambda value: im2col(X, value),
    "col2im, x_shape": lambda value: col2im(np.ones((48, 27), np.float32), value, 3),
    "max_pool2d, size": lambda value: max_pool2d(X, value),
    "max_pool2d, padding": lambda value: max_pool2d(X, 2, padding=value),
    "upsample_nearest_backward, factor": lambda value: upsample_nearest_backward(X, value),
    "area_resize, height": lambda value: area_resize(X[..., 0], value, 2),
    "adam_update, t": lambda value: adam_update(*np.ones((4, 5)), lr=0.1, beta1=0.9, beta2=0.999, eps=1e-8, t=value),
    "MaxPool2D, padding": lambda value: MaxPool2D(2, padding=value).forward(X),
    "Conv2D, c_in": lambda value: Conv2D(value, 2, 3),
    "write_json, indent": lambda value: write_json("nowhere.json", {}, indent=value),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_value_without_end_is_quoted_in_short(door: str):
    for value in ENDLESS:
        with pytest.raises((TypeError, ValueError)) as raised:
            DOORS[door](value)
        assert len(str(raised.value)) < 300
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("indent", [17, 10**9, 10**400, -1, 1.5, True, "  ", np.ma.masked])
def test_a_careless_indent_is_refused_and_writes_nothing(indent: Any, tmp_path: Path):
    path = tmp_path / "kept.json"
    path.write_text("as it was")
    with pytest.raises(ValueError, match=r"write_json: indent was .*, wanted"):
        write_json(path, {"a": 1}, indent=indent)
    assert path.read_text() == "as it was"


def test_an_indent_may_be_a_number_of_numpy(tmp_path: Path):
    write_json(tmp_path / "a.json", {"a": 1}, indent=np.int64(3))  # type: ignore[arg-type]
    assert (tmp_path / "a.json").read_text() == '{\n   "a": 1\n}\n'


def test_what_json_cannot_hold_is_quoted_in_short(tmp_path: Path):
    for data in ({1, *range(10**5)}, {("x" * 10**5,): 1}):
        with pytest.raises(TypeError, match="cannot be written as JSON") as raised:
            write_json(tmp_path / "a.json", {"a": data})
        assert len(str(raised.value)) < 300


@pytest.mark.parametrize("layers", [np.ma.masked, [np.ma.masked], [Flatten(), np.ma.masked], np.array(3)])
def test_a_masked_constant_is_no_layer(layers: Any):
    with pytest.raises(TypeError, match=r"Sequential: layer.* is of type .*, wanted"):
        Sequential(layers)


@pytest.mark.parametrize("x", [np.ma.masked, np.ma.masked_array(X, np.zeros(X.shape, bool))])
def test_a_mask_is_refused_by_a_model_of_any_kind(x: Any):
    for model in (Sequential([Flatten(), Dense(72, 2)]), Residual(AddCoords()), Flatten()):
        with pytest.raises(TypeError, match=r"is a masked array, wanted"):
            model.forward(x)
    with pytest.raises(TypeError, match=r"gradcheck: x is a masked array, wanted"):
        gradcheck(Flatten(), x)
    with pytest.raises(TypeError, match=r"gradcheck: target is a masked array, wanted"):
        gradcheck(mean_squared_error, np.ones((2, 3)), x)


@pytest.mark.parametrize("shape", [np.ma.masked, np.array(3), b"ab", bytearray(b"ab"), memoryview(b"ab"), "34"])
def test_a_number_or_text_is_no_shape_to_summarise(shape: Any):
    with pytest.raises(TypeError, match=r"summary: input_shape was .*, wanted a shape"):
        Sequential([Flatten()]).summary(shape)


def quoted_whole(source: str) -> list[int]:
    """Return the lines of ``raise`` statements that quote with ``!r``, however long the value is.

    Left out are paths, which the system bounds, and what is cut by a format such as ``!r:.100``.
    """
    quotes = [
        part
        for statement in ast.walk(ast.parse(source))
        if isinstance(statement, ast.Raise)
        for part in ast.walk(statement)
        if isinstance(part, ast.FormattedValue) and part.conversion == ord("r") and part.format_spec is None
    ]
    return sorted({part.lineno for part in quotes if not ast.unparse(part.value).startswith("str(")})


# Names in the source of minicoord, and those of attributes that somebody asks a module for.
OF_THE_SOURCE = {"__init__.py", "learn/__init__.py", "learn/definition/exercise.py"}


def test_no_error_quotes_a_value_whole():
    folder = package_folder()
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.py")}
    found = {name: quoted_whole(path.read_text(encoding="utf-8")) for name, path in files.items()}
    assert {name: lines for name, lines in found.items() if lines and name not in OF_THE_SOURCE} == {}
    assert quoted_whole('raise ValueError(f"x was {x!r}")') == [1]
    assert quoted_whole('raise ValueError(f"x was {shown(x)}, {x!r:.9}, {str(path)!r}")') == []


class Opaque(Raising):
    """An object each of whose methods fails."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("no attribute")


class Wordy:
    """An object of a million characters and as many lines."""

    def __repr__(self) -> str:
        return "a\n" * 10**6


def test_a_value_of_any_kind_is_shown_in_one_short_line():
    values = [
        Opaque(),
        [Opaque()] * 3,
        Wordy(),
        {1: Wordy()},
        10**5000,
        (-(10**5000), 2),
        type("x" * 10**6, (), {})(),
    ]
    values += [np.zeros(3, [("a" * 1000, "f4")]), np.zeros((1,) * 30), (endless := [])]
    endless.append(endless)
    for value in values:
        assert len(shown(value)) <= 120 and "\n" not in shown(value)
    assert shown((10**5000, 2)) == "(a number of 5,000 digits, 2)"


def test_an_object_whose_methods_fail_is_no_number():
    assert not is_number(Opaque()) and not is_whole(Opaque())
    with pytest.raises(TypeError, match="a flag was an object of type Opaque, wanted True or False"):
        check_flag("a flag", Opaque())


def shaped(shape: Any) -> Any:
    return Flatten().output_shape(shape)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: shaped(list(range(1, 10**6))), "wanted a shape such as .*, of at most 64 axes"),
        (lambda: shaped((2, 10**400)), r"wanted a shape such as .*, each below 2\^63"),
        (lambda: shaped(b"ab"), "input_shape was b'ab', wanted a shape"),
        (lambda: Sequential([Flatten()]).summary((10**400, 2)), r"summary: input_shape was .*, each below 2\^63"),
        (lambda: Sequential([Flatten()]).summary(itertools.count(1)), "summary: input_shape .*, of at most 64 axes"),
        (
            lambda: initialise("zeros", (0, 2**62, 2**62), 0, np.float32),
            "would take over 2.50 GiB, wanted one that fits",
        ),
        (lambda: conv2d(X, W, None, stride=memoryview(np.ones((2, 2)))), "stride was <memory at .*, it must be"),  # type: ignore[arg-type]
        (lambda: conv2d(X, W, None, stride=b"ab"), "stride was b'ab', it must be"),  # type: ignore[arg-type]
        (lambda: conv2d(X, W, None, padding=ODD_PADDING), r"padding was \(True, \[2, 3\]\), it must be"),
        (lambda: max_pool2d(X, 5, padding="valid"), "window does not fit .*, wanted a smaller window or more padding"),
        (lambda: Reshape(memoryview(np.ones((2, 2)))), "shape was <memory at .*, it must be a sequence"),  # type: ignore[arg-type]
        (
            lambda: confusion_counts(np.arange(3), np.arange(2), 3),
            r"predicted has shape \(2,\) .*, wanted whole numbers",
        ),
        (lambda: confusion_counts(np.arange(3), np.arange(3), 2), "labels go from 0 to 2, wanted 0 to 1"),
        (lambda: not_so_clevr((6, 7), 10**5000), "square is a number of 5,000 digits, wanted an odd side"),
        (
            lambda: write_json("nowhere.json", {"a": 10**5000}),
            "a number of 5,000 digits cannot be written as JSON, wanted",
        ),
        (
            lambda: write_json("nowhere.json", np.zeros((2**50, 0))),
            r"an array to be written as JSON of shape \(11.*, wanted",
        ),
    ],
)
def test_sizes_without_end_are_refused_before_anything_is_made_of_them(call: Callable[[], object], sentence: str):
    with pytest.raises((TypeError, ValueError), match=sentence) as raised:
        call()
    assert len(str(raised.value)) < 300


def test_numbers_of_numpy_count_as_those_of_python():
    x, y = np.ones((4, 3), np.float32), np.zeros((4, 2), np.float32)
    histories = []
    for whole, real in ((int, float), (np.uint64, np.float64), (lambda n: np.array(n), Fraction)):
        model = Sequential([Dense(3, 2, rng=0)])
        settings = {"epochs": whole(2), "batch_size": whole(3), "seed": whole(1), "schedule": real(0.25)}
        histories.append(fit(model, mean_squared_error, Adam(0.1), x, y, progress=False, **settings)["train_loss"])
    assert histories[0] == histories[1] == histories[2]


def test_functions_of_other_arguments_are_named():
    x = np.ones((4, 3), np.float32)
    given: dict[str, Any] = {"epochs": 1, "batch_size": 2, "seed": 0, "progress": False}
    for name, function in (("y", Dense), ("schedule", Dense), ("progress", Dense)):
        arguments = {**given, "y": x[:, :2], name: function}
        y = arguments.pop("y")
        with pytest.raises(TypeError, match=rf"{name} was .*, wanted a function of"):
            fit(Sequential([Dense(3, 2, rng=0)]), mean_squared_error, Adam(0.1), x, y, **arguments)


@pytest.mark.parametrize("door", [read_checkpoint, remove_file, lambda path: write_json(path, {}), write_atomically])
def test_the_number_of_an_open_file_is_no_path_and_the_file_stays_open(door: Any, tmp_path: Path):
    def enter() -> None:
        with door(file.fileno()):  # one of the doors is a context manager; the others raise before
            pass

    with open(tmp_path / "open", "w") as file:
        with pytest.raises(TypeError, match=r"path.* was \d+, wanted a str or a path"):
            enter()
        file.write("still open")
    assert (tmp_path / "open").read_text() == "still open"
