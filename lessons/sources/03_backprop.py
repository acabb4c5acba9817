# %% [markdown]
# # 03 · Backprop by hand: a convolution
#
# A network learns because every layer can answer one question: *if my output should change like this, how should my
# input change?* You write that answer for a convolution, and before that the tool that tells a right answer from a wrong
# one. Pooling, the loss and the training follow in [03b](03b_pooling_softmax_adam.ipynb), on another evening.
#
# **After this lesson you can**
# - test any gradient numerically, and interpret the error that you get;
# - derive and write the three gradients of a convolution;
# - say why gradients add up when a number was used several times;
# - tell from a picture of a wrong gradient which mistake it is.
#
# **Minutes**: 71 for the five exercises, 30 for the rest. The cells themselves run in less than a minute with our
# functions; with plain loops of your own, two or more.
#
# **Builds on**: [02](02_convolution.ipynb) (`im2col`, convolution as a product).

# %%
import numpy as np

from minicoord.learn import check, hint, solution, using, yours_or_ours
from minicoord.learn.lessons import animation, lesson03, page

# %% [markdown]
# ## What flows backward
#
# At the very end there is one number, the loss L. The **gradient** of an array is an array of the same shape; each
# entry says how fast L grows as that entry grows. In this course dy is the gradient of L with respect to y, and dw the
# one with respect to w; for short, the gradient of y and the gradient of w.
#
# A layer computes y from x and w. On the way back it receives dy, and owes two things: dw, for the optimiser, and dx,
# which is the dy of the layer before it. It keeps its own x and w from the forward pass; it needs to know nothing else
# about the network.

# %%
page.show(
    lesson03.there_and_back(
        ["image", "conv 3x3\nReLU", "conv 3x3\nReLU", "max pool", "conv 1x1", "loss"],
        [
            "x\n(N, 12, 12, 1)",
            "h1\n(N, 12, 12, 8)",
            "h2\n(N, 12, 12, 8)",
            "p\n(N, 1, 1, 8)",
            "z\n(N, 4)",
        ],
    ),
    alt="Boxes from image over two convolutions with ReLU, max pooling and a 1x1 convolution to "
    "the loss; blue arrows carry values forward, vermillion arrows carry gradients of the same "
    "shapes back.",
)

# %% [markdown]
# What to see: each arrow that goes forward has a partner of the same shape that comes back. This is the network that
# you will train in 03b. (ReLU is max(z, 0), applied to every number.)
#
# **One rule is enough for all of it.** If a number was used several times, its gradient is the **sum** of what comes
# back from each use. Going forward, a number is copied; going backward, what returns is added up. Watch for the word
# *sum*: it is where most wrong gradients come from.

# %% [markdown]
# ## First the tool
#
# A gradient is easy to get wrong, and the error is hard to see. So build the test first. Change one number a little,
# and look at how much L changes. The change divided by the step is the **difference quotient**; for a small step it is
# close to the gradient, by definition. This is slow, two evaluations for each number, but simple enough to trust.
#
# ### Your turn: `numeric_gradient`
#
# 15 minutes, difficulty 1. Use the **central** difference: a step up, a step down.

# %% tags=["exercise", "numeric_gradient"]
# exercise: numeric_gradient

# %%
check(numeric_gradient)

# %%
# hint("numeric_gradient")
# solution("numeric_gradient", now=True)

# %% [markdown]
# ## How small a step?
#
# In theory, the smaller the better. **Predict**: a computer has about 7 digits in float32 and 16 in float64. What happens
# with a step of 1e-12?
#
# The function is the sum of sin(3 x), whose gradient is 3 cos(3 x). The **relative error** is the largest difference
# divided by the largest gradient.

# %%
numeric = yours_or_ours("numeric_gradient")
relative_error = lesson03.relative_error


def wave(v):
    return np.sum(np.sin(3 * v))


def one_sided(f, v, eps):
    steps = eps * np.eye(v.size)
    return np.array([(f(v + step) - f(v)) / eps for step in steps])


point = np.random.default_rng(0).uniform(-1, 1, 20)
exact = 3 * np.cos(3 * point)
eps_tried = 10.0 ** np.arange(-12, 0.5, 0.5)
errors = {
    "one-sided, float64": [
        relative_error(one_sided(wave, point, eps), exact) for eps in eps_tried
    ],
    "central, float64": [relative_error(numeric(wave, point, eps), exact) for eps in eps_tried],
    "central, float32": [
        relative_error(numeric(wave, point.astype(np.float32), eps), exact) for eps in eps_tried
    ],
}
page.show(
    lesson03.error_against_step(eps_tried, {name: np.array(e) for name, e in errors.items()}),
    alt="Relative error against step, both logarithmic. Each curve is a V: it falls and rises "
    "again. The lowest points: "
    + ", ".join(
        f"{name} {min(e):.0e} at {eps_tried[int(np.argmin(e))]:.0e}" for name, e in errors.items()
    ),
)

# %% [markdown]
# What to see: a **V**, three times.
#
# - **The right arm** is the mathematics: a large step sees the curve bend. For the central difference this error falls
#   with the square of eps, for the one-sided difference only with eps itself.
# - **The left arm** is the arithmetic: f(v + eps) and f(v - eps) share nearly all their digits, and the subtraction
#   leaves only the few in which they differ. The smaller eps, the fewer digits are left.
# - **float32 never gets below the line.** Gradients are checked in float64, even if training runs in float32.
#
# So use the central difference, float64, and an eps of about 1e-5. Then read the relative error like this:
#
# | relative error | it means |
# |---|---|
# | below 1e-7 | right |
# | 1e-7 to 1e-4 | suspicious: a kink nearby (ReLU at 0, a tie), or float32 somewhere |
# | above 1e-4 | wrong. Not "roughly right": wrong |
#
# ## A warm-up: one weight, one bias
#
# Two minutes with pencil and paper, before the matrices. One number x goes in, y = w x + b comes out, and the loss is
# L = (y - t)². Take x = 3, w = 2, b = 1 and t = 5: then y = 7 and L = 4.
#
# Now go back, one step at a time. If y grows a little, L grows 2 (y - t) times as much: dy = 4. If w grows, y grows x
# times as much. If b grows, y grows as much. If x grows, y grows w times as much. **Predict** dw, db and dx, then run
# the cell.

# %%
one_x, one_w, one_b, target = 3.0, 2.0, 1.0, 5.0


def square_loss(x, w, b):
    return (w * x + b - target) ** 2


one_dy = 2 * (one_w * one_x + one_b - target)
by_rule = {"dw": one_dy * one_x, "db": one_dy, "dx": one_dy * one_w}
by_quotient = {
    "dw": numeric(lambda v: square_loss(one_x, v[0], one_b), np.array([one_w]), 1e-5)[0],
    "db": numeric(lambda v: square_loss(one_x, one_w, v[0]), np.array([one_b]), 1e-5)[0],
    "dx": numeric(lambda v: square_loss(v[0], one_w, one_b), np.array([one_x]), 1e-5)[0],
}
for name, value in by_rule.items():
    print(f"{name}: {value:.0f} by the rule, {by_quotient[name]:.6f} by the numeric gradient")

# %% [markdown]
# What to see: each gradient is dy times whatever the number was multiplied by. A convolution has the same three; its
# products are products of matrices.
#
# ## The gradients of a convolution
#
# Forward, as in lesson 02: `cols = im2col(x)`, then `y = cols @ w + b`. Three arrays went in, so three gradients come
# out. Begin with the easiest.
#
# **db.** b[o] was added to channel o of every pixel of every image: one number, used many times.
#
# ### Your turn: `conv_db`
#
# 4 minutes, difficulty 1.

# %% tags=["exercise", "conv_db"]
# exercise: conv_db

# %%
check(conv_db)

# %%
# hint("conv_db")
# solution("conv_db", now=True)

# %% [markdown]
# **dw.** First with numbers: two rows of cols, three columns, and two channels out. Write y[0, 1] and y[1, 1] as sums.
# Where does w[1, 1] occur, and what is it multiplied by?

# %%
small_cols = np.array([[1.0, 2.0, 0.0], [3.0, 5.0, 4.0]])
small_dy = np.array([[0.0, 10.0], [0.0, 100.0]])
quotient = numeric(lambda v: np.sum((small_cols @ v) * small_dy), np.zeros((3, 2)), 1e-5)
print("y[0, 1] = 1 w[0, 1] + 2 w[1, 1] + 0 w[2, 1], and dy[0, 1] = 10")
print("y[1, 1] = 3 w[0, 1] + 5 w[1, 1] + 4 w[2, 1], and dy[1, 1] = 100")
print(f"so dw[1, 1] = 2 * 10 + 5 * 100 = {2 * 10 + 5 * 100}; numeric: {quotient[1, 1]:.3f}")

# %% [markdown]
# Now in general: y = cols @ w, so y[r, o] is the sum over p of cols[r, p] w[p, o]. How fast does y[r, o]
# grow with w[p, o]? By cols[r, p]. The weight w[p, o] was used in **every row** r, so its gradient is a sum over the
# rows. Write that sum as a matrix product; the shapes leave only one way to do it.
#
# ### Your turn: `conv_dw`
#
# 12 minutes, difficulty 2.

# %% tags=["exercise", "conv_dw"]
# exercise: conv_dw

# %%
check(conv_dw)

# %%
# hint("conv_dw")
# solution("conv_dw", now=True)

# %% [markdown]
# Now use the tool. (`im2col` and `conv_product` are yours if they passed in lesson 02 and that notebook is saved beside
# this one.) To turn the output into one number, take `L = sum(y * dy)` with random numbers dy: the gradient of y is
# then dy itself.

# %%
rng = np.random.default_rng(0)
rows_of, product = yours_or_ours("im2col"), yours_or_ours("conv_product")
dw_of, db_of = yours_or_ours("conv_dw"), yours_or_ours("conv_db")

x = rng.normal(size=(2, 5, 7, 3))
w, b = rng.normal(size=(3, 3, 3, 4)), rng.normal(size=4)
dy = rng.normal(size=(2, 5, 7, 4))  # a window of 3, stride 1, padding 1 keeps the size 5 x 7


def conv(x, w, b):
    return product(rows_of(x, 3, 1, 1), w, b).reshape(2, 5, 7, 4)


dw, db = dw_of(rows_of(x, 3, 1, 1), dy, w.shape), db_of(dy)
quotient_w = numeric(lambda v: np.sum(conv(x, v, b) * dy), w, 1e-5)
quotient_b = numeric(lambda v: np.sum(conv(x, w, v) * dy), b, 1e-5)
print(f"dw: relative error {relative_error(dw, quotient_w):.0e}")
print(f"db: relative error {relative_error(db, quotient_b):.0e}")

# %% [markdown]
# **dx.** One pixel lies under many windows. Each window used it, so each sends something back, and what counts is the
# sum. How many windows is that? Count them:

# %%
from minicoord.kernels.im2col import col2im as library_col2im


def windows_over(k, stride, pad):
    ones = np.ones((1, 6, 8, 1))
    count = library_col2im(
        np.ones_like(rows_of(ones, k, stride, pad)), ones.shape, k, stride, pad
    )
    return count[0, ..., 0]


page.show(
    lesson03.windows_over_pixels(
        {
            "window 2, stride 2": windows_over(2, 2, 0),
            "window 3, stride 1": windows_over(3, 1, 0),
            "the same, padding 1": windows_over(3, 1, 1),
            "window 3, stride 2": windows_over(3, 2, 0),
        }
    ),
    alt="Four images of 6 x 8 pixels with the number of windows over each pixel: 1 everywhere "
    "for windows side by side; from 1 in the corners to 9 in the middle for a window of 3 with "
    "stride 1; 0 where a stride leaves pixels uncovered.",
)

# %% [markdown]
# What to see: in the second image, nine in the middle and one in the corner. In the last image, the last row and the
# last column lie under no window at all: their gradient is zero, because the output does not depend on them.
#
# The counts were made with the library's `col2im`, the backward pass of `im2col`. Where im2col **reads** a pixel into a
# row, col2im **adds** the number at that position of the row to the pixel.
#
# Two minutes with numbers before you write it. The pixels of an image of 3 x 3 are numbered from 0 to 8, and a window of
# 2 x 2 moves over it: four rows. Next to each row are the four numbers that come back. What does pixel 4, the middle,
# receive?

# %%
numbered = np.arange(9.0).reshape(1, 3, 3, 1)
which = rows_of(numbered, 2, 1, 0).astype(int)
back = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [10, 20, 30, 40], [50, 60, 70, 80]])
for pixels, numbers in zip(which, back, strict=True):
    print("pixels", pixels, "  receive", numbers)
at = [int(numbers[list(pixels).index(4)]) for pixels, numbers in zip(which, back, strict=True)]
print("pixel 4 receives", " + ".join(map(str, at)), "=", sum(at))
corner = back[which == 0]
print("pixel 0 receives", " + ".join(map(str, corner)), "=", corner.sum())

# %%
animation.play(
    lambda done: lesson03.added_back(back, (3, 3), 2, done),
    range(5),
    alt="Four rows of four numbers, and an image of 3 x 3 pixels that begins with zeros. One row "
    "after the other is added to the pixels under its window of 2 x 2. At the end pixel 4, the "
    "middle, holds 81, and pixel 0, a corner, 1.",
)

# %% [markdown]
# What to see: the middle is in every row, each time at a different position, so four numbers add up there. A corner
# is in one row only. It is the moving picture of lesson 02 run backward: im2col reads, col2im adds.
#
# ### Your turn: `col2im`
#
# 20 minutes, difficulty 3.

# %% tags=["exercise", "col2im"]
# exercise: col2im

# %%
check(col2im)

# %%
# hint("col2im")
# solution("col2im", now=True)

# %% [markdown]
# There is a test for such pairs that needs no eps. im2col is linear, so it is multiplication by a (huge) matrix A;
# col2im is multiplication by its transpose. Then for any x and c the two numbers `sum(im2col(x) * c)` and `sum(x *
# col2im(c))` must be equal: mathematicians call one the **adjoint** of the other.

# %%
back_to_image = yours_or_ours("col2im")
cols_shape = rows_of(x, 3, 2, 1).shape
c = rng.normal(size=cols_shape)
left = np.sum(rows_of(x, 3, 2, 1) * c)
right = np.sum(x * back_to_image(c, x.shape, 3, 2, 1))
print(f"sum(im2col(x) * c) = {left:.12f}")
print(f"sum(x * col2im(c)) = {right:.12f}")

# %% [markdown]
# ### Your turn: `conv_dx`
#
# 20 minutes, difficulty 3. Since `y = cols @ w`, the gradient of cols is `dy @ w.T`, and col2im brings it back to the
# image. There is also a way without any rows, kernel pixel by kernel pixel. Take the one that you find clearer.

# %% tags=["exercise", "conv_dx"]
# exercise: conv_dx

# %%
check(conv_dx)

# %%
# hint("conv_dx")
# solution("conv_dx", now=True)

# %%
dx_of = yours_or_ours("conv_dx")
dx = dx_of(dy, w, x.shape, 1, 1)
quotient = numeric(lambda v: np.sum(conv(v, w, b) * dy), x, 1e-5)
print(f"dx: relative error {relative_error(dx, quotient):.0e}")

# %% [markdown]
# ## What a wrong gradient looks like
#
# Here are two common mistakes: the kernel is flipped, or the padding is cut off on one side only. The tool calls both
# of them *wrong*. A figure tells you more, because it shows **where**.

# %%
flipped = dx_of(dy, w[::-1, ::-1], x.shape, 1, 1)
one_side = dx_of(dy, w, (2, 7, 9, 3), 1, 0)[:, :5, :7]
for name, wrong in (("flipped", flipped), ("cut at one side", one_side)):
    print(f"{name}: relative error {relative_error(wrong, quotient):.2f}")
page.show(
    lesson03.where_gradients_differ(
        {
            "right": (dx[0, ..., 0], quotient[0, ..., 0]),
            "flipped": (flipped[0, ..., 0], quotient[0, ..., 0]),
            "cut at one side": (one_side[0, ..., 0], quotient[0, ..., 0]),
        }
    ),
    alt="Gradient, difference quotient and their difference for one channel of one image: "
    "nothing for the right one, large differences everywhere for the flipped kernel and for the "
    "padding cut at one side.",
)

# %% [markdown]
# What to see: each row has a colour scale of its own, so compare patterns and not shades. In the bottom row the
# gradient is the right one, shifted down and to the right by one pixel. Such patterns tell you the mistake before you
# have read your code again.
#
# ## Your code in the library
#
# `minicoord` has such a layer ready-made, and a gradient check that knows about kinks. It runs twice below: once with
# the library's kernels, and once with five functions of lessons 02 and 03 in their place, yours where they have passed.

# %%
from minicoord import Conv2D, gradcheck

functions = {
    "im2col": rows_of,
    "conv_product": product,
    "conv_db": db_of,
    "conv_dw": dw_of,
    "col2im": back_to_image,
}
layer = Conv2D(3, 4, kernel_size=3, stride=2, rng=0)
print("With the library's kernels:", gradcheck(layer, x), sep="\n")
with using(**functions) as calls:
    print("\nWith the functions of these lessons:", gradcheck(layer, x), sep="\n")
page.table([{"function": id, "calls": count} for id, count in calls.items()])

# %% [markdown]
# What to see: the check evaluates the layer twice for every number in x, w and b, so the forward functions were called
# hundreds of times. One call of each backward function gave all the gradients at once.
#
# ## What you now know
#
# - From dy, and from its own x and w, a layer computes dw, db and dx. What was used several times gets the sum.
# - dw is `cols.T @ dy`, dx is `dy @ w.T` sent back by col2im, and db is a sum.
# - Check gradients in float64 by central differences with eps near 1e-5; below 1e-7 is right, above 1e-4 is wrong.
# - col2im is the adjoint of im2col: one reads, the other adds.
#
# ## To think about
#
# <details><summary>1. Why do we not train with numerical gradients?</summary>
#
# They take two evaluations of the network for every weight. The CoordConv classifier has 7,553 weights: some 15,000
# forward passes for one step. The backward pass gives all gradients at once, for about the price of two forward passes.
#
# </details>
#
# <details><summary>2. A convolution with stride 2 and a window of 1 uses only a quarter of the pixels. What is dx at the
# others, and does a gradient check notice if it is wrong there?</summary>
#
# It is 0: the output does not depend on them. The check notices, because it compares every entry of dx, those that
# should be 0 as well. A training run would not: what is wrong there flows into the layer before, and is mistaken for
# something that it should change.
#
# </details>
#
# <details><summary>3. A gradient check in float64 passes, and the same code trains badly in float32. Where would you
# look?</summary>
#
# For something that needs more digits than float32 has: logits that overflow, a loss that is a small difference of
# large numbers, an eps that is lost beside what it is added to, a sum over millions of terms. The check has shown that
# the mathematics is right; what is left is the arithmetic.
#
# </details>
#
# ## Where the paper says it
#
# The paper takes backpropagation for granted. Its layers are convolutions of the kind that you have taken backward here;
# a CoordConv is one as well, with two more channels in (lesson 05).
#
# **Next**: [03b · Pooling, softmax, Adam](03b_pooling_softmax_adam.ipynb), and then a network that trains on what you
# wrote.
