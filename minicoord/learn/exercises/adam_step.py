"""Lesson 03b: one step of Adam."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield the first step, later ones, a large eps, gradients of zero, kernels, and float32."""
    n = int(rng.integers(3, 6))
    usual = 0.9, 0.999  # in the first step 0.1 / sqrt(0.001) is not 1, so a missing correction shows

    def arrays(*shape: int) -> tuple:
        w, g, m = (rng.normal(size=shape) for _ in range(3))
        return w, g, m, rng.uniform(0.1, 2, size=shape)

    w, g, _, _ = arrays(n)
    yield Case("the first step", (w, g, np.zeros(n), np.zeros(n), 1, 0.01, *usual, 1e-8))
    yield Case("the third step", (*arrays(n), 3, 0.1, *usual, 1e-8))
    yield Case("a large eps", (*arrays(2, n), 2, 0.1, 0.8, 0.95, float(rng.uniform(0.1, 0.3))))
    w, _, _, _ = arrays(n)
    yield Case("nothing but zeros: no step", (w, *(np.zeros(n) for _ in range(3)), 1, 0.1, *usual, 1e-8))
    yield Case("a kernel, step 1000", (*arrays(3, 2, 2, n), 1000, 0.1, *usual, 1e-8))
    small = [array.astype(np.float32) for array in arrays(2, n)]
    yield Case("float32", (*small, 5, 0.1, *usual, 1e-8))
    yield Case("a kernel of 5 x 5, 7 channels in and 9 out", (*arrays(5, 5, 7, 9), 10, 0.1, *usual, 1e-8))


exercise = Exercise(
    id="adam_step",
    lesson=3,
    title="One step of Adam",
    minutes=12,
    difficulty=2,
    cases=cases,
    hints=(
        "Five lines, in the order of the text: new m, new v, each of them corrected, the new w.",
        "The corrected ones are used for this step alone; what is returned is m and v without the correction.",
        "Write m = beta1 * m + ..., which makes a new array; m *= beta1 would change the caller's.",
    ),
)


@exercise.solved_by
def adam_step(w, g, m, v, t, lr, beta1, beta2, eps):
    """Return a parameter and its two running means after one step of Adam.

    w: the parameter. g: its gradient. m, v: the running means of g and of g squared, before this
    step, zero at first. All four have the same shape. t: the number of this step, 1 for the first.
    lr: the learning rate. beta1, beta2: how much of m and v is kept. eps: avoids dividing by 0.

    The new m is beta1 of the old one plus 1 - beta1 of g; the new v is beta2 of the old one plus
    1 - beta2 of g squared. Both start at zero, so they are too small at first; for the step, m is
    divided by 1 - beta1 ** t and v by 1 - beta2 ** t. The step is lr times the corrected m over
    (square root of the corrected v, plus eps), and it is subtracted from w.

    Returns three new arrays, (w, m, v), in the dtype of w; the arguments are left unchanged.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    w = w - lr * m_hat / (np.sqrt(v_hat) + eps)
    return w, m, v


@exercise.mistake("the correction is missing: at first m and v are too small, by 1 - beta ** t")
def uncorrected(w, g, m, v, t, lr, beta1, beta2, eps):
    return adam_step(w, g, m, v, 10**9, lr, beta1, beta2, eps)


@exercise.mistake("beta1 and beta2 are exchanged: beta1 belongs to m, beta2 to v")
def exchanged(w, g, m, v, t, lr, beta1, beta2, eps):
    return adam_step(w, g, m, v, t, lr, beta2, beta1, eps)


@exercise.mistake("eps is inside the square root; it is added to the root")
def eps_under_the_root(w, g, m, v, t, lr, beta1, beta2, eps):
    _, m, v = adam_step(w, g, m, v, t, lr, beta1, beta2, eps)
    return w - lr * (m / (1 - beta1**t)) / np.sqrt(v / (1 - beta2**t) + eps), m, v


@exercise.mistake("the steps were counted from 0: t is 1 at the first step already, so do not add 1 to it")
def one_step_late(w, g, m, v, t, lr, beta1, beta2, eps):
    return adam_step(w, g, m, v, t + 1, lr, beta1, beta2, eps)


@exercise.mistake("the steps were counted from 0: t - 1 is 0 at the first step, and 1 - beta ** 0 divides by 0")
def one_step_early(w, g, m, v, t, lr, beta1, beta2, eps):
    _, m, v = adam_step(w, g, m, v, t, lr, beta1, beta2, eps)
    first, second = np.float64(1 - beta1 ** (t - 1)), np.float64(1 - beta2 ** (t - 1))
    step = lr * (m / first) / (np.sqrt(v / second) + eps)
    return (w - step).astype(w.dtype), m, v


@exercise.mistake("m and v were returned corrected; the correction is for this step alone, and is not kept")
def corrected_kept(w, g, m, v, t, lr, beta1, beta2, eps):
    w, m, v = adam_step(w, g, m, v, t, lr, beta1, beta2, eps)
    return w, m / (1 - beta1**t), v / (1 - beta2**t)


@exercise.mistake("v is the running mean of the gradient squared; yours is that of the gradient")
def gradient_not_squared(w, g, m, v, t, lr, beta1, beta2, eps):
    m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g
    return w - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


@exercise.mistake("the square root of v is missing; the step is divided by the root")
def without_root(w, g, m, v, t, lr, beta1, beta2, eps):
    _, m, v = adam_step(w, g, m, v, t, lr, beta1, beta2, eps)
    return w - lr * (m / (1 - beta1**t)) / (v / (1 - beta2**t) + eps), m, v


@exercise.mistake("w goes uphill: the step is subtracted, because the gradient points to where the loss grows")
def uphill(w, g, m, v, t, lr, beta1, beta2, eps):
    new, m, v = adam_step(w, g, m, v, t, lr, beta1, beta2, eps)
    return 2 * w - new, m, v


@exercise.mistake(
    "the arrays of the caller were changed: m *= beta1 and w -= step write into them; write m = beta1 * m, w = w - step"
)
def in_place(w, g, m, v, t, lr, beta1, beta2, eps):
    m *= beta1
    m += (1 - beta1) * g
    v *= beta2
    v += (1 - beta2) * g**2
    w -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return w, m, v


@exercise.mistake("v was not corrected for the step; divide it by 1 - beta2 ** t")
def v_uncorrected(w, g, m, v, t, lr, beta1, beta2, eps):
    _, m, v = adam_step(w, g, m, v, t, lr, beta1, beta2, eps)
    return w - lr * (m / (1 - beta1**t)) / (np.sqrt(v) + eps), m, v


@exercise.mistake("m was not corrected for the step; divide it by 1 - beta1 ** t")
def m_uncorrected(w, g, m, v, t, lr, beta1, beta2, eps):
    _, m, v = adam_step(w, g, m, v, t, lr, beta1, beta2, eps)
    return w - lr * m / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


@exercise.mistake("the correction has beta * t; it is 1 - beta ** t, a power")
def times_for_power(w, g, m, v, t, lr, beta1, beta2, eps):
    _, m, v = adam_step(w, g, m, v, t, lr, beta1, beta2, eps)
    return w - lr * (m / (1 - beta1 * t)) / (np.sqrt(v / (1 - beta2 * t)) + eps), m, v


@exercise.mistake("eps is missing: it is added to the root, or a gradient of zero divides by 0")
def without_eps(w, g, m, v, t, lr, beta1, beta2, eps):
    return adam_step(w, g, m, v, t, lr, beta1, beta2, 0)


@exercise.mistake("eps was added to the root of the uncorrected v; it is added to the root of the corrected v")
def eps_before_correction(w, g, m, v, t, lr, beta1, beta2, eps):
    return adam_step(w, g, m, v, t, lr, beta1, beta2, eps / np.sqrt(1 - beta2**t))


@exercise.mistake("g was added in full; the mean keeps beta of the old and takes 1 - beta of the new")
def whole_gradient(w, g, m, v, t, lr, beta1, beta2, eps):
    m, v = beta1 * m + g, beta2 * v + g**2
    return w - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


@exercise.mistake("beta and 1 - beta are exchanged: beta of the old mean is kept, 1 - beta of g is new")
def shares_exchanged(w, g, m, v, t, lr, beta1, beta2, eps):
    m, v = (1 - beta1) * m + beta1 * g, (1 - beta2) * v + beta2 * g**2
    return w - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


@exercise.mistake("the step was made with the old m and v; compute the new ones first")
def old_means(w, g, m, v, t, lr, beta1, beta2, eps):
    _, new_m, new_v = adam_step(w, g, m, v, t, lr, beta1, beta2, eps)
    return w - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps), new_m, new_v


@exercise.mistake("the step was made with the old m; compute the new one first")
def old_m(w, g, m, v, t, lr, beta1, beta2, eps):
    _, new_m, v = adam_step(w, g, m, v, t, lr, beta1, beta2, eps)
    return w - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps), new_m, v


@exercise.mistake("the step follows g; it should follow the corrected m, the running mean of g")
def along_the_gradient(w, g, m, v, t, lr, beta1, beta2, eps):
    _, m, v = adam_step(w, g, m, v, t, lr, beta1, beta2, eps)
    return w - lr * g / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


@exercise.mistake("the learning rate is missing")
def without_rate(w, g, m, v, t, lr, beta1, beta2, eps):
    return adam_step(w, g, m, v, t, 1, beta1, beta2, eps)


@exercise.mistake("m and v were returned in the wrong order; return (w, m, v)")
def order_exchanged(w, g, m, v, t, lr, beta1, beta2, eps):
    w, m, v = adam_step(w, g, m, v, t, lr, beta1, beta2, eps)
    return w, v, m


@exercise.mistake("eps was added after dividing; it belongs with the root, so put the two in parentheses")
def eps_after_dividing(w, g, m, v, t, lr, beta1, beta2, eps):
    _, m, v = adam_step(w, g, m, v, t, lr, beta1, beta2, eps)
    return w - lr * (m / (1 - beta1**t)) / np.sqrt(v / (1 - beta2**t)) + eps, m, v


@exercise.mistake("the step was made with the old v; compute the new one first")
def old_v(w, g, m, v, t, lr, beta1, beta2, eps):
    _, m, new_v = adam_step(w, g, m, v, t, lr, beta1, beta2, eps)
    return w - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps), m, new_v


@exercise.mistake("the correction lacks its power t: it is 1 - beta ** t, not 1 - beta")
def without_power(w, g, m, v, t, lr, beta1, beta2, eps):
    _, m, v = adam_step(w, g, m, v, t, lr, beta1, beta2, eps)
    return w - lr * (m / (1 - beta1)) / (np.sqrt(v / (1 - beta2)) + eps), m, v


@exercise.mistake("m and v were multiplied by the correction; divide by 1 - beta ** t, as they are too small")
def multiplied_by_the_correction(w, g, m, v, t, lr, beta1, beta2, eps):
    _, m, v = adam_step(w, g, m, v, t, lr, beta1, beta2, eps)
    return w - lr * (m * (1 - beta1**t)) / (np.sqrt(v * (1 - beta2**t)) + eps), m, v


@exercise.mistake("both were corrected with beta1; v has beta2: 1 - beta2 ** t")
def corrected_with_one_beta(w, g, m, v, t, lr, beta1, beta2, eps):
    _, m, v = adam_step(w, g, m, v, t, lr, beta1, beta2, eps)
    return w - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta1**t)) + eps), m, v


@exercise.mistake("w goes along g, as in plain gradient descent; the step is the corrected m over the root of v")
def plain_descent(w, g, m, v, t, lr, beta1, beta2, eps):
    _, m, v = adam_step(w, g, m, v, t, lr, beta1, beta2, eps)
    return w - lr * g, m, v


@exercise.mistake("w goes along m, as with momentum; the step is also divided by the root of the corrected v")
def momentum_alone(w, g, m, v, t, lr, beta1, beta2, eps):
    _, m, v = adam_step(w, g, m, v, t, lr, beta1, beta2, eps)
    return w - lr * m / (1 - beta1**t), m, v


@exercise.mistake("v is the running mean of g squared; yours is that of m squared")
def mean_squared(w, g, m, v, t, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * m**2
    return w - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


@exercise.mistake("the step itself was returned; subtract it from w")
def step_alone(w, g, m, v, t, lr, beta1, beta2, eps):
    new, m, v = adam_step(w, g, m, v, t, lr, beta1, beta2, eps)
    return w - new, m, v


@exercise.mistake("the argument eps was not used: 1e-8 is usual, but here it may be another number")
def usual_eps(w, g, m, v, t, lr, beta1, beta2, eps):
    return adam_step(w, g, m, v, t, lr, beta1, beta2, 1e-8)
