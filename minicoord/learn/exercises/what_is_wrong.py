"""Lesson 14: a test that finds the usual faults of public copies of AddCoords."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def _axis(length: int) -> np.ndarray:
    return 2 * np.arange(length) / (length - 1) - 1 if length > 1 else np.zeros(1)


def _joined(x: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return images (N, C, H, W) with two more channels, in their dtype."""
    coords = np.stack(np.meshgrid(rows, columns, indexing="ij"))
    return np.concatenate([x, np.broadcast_to(coords, (len(x), *coords.shape)).astype(x.dtype)], axis=1)


# The layers that are to be judged. Their names say nothing, because a learner can print them.


def layer_a(x: np.ndarray) -> np.ndarray:
    """Right."""
    return _joined(x, *map(_axis, x.shape[2:]))


def layer_b(x: np.ndarray) -> np.ndarray:
    """Right, by another formula, which rounds differently in float32."""
    axes = [(np.arange(n, dtype=np.float32) - (n - 1) / 2) * np.float32(2 / max(n - 1, 1)) for n in x.shape[2:]]
    return _joined(x, *axes)


def layer_c(x: np.ndarray) -> np.ndarray:
    """Each axis divided by the length of the other one: the paper's released code."""
    h, w = x.shape[2:]
    return _joined(x, _divided(h, w), _divided(w, h))


def _divided(length: int, other: int) -> np.ndarray:
    return 2 * np.arange(length) / max(other - 1, 1) - 1 if length > 1 else _axis(1)


def layer_d(x: np.ndarray) -> np.ndarray:
    """Coordinates of W x W pixels, which do not fit another height."""
    w = x.shape[3]
    coords = np.stack([np.tile(_axis(w)[:, None], (1, w)), np.tile(_axis(w), (w, 1))])
    return np.concatenate([x, np.broadcast_to(coords, (len(x), *coords.shape)).astype(x.dtype)], axis=1)


def layer_e(x: np.ndarray) -> np.ndarray:
    """A table that was made for 64 x 64 pixels."""
    coords = np.broadcast_to(np.stack(np.meshgrid(_axis(64), _axis(64), indexing="ij")), (len(x), 2, 64, 64))
    return np.concatenate([x, coords.astype(x.dtype)], axis=1)


def layer_f(x: np.ndarray) -> np.ndarray:
    """A divisor of 63, whatever the size."""
    return _joined(x, *(2 * np.arange(n) / 63 - 1 for n in x.shape[2:]))


def layer_g(x: np.ndarray) -> np.ndarray:
    """Coordinates in float64, which turn float32 images into float64."""
    return layer_a(x.astype(np.float64))


def layer_h(x: np.ndarray) -> np.ndarray:
    """Coordinates and images in float32, whatever came."""
    return layer_a(x.astype(np.float32))


def layer_i(x: np.ndarray) -> np.ndarray:
    """A division by zero where there is one row or one column."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return _joined(x, *(2 * np.arange(n) / np.float64(n - 1) - 1 for n in x.shape[2:]))


def layer_j(x: np.ndarray) -> np.ndarray:
    """A single row or column at -1."""
    return _joined(x, *(np.linspace(-1, 1, n) for n in x.shape[2:]))


def layer_k(x: np.ndarray) -> np.ndarray:
    """Coordinates for one image."""
    return np.concatenate([x, layer_a(x[:1])[:, x.shape[1] :]], axis=1)


def layer_l(x: np.ndarray) -> np.ndarray:
    """A single column at -1; a single row is cared for."""
    return _joined(x, _axis(x.shape[2]), np.linspace(-1, 1, x.shape[3]))


def layer_m(x: np.ndarray) -> np.ndarray:
    """A single row or column at -1, but for an image of one pixel, which is cared for."""
    return layer_a(x) if x.shape[2:] == (1, 1) else layer_j(x)


LAYERS = (
    *(layer_a, layer_b, layer_c, layer_d, layer_e, layer_f, layer_g, layer_h, layer_i, layer_j, layer_k),
    *(layer_l, layer_m),
)


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the layers in an order of the seed's."""
    for number, place in enumerate(rng.permutation(len(LAYERS)), start=1):
        yield Case(f"layer {number} of {len(LAYERS)}", (LAYERS[place],))


exercise = Exercise(
    id="what_is_wrong",
    lesson=14,
    title="Test a stranger's layer",
    minutes=25,
    difficulty=3,
    builds_on=("add_coords_first",),
    cases=cases,
    hints=(
        "Write a helper first: is the layer right for images of shape (n, 3, h, w)? Compare with your own coordinates.",
        "The helper calls the layer in a try; one that raises is wrong. Compare shapes, then np.allclose(y, wanted).",
        "The order of the tests decides the word: 2 of 64 x 64, another square, a rectangle, one row, one column.",
        "The dtype has a test of its own: layer(np.zeros((1, 3, 64, 64), dtype)).dtype, for float32 and for float64.",
    ),
)


@exercise.solved_by
def what_is_wrong(layer):
    """Say in one word what is wrong with somebody's AddCoords.

    layer: a function. layer(x) takes images (N, C, H, W) and should return (N, C + 2, H, W) in
    the dtype of x: the channels of x, then i (rows), then j (columns), each from -1 to 1, and 0
    where there is only one row or column.

    Every layer is right for one image of 64 x 64 pixels, up to its dtype. It has one fault at
    most: where it applies, the layer raises an error or returns wrong numbers.

    Returns one of these words:
      "batch"      if it is wrong for more than one image;
      "size"       if it is wrong for squares other than 64 x 64;
      "rectangle"  if it is right for all squares, and wrong where height and width differ;
      "one pixel"  if it is wrong only where there is a single row or a single column;
      "dtype"      if its numbers are right, and it does not keep float32 and float64;
      "right"      if nothing is wrong. Numbers that differ by less than 1e-5 are right.
    """

    def works(n, h, w):
        x = np.random.default_rng(0).normal(size=(n, 3, h, w)).astype(np.float32)
        rows, columns = (2 * np.arange(s) / (s - 1) - 1 if s > 1 else np.zeros(1) for s in (h, w))
        coords = np.stack(np.meshgrid(rows, columns, indexing="ij"))
        wanted = np.concatenate([x, np.broadcast_to(coords, (n, 2, h, w))], axis=1)
        try:
            y = layer(x)
        except Exception:
            return False
        return y.shape == wanted.shape and np.allclose(y, wanted, atol=1e-5)

    if not works(2, 64, 64):
        return "batch"
    if not works(1, 9, 9):
        return "size"
    if not works(1, 5, 9):
        return "rectangle"
    if not (works(1, 1, 9) and works(1, 9, 1)):
        return "one pixel"
    for dtype in (np.float32, np.float64):
        if layer(np.zeros((1, 3, 64, 64), dtype)).dtype != dtype:
            return "dtype"
    return "right"


# What a wrong test says of each layer. A test that overlooks a fault says "right".

_TRUTH = {
    "layer_a": "right",
    "layer_b": "right",
    "layer_c": "rectangle",
    "layer_d": "rectangle",
    "layer_e": "size",
    "layer_f": "size",
    "layer_g": "dtype",
    "layer_h": "dtype",
    "layer_i": "one pixel",
    "layer_j": "one pixel",
    "layer_k": "batch",
    "layer_l": "one pixel",
    "layer_m": "one pixel",
}


def _said(layer, **instead: str) -> str:
    """Return the right word, or the one that is said instead of it: by layer, such as ``a="dtype"``, or by word."""
    name = layer.__name__
    word = _TRUTH[name]
    return instead.get(name.removeprefix("layer_"), instead.get(word.replace(" ", "_"), word))


@exercise.mistake("only squares are tested; an axis divided by the length of the other shows on rectangles alone")
def squares_alone(layer):
    return _said(layer, rectangle="right", one_pixel="right")


@exercise.mistake("64 x 64 is the only size that is tested, the one for which every layer is right")
def one_size(layer):
    return _said(layer, rectangle="right", one_pixel="right", size="right")


@exercise.mistake("shapes are compared and numbers are not; most wrong copies return the right shape")
def shapes_alone(layer):
    return _said(layer, c="right", f="right", one_pixel="right")


@exercise.mistake("numbers are compared bit for bit; two right formulas round differently, so allow 1e-5")
def bit_for_bit(layer):
    return _said(layer, b="batch", g="batch")


@exercise.mistake("numbers are compared bit for bit with float64; a layer that keeps float32 rounds, so allow 1e-5")
def bit_for_bit_in_float64(layer):
    return "dtype" if layer.__name__ == "layer_g" else "batch"


@exercise.mistake("the dtype is never looked at")
def no_dtype(layer):
    return _said(layer, dtype="right")


@exercise.mistake("float32 images alone are tested; a layer that always returns float32 shows with float64")
def float32_alone(layer):
    return _said(layer, h="right")


@exercise.mistake("float64 images alone are tested; a layer that always returns float64 shows with float32")
def float64_alone(layer):
    return _said(layer, g="right")


@exercise.mistake(
    "a nan is not larger than anything, so that (difference > 1e-5).any() overlooks it; np.allclose finds it"
)
def nan_overlooked(layer):
    return _said(layer, i="right")


@exercise.mistake("a single row or column is never tested")
def no_single_row(layer):
    return _said(layer, one_pixel="right")


@exercise.mistake('the word is "size" already if another square is wrong: test squares before rectangles')
def rectangles_first(layer):
    return _said(layer, size="rectangle")


@exercise.mistake("one image alone is tested; a layer may be made for a batch of one")
def one_image(layer):
    return _said(layer, batch="right")


@exercise.mistake('every layer that raises is called "size"; rectangles and batches can raise, too')
def errors_are_sizes(layer):
    return _said(layer, d="size", k="size")


@exercise.mistake(
    "a single row is tested before a rectangle, or in its place; it is a rectangle too, so those layers fail there"
)
def single_row_first(layer):
    return _said(layer, rectangle="one pixel")


@exercise.mistake("every layer is called right")
def all_right(layer):
    return "right"


@exercise.mistake("a single row alone is tested; a layer may care for that, and go wrong with a single column")
def single_row_alone(layer):
    return _said(layer, l="right")


@exercise.mistake("an image of 1 x 1 alone is tested; test one row of several columns, and one column of several rows")
def one_by_one(layer):
    return _said(layer, m="right")
