"""Lesson 09: the gradient of a residual block, the sum of what two paths bring back."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def through_layers(dz: np.ndarray) -> np.ndarray:
    """Return dx of a body that keeps the shape: it mixes channels and neighbours, as convolutions do."""
    return 0.5 * np.roll(dz, 1, axis=2) - 2 * np.roll(dz, 1, axis=1)[..., ::-1]


def through_identity(dz: np.ndarray) -> np.ndarray:
    """Return dx of a shortcut that hands its input on."""
    return dz


def through_weights(dz: np.ndarray) -> np.ndarray:
    """Return dx of a shortcut with a weight for each channel."""
    return dz * np.arange(2, 2 + dz.shape[-1]).astype(dz.dtype)


def through_halving_layers(dz: np.ndarray) -> np.ndarray:
    """Return dx of a body that halves height and width and doubles the channels."""
    wide = dz.repeat(2, axis=1).repeat(2, axis=2)
    return 3 * wide[..., ::2] - wide[..., 1::2]


def through_halving_shortcut(dz: np.ndarray) -> np.ndarray:
    """Return dx of a 1x1 convolution of stride 2: three of four pixels were skipped, and get nothing."""
    n, h, w, c = dz.shape
    dx = np.zeros((n, 2 * h, 2 * w, c // 2), dz.dtype)
    dx[:, ::2, ::2] = dz[..., : c // 2] - dz[..., c // 2 :]
    return dx


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield blocks that keep the shape and blocks that halve it, wide and tall, of one row and one column, with outputs
    that are all zero or all positive.
    """
    h, w, c = int(rng.integers(2, 4)), int(rng.integers(5, 8)), int(rng.integers(3, 5))

    def gradients(*shape: int) -> tuple[np.ndarray, np.ndarray]:
        return rng.normal(size=shape), np.maximum(rng.normal(size=shape), 0)

    same = through_layers, through_identity
    halved = through_halving_layers, through_halving_shortcut
    yield Case(f"one image of {h} x {w}, {c} channels; the shortcut is the identity", (*gradients(1, h, w, c), *same))
    yield Case(f"3 images of {w} x {h}; the shortcut is the identity", (*gradients(3, w, h, 2), *same))
    yield Case("2 images; the shortcut has weights", (*gradients(2, h, w, c), through_layers, through_weights))
    yield Case(f"2 images; the block halves {2 * h} x {2 * w} to {h} x {w}", (*gradients(2, h, w, 2 * c), *halved))
    yield Case(f"4 images; the block halves {2 * w} x 2 to {w} x 1", (*gradients(4, w, 1, 2), *halved))
    yield Case("6 images of one row; the shortcut is the identity", (*gradients(6, 1, w, c), *same))
    yield Case("one pixel, one channel", (*gradients(5, 1, 1, 1), *same))
    dy, y = gradients(2, h, w, c)
    yield Case("float32", (dy.astype(np.float32), y.astype(np.float32), through_layers, through_weights))
    yield Case("every output is 0", (dy, np.zeros_like(y), *same))
    yield Case("no output is 0", (dy, 1 + y, *same))
    yield Case("the outputs are tiny, but those above 0 are above 0", (dy, 1e-12 * y, *same))
    yield Case("one image of 70 x 90", (*gradients(1, 70, 90, 1), *same))


exercise = Exercise(
    id="residual_dx",
    lesson=9,
    title="The gradient of a residual block",
    minutes=10,
    difficulty=1,
    builds_on=("conv_dx",),
    axes=("images", "rows", "columns", "channels"),
    cases=cases,
    hints=(
        "Go backwards from y. What comes first, the sum or the ReLU? Undo them in that order.",
        "The ReLU passes a gradient on where its output y is above zero, and stops it elsewhere: dz = dy * (y > 0).",
        "z is a sum of two paths. If z grows by a little, it does not matter which path brought it: both get dz.",
        "x feeds both paths, so what comes back along them is added.",
    ),
)


@exercise.solved_by
def residual_dx(dy, y, through_body, through_shortcut):
    """Return the gradient of the loss with respect to x for y = relu(body(x) + shortcut(x)).

    dy: gradient with respect to the output y, shape (N, out_h, out_w, c_out).
    y: the output, after the ReLU, of the same shape.
    through_body, through_shortcut: functions. Each takes the gradient with respect to the
    output of its path, shape (N, out_h, out_w, c_out), and returns the gradient with respect
    to x that comes back along this path, shape (N, H, W, c_in).

    Returns dx, shape (N, H, W, c_in), in the dtype of dy. dy is left unchanged.
    """
    dz = dy * (y > 0)
    return through_body(dz) + through_shortcut(dz)


@exercise.mistake(
    "the ReLU comes after the sum, so going back it is first: dz = dy * (y > 0) is what both paths get; y >= 0 is "
    "always true"
)
def relu_forgotten(dy, y, through_body, through_shortcut):
    return through_body(dy) + through_shortcut(dy)


@exercise.mistake("the shortcut got dy; the ReLU comes after the sum, so both paths get dy * (y > 0)")
def relu_for_the_body_alone(dy, y, through_body, through_shortcut):
    return through_body(dy * (y > 0)) + through_shortcut(dy)


@exercise.mistake("the body got dy; the ReLU comes after the sum, so both paths get dy * (y > 0)")
def relu_for_the_shortcut_alone(dy, y, through_body, through_shortcut):
    return through_body(dy) + through_shortcut(dy * (y > 0))


@exercise.mistake("the shortcut is missing; x feeds two paths, so add what comes back along both")
def without_shortcut(dy, y, through_body, through_shortcut):
    return through_body(dy * (y > 0))


@exercise.mistake("the body is missing; x feeds two paths, so add what comes back along both")
def without_body(dy, y, through_body, through_shortcut):
    return through_shortcut(dy * (y > 0))


@exercise.mistake("the two gradients were multiplied; the paths run side by side, so they are added")
def multiplied(dy, y, through_body, through_shortcut):
    dz = dy * (y > 0)
    return through_body(dz) * through_shortcut(dz)


@exercise.mistake("that is the mean of the two gradients; take their sum")
def halved(dy, y, through_body, through_shortcut):
    dz = dy * (y > 0)
    return (through_body(dz) + through_shortcut(dz)) / 2


@exercise.mistake("the shortcut's gradient was subtracted; y is a sum, so the two are added")
def subtracted(dy, y, through_body, through_shortcut):
    dz = dy * (y > 0)
    return through_body(dz) - through_shortcut(dz)


@exercise.mistake("the two were called one after the other, as for layers in a row; here each gets dz, side by side")
def in_a_row(dy, y, through_body, through_shortcut):
    return through_shortcut(through_body(dy * (y > 0)))


@exercise.mistake("the body got what the shortcut brought back; the paths run side by side, and each gets dz")
def in_a_row_from_the_shortcut(dy, y, through_body, through_shortcut):
    return through_body(through_shortcut(dy * (y > 0)))


@exercise.mistake("the body got its gradient twice, and the shortcut none; call each function once")
def body_twice(dy, y, through_body, through_shortcut):
    dz = dy * (y > 0)
    return through_body(dz) + through_body(dz)


@exercise.mistake(
    "dz itself was added, which is right if the shortcut is the identity; call through_shortcut, which may be a layer"
)
def always_the_identity(dy, y, through_body, through_shortcut):
    dz = dy * (y > 0)
    return through_body(dz) + dz


@exercise.mistake("dy itself was added; call through_shortcut, and give it what the ReLU has let through")
def dy_added(dy, y, through_body, through_shortcut):
    return through_body(dy * (y > 0)) + dy


@exercise.mistake("y > 0 was applied to dx; the ReLU comes after the sum, so apply it to dy, before the two paths")
def relu_last(dy, y, through_body, through_shortcut):
    return (through_body(dy) + through_shortcut(dy)) * (y > 0)


@exercise.mistake("the gradient was cut where it is negative; the ReLU stops it where its output y is 0")
def sign_of_the_gradient(dy, y, through_body, through_shortcut):
    dz = np.maximum(dy, 0)
    return through_body(dz) + through_shortcut(dz)


@exercise.mistake("dy was multiplied by y; the slope of a ReLU is 1 where y is above zero and 0 elsewhere")
def multiplied_by_y(dy, y, through_body, through_shortcut):
    dz = dy * y
    return through_body(dz) + through_shortcut(dz)


@exercise.mistake("the paths got y > 0 alone; multiply it by dy")
def mask_alone(dy, y, through_body, through_shortcut):
    dz = (y > 0).astype(dy.dtype)
    return through_body(dz) + through_shortcut(dz)


@exercise.mistake("the paths got y, the output; they take gradients, so give them dy * (y > 0)")
def output_sent_back(dy, y, through_body, through_shortcut):
    return through_body(y) + through_shortcut(y)


@exercise.mistake("dy was changed in place, and it belongs to the caller; dz = dy * (y > 0) makes a new array")
def changed_in_place(dy, y, through_body, through_shortcut):
    dy[y <= 0] = 0
    return through_body(dy) + through_shortcut(dy)


@exercise.mistake("y > 0 was turned into float64, and float32 gradients with it; dy * (y > 0) keeps the dtype of dy")
def always_float64(dy, y, through_body, through_shortcut):
    dz = dy * (y > 0).astype(np.float64)
    return through_body(dz) + through_shortcut(dz)


@exercise.mistake(
    "the ReLU passes a gradient on where y is above zero, and stops it where y is 0; you did the opposite"
)
def mask_turned_round(dy, y, through_body, through_shortcut):
    dz = dy * (y <= 0)
    return through_body(dz) + through_shortcut(dz)


@exercise.mistake("the shortcut got its gradient twice, and the body none; call each function once")
def shortcut_twice(dy, y, through_body, through_shortcut):
    dz = dy * (y > 0)
    return through_shortcut(dz) + through_shortcut(dz)


@exercise.mistake("dz was added once more; what the two functions return is all there is")
def identity_added(dy, y, through_body, through_shortcut):
    dz = dy * (y > 0)
    return through_body(dz) + through_shortcut(dz) + dz
