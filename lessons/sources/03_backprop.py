# %% [markdown]
# # 03 · Backprop by hand
#
# A network learns because every layer can answer one question: *if my output should change like this, how should my
# input change?* You write that answer for each layer, and before that the tool that tells a right answer from a wrong
# one. At the end a network trains on nothing but your functions.
#
# **After this lesson you can**
# - test any gradient numerically, and interpret the error that you get;
# - derive and write the gradients of a convolution, of max pooling, and of softmax with cross-entropy;
# - say why gradients add up when a number was used several times;
# - find the layer of a network whose gradient is wrong, even if training seems to work.
#
# **Minutes**: 135 for the ten exercises, 55 for the rest. Take two evenings. The cells themselves run in less than a
# minute with our functions; with plain loops of your own, two or more.
#
# **Builds on**: 02 (`im2col`, convolution as a product).

# %%
import numpy as np

from minicoord.learn import check, hint, solution, using, yours_or_ours
from minicoord.learn.lessons import lesson03, page

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
# you will train below.
#
# **One rule is enough for all of it.** If a number was used in several places, its gradient is the **sum** of what
# comes back from each. Going forward, a number is copied; going backward, what returns is added up. Watch for the word
# *sum*: it is where most wrong gradients come from.

# %% [markdown]
# ## First the tool
#
# A gradient is easy to get wrong, and the error is hard to see. So build the test first. Change one number a little,
# and look at how much L changes: that is its gradient, by definition. It is slow, two evaluations for each number, and
# so simple that you can trust it.
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


def relative_error(a, b):
    """Return the largest difference of two gradients over the largest number in them."""
    return float(np.abs(a - b).max() / max(np.abs(a).max(), np.abs(b).max(), 1e-300))


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
# Where does w[1, 1] stand, and what is it multiplied by?

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
# 2 x 2 moves over it: four rows. Next to each row stand four numbers that come back. What does pixel 4, the middle,
# receive?

# %%
numbered = np.arange(9.0).reshape(1, 3, 3, 1)
which = rows_of(numbered, 2, 1, 0).astype(int)
back = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [10, 20, 30, 40], [50, 60, 70, 80]])
for pixels, numbers in zip(which, back, strict=True):
    print("pixels", pixels, "  come back", numbers)
at = [int(numbers[list(pixels).index(4)]) for pixels, numbers in zip(which, back, strict=True)]
print("pixel 4 receives", " + ".join(map(str, at)), "=", sum(at))
corner = back[which == 0]
print("pixel 0 receives", " + ".join(map(str, corner)), "=", corner.sum())

# %% [markdown]
# What to see: the middle stands in every row, each time at another position. A corner stands in one row only.
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
# ## Max pooling
#
# Max pooling keeps the largest number under each window. It has no weights, so it owes only dx.
#
# ### Your turn: `max_pool`
#
# 8 minutes, difficulty 1.

# %% tags=["exercise", "max_pool"]
# exercise: max_pool

# %%
check(max_pool)

# %%
# hint("max_pool")
# solution("max_pool", now=True)

# %% [markdown]
# Which pixels can change the maximum? Only the largest one. Change any other a little, and nothing happens. So the
# winner gets the whole gradient, and the others get nothing.

# %%
from minicoord.kernels.pooling import max_pool2d, max_pool2d_backward

numbers_in = rng.permutation(24).reshape(4, 6).astype(float)
coming = np.array([[1.0, -2.0, 3.0], [-1.0, 2.0, 1.0]])
_, places = max_pool2d(numbers_in[None, :, :, None], 2)
going = max_pool2d_backward(coming[None, :, :, None], places, (1, 4, 6, 1))[0, ..., 0]
page.show(
    lesson03.winners(numbers_in, coming, going, 2, 2),
    alt="An image of 4 x 6 numbers in six windows, six gradients, and an image in which each "
    "gradient sits where the largest number of its window was, with zeros elsewhere.",
)

# %% [markdown]
# ### Your turn: `max_pool_dx`
#
# 20 minutes, difficulty 3. Two details matter: equal pixels, and overlapping windows.

# %% tags=["exercise", "max_pool_dx"]
# exercise: max_pool_dx

# %%
check(max_pool_dx)

# %%
# hint("max_pool_dx")
# solution("max_pool_dx", now=True)

# %% [markdown]
# **A tie is a kink.** **Predict**: what is the difference quotient where two pixels are equally large?

# %%
pool, pool_back = yours_or_ours("max_pool"), yours_or_ours("max_pool_dx")
tie = np.array([[1.0, 1.0], [0.0, 0.0]])[None, :, :, None]
halves = numeric(lambda v: np.sum(pool(v, 2, 2)), tie, 1e-5)[0, ..., 0]
print("difference quotient:", halves.round(6).tolist())
print("max_pool_dx:        ", pool_back(np.ones((1, 1, 1, 1)), tie, 2, 2)[0, ..., 0].tolist())

# %% [markdown]
# Neither is wrong. Going up, the maximum follows; going down, the other pixel holds it: a slope of 1 on one side, 0 on
# the other, and the quotient takes the middle. At a kink there is no gradient, and a library has to choose. This one
# gives everything to the first pixel. If a gradient check complains about a few entries only, look for a kink first.
# ReLU has one at 0.
#
# ## Softmax and cross-entropy
#
# A classifier ends with one number per class, the **logits** z. Softmax turns them into probabilities, and the loss is
# minus the logarithm of the probability of the right class: 0 if the network was sure and right, large if it was sure
# and wrong.
#
# Move the sliders: what happens to the gradient when the right class (orange) wins, and when it loses?

# %%
from minicoord.nn.losses import softmax


def one_sample(right_logit, label):
    z = np.array([1.0, -0.5, 0.3, 0.8, -1.0])
    z[label] = right_logit
    p = softmax(z[None])[0]
    return lesson03.probabilities_minus_truth(z, p, p - (np.arange(5) == label), label)


page.interact(
    one_sample,
    lambda right_logit, label: (
        "Logits, softmax and gradient of five classes; "
        f"the right one, {label}, has logit {right_logit}."
    ),
    states=[{"right_logit": -2.0, "label": 1}, {"right_logit": 4.0, "label": 1}],
    right_logit=(-4.0, 6.0, 0.5),
    label=(0, 4),
)

# %% [markdown]
# What to see: the gradient is **probability minus truth**. A step goes against the gradient: so the right class is
# pulled up and the others are pushed down, the more probable ones the most. All entries add up to zero. Where the
# network is right, almost nothing is left to do.
#
# **Large logits.** The probability of class k is exp(z[k]) over the sum of all exp(z[j]). So the loss, minus its
# logarithm, is
#
# > log(sum of exp(z[j])) - z[k].
#
# The first part is called **log-sum-exp**. With z = 1000 it fails: `np.exp(1000)` is `inf`. But a common factor can be
# taken out of the sum: with m, the largest logit of the sample, it is m + log(sum of exp(z[j] - m)). Now no exponent is
# above 0, and one of the terms is exactly 1, so that nothing overflows and the logarithm is never that of 0.

# %%
large = np.array([1000.0, 998.0, 0.0])
with np.errstate(over="ignore"):
    print("log(sum(exp(z)))         =", np.log(np.exp(large).sum()))
print("m + log(sum(exp(z - m))) =", large.max() + np.log(np.exp(large - large.max()).sum()))

# %% [markdown]
# ### Your turn: `softmax_cross_entropy`
#
# 12 minutes, difficulty 2. Logits may be large, in every sample by another amount.

# %% tags=["exercise", "softmax_cross_entropy"]
# exercise: softmax_cross_entropy

# %%
check(softmax_cross_entropy)

# %%
# hint("softmax_cross_entropy")
# solution("softmax_cross_entropy", now=True)

# %% [markdown]
# ### Your turn: `softmax_cross_entropy_dx`
#
# 12 minutes, difficulty 2. You have seen what it is. Remember that the loss is a **mean** over the samples.

# %% tags=["exercise", "softmax_cross_entropy_dx"]
# exercise: softmax_cross_entropy_dx

# %%
check(softmax_cross_entropy_dx)

# %%
# hint("softmax_cross_entropy_dx")
# solution("softmax_cross_entropy_dx", now=True)

# %%
loss_of = yours_or_ours("softmax_cross_entropy")
loss_back = yours_or_ours("softmax_cross_entropy_dx")
z, answers = rng.normal(size=(6, 5)), rng.integers(0, 5, 6)
quotient_z = numeric(lambda v: loss_of(v, answers), z, 1e-5)
print(f"dz: relative error {relative_error(loss_back(z, answers), quotient_z):.0e}")
print(
    f"guessing among 5 classes costs {loss_of(np.zeros((1, 5)), np.array([2])):.3f}, the "
    "logarithm of 5"
)

# %% [markdown]
# Keep this in mind for lesson 04: guessing among 4,096 pixels costs ln 4096 = 8.32. A loss of 8.3 means that nothing
# was learned.
#
# ## The step: Adam
#
# With all gradients known, the weights move against them. Adam, the optimiser that trained the paper's toy tasks, keeps
# two running means: m of the gradient, v of its square. The step is the learning rate times m over the square root of
# v. So it is about as long as the learning rate, however large or small the gradients are.
#
# ### Your turn: `adam_step`
#
# 12 minutes, difficulty 2. Five lines. Most mistakes show only in the first steps, or only a little.

# %% tags=["exercise", "adam_step"]
# exercise: adam_step

# %%
check(adam_step)

# %%
# hint("adam_step")
# solution("adam_step", now=True)

# %% [markdown]
# What is the correction for? Both means start at zero, so at first they are too small, v even more so than m: the step
# is too **large**. Below, a parameter moves from 0 to the minimum of (w - 3)² / 2.

# %%
step = yours_or_ours("adam_step")


def path(corrected, scale=1.0):
    """Return the parameter at each of 60 steps, for a loss that is multiplied by scale."""
    at, m, v = np.zeros(1), np.zeros(1), np.zeros(1)
    places = [0.0]
    for t in range(1, 61):
        g = scale * (at - 3)
        counted = t if corrected else 10**9  # so late that nothing is left to correct
        at, m, v = step(at, g, m, v, counted, 0.1, 0.9, 0.999, 1e-8)
        places.append(float(at[0]))
    return np.array(places)


page.show(
    lesson03.first_steps({"Adam": path(True), "without correction": path(False)}, 3.0),
    alt="A parameter against steps: Adam rises evenly by about 0.1 per step and settles near 3; "
    "without the correction the first steps are several times as large, and it overshoots.",
)
same = np.abs(path(True) - path(True, scale=1000.0)).max()
print(f"the loss multiplied by 1000 changes the path of Adam by at most {same:.0e}")

# %% [markdown]
# What to see: without the correction the first steps are far too long. And a loss that is a thousand times as large
# makes no difference to Adam, while plain gradient descent would take steps a thousand times as long.
#
# ## All together: a network by hand
#
# The task: 12 x 12 pixels of noise, with one of four shapes somewhere in them.

# %%
images, labels = lesson03.four_shapes(400, seed=0)
test_images, test_labels = lesson03.four_shapes(400, seed=1)
page.show(
    lesson03.shapes(images[:8, ..., 0], [lesson03.SHAPES[k] for k in labels[:8]]),
    alt="Eight noisy images of 12 x 12 pixels with a shape each: square, cross, level bar or "
    "upright bar.",
)

# %% [markdown]
# The network is the one in the first figure: two convolutions, the maximum over the whole image, and four logits from
# that. First the forward pass, then every line of it backward, in reverse order. Read it line by line. One thing in it
# is new, and small: ReLU, max(z, 0), passes its gradient on where z was above 0 and stops it elsewhere, because there
# the output stays 0. That is the factor `(h1 > 0)`.


# %%
def new_weights(channels, dtype, seed=0):
    """Return the initial w1, b1, w2, b2, w3, b3."""
    draw, made = np.random.default_rng(seed), []
    for shape in ((3, 3, 1, channels), (3, 3, channels, channels), (1, 1, channels, 4)):
        scale = np.sqrt(2 / np.prod(shape[:3]))
        made += [(scale * draw.normal(size=shape)).astype(dtype), np.zeros(shape[3], dtype)]
    return made


def logits_of(weights, x):
    """Return the logits, and what the backward pass needs."""
    w1, b1, w2, b2, w3, b3 = weights
    cols1 = rows_of(x, 3, 1, 1)
    h1 = np.maximum(product(cols1, w1, b1), 0).reshape(*x.shape[:3], -1)
    cols2 = rows_of(h1, 3, 1, 1)
    h2 = np.maximum(product(cols2, w2, b2), 0).reshape(h1.shape)
    p = pool(h2, 12, 12)
    cols3 = rows_of(p, 1, 1, 0)
    return product(cols3, w3, b3), (cols1, h1, cols2, h2, p, cols3)


def gradients(weights, x, labels, conv_back=dx_of):
    """Return the loss and the gradients of all weights; conv_back is the dx of a convolution."""
    w1, _, w2, _, w3, _ = weights
    z, (cols1, h1, cols2, h2, p, cols3) = logits_of(weights, x)
    dz = loss_back(z, labels)[:, None, None, :]
    dw3, db3 = dw_of(cols3, dz, w3.shape), db_of(dz)
    dp = conv_back(dz, w3, p.shape, 1, 0)
    dh2 = pool_back(dp, h2, 12, 12) * (h2 > 0)
    dw2, db2 = dw_of(cols2, dh2, w2.shape), db_of(dh2)
    dh1 = conv_back(dh2, w2, h1.shape, 1, 1) * (h1 > 0)
    dw1, db1 = dw_of(cols1, dh1, w1.shape), db_of(dh1)
    return loss_of(z, labels), [dw1, db1, dw2, db2, dw3, db3]


# %% [markdown]
# **Check before you train.** And plant a mistake, to see what the check makes of it: on the way back through a
# convolution the kernel is flipped. **Predict**: which of the six gradients will be wrong?


# %%
def flipped_back(dy, w, x_shape, stride, pad):
    return dx_of(dy, w[::-1, ::-1], x_shape, stride, pad)


few, few_labels = images[:4].astype(np.float64), labels[:4]
weights = new_weights(3, np.float64)
found = {"right": gradients(weights, few, few_labels)[1]}
found["planted"] = gradients(weights, few, few_labels, flipped_back)[1]

table = []
for k, name in enumerate(("dw1", "db1", "dw2", "db2", "dw3", "db3")):

    def loss_with(v, k=k):
        changed = [v if other == k else weights[other] for other in range(6)]
        return loss_of(logits_of(changed, few)[0], few_labels)

    quotients = numeric(loss_with, weights[k], 1e-6)
    row = {
        version: f"{relative_error(grads[k], quotients):.0e}" for version, grads in found.items()
    }
    table.append({"gradient": name, **row})
page.table(table, caption="relative error")

# %% [markdown]
# What to see: only the first layer is wrong. The last convolution is 1x1, so there is nothing to flip; the one in the
# middle has right gradients of its own, but passes a wrong one on. A mistake shows in the layers that come **after** it
# on the way back. So walk back from the loss: the last layer whose own gradients are right is the one whose dx is
# wrong.
#
# Now train both, with three seeds each. **Predict**: will the one with the wrong gradient learn at all?


# %%
def train(conv_back, seed, epochs=10, batch=32):
    """Return the losses of all steps and the accuracy on the test images."""
    weights = new_weights(8, np.float32, seed)
    means = [(np.zeros_like(a), np.zeros_like(a)) for a in weights]
    order, losses, t = np.random.default_rng(seed), [], 0
    for _ in range(epochs):
        for some in np.array_split(order.permutation(len(images)), len(images) // batch):
            t += 1
            loss, grads = gradients(weights, images[some], labels[some], conv_back)
            losses.append(float(loss))
            for k, g in enumerate(grads):
                weights[k], *means[k] = step(weights[k], g, *means[k], t, 0.01, 0.9, 0.99, 1e-8)
    right = logits_of(weights, test_images)[0].argmax(axis=1) == test_labels
    return losses, right.mean()


curves, table = {}, []
for seed in range(3):
    for name, way in (("right gradient", dx_of), ("planted mistake", flipped_back)):
        losses, share = train(way, seed)
        curves.setdefault(name, losses)
        last = f"{np.mean(losses[-10:]):.2f}"
        table.append(
            {"seed": seed, "backward pass": name, "loss at the end": last, "test": f"{share:.0%}"}
        )
page.table(table)
page.show(
    lesson03.losses(curves, chance=np.log(4)),
    alt="Training loss against steps, seed 0, for the right gradient and for the planted mistake: "
    "both fall.",
)

# %% [markdown]
# What to see: **the loss falls with the wrong gradient, too.** The layers between the mistake and the loss have right
# gradients. They learn from whatever the first layer happens to deliver, and so the mistake hides. "It trains" proves
# nothing. Without the check you would blame the architecture, or the learning rate.

# %% [markdown]
# ## Your code in the library
#
# `minicoord` has the same network ready-made, and a gradient check that knows about kinks:

# %%
from minicoord import (
    Adam,
    Conv2D,
    MaxPool2D,
    Sequential,
    fit,
    gradcheck,
    softmax_cross_entropy as library_loss,
)

print(gradcheck(Conv2D(3, 4, kernel_size=3, stride=2, rng=0), x))

# %% [markdown]
# Now train it twice: once as it is, and once with ten functions of lessons 02 and 03 in place of its kernels. Every
# layer, the loss and the optimiser then call what you wrote, where it has passed.

# %%
functions = {
    "im2col": rows_of,
    "conv_product": product,
    "conv_db": db_of,
    "conv_dw": dw_of,
    "col2im": back_to_image,
    "max_pool": pool,
    "max_pool_dx": pool_back,
    "softmax_cross_entropy": loss_of,
    "softmax_cross_entropy_dx": loss_back,
    "adam_step": step,
}


def train_library(epochs=10):
    """Return the loss of each epoch, and the accuracy on the test images."""
    net = Sequential(
        [
            Conv2D(1, 8, kernel_size=3, activation="relu", rng=0),
            Conv2D(8, 8, kernel_size=3, activation="relu", rng=1),
            MaxPool2D(12),
            Conv2D(8, 4, kernel_size=1, rng=2),
        ]
    )
    adam = Adam(0.01, beta2=0.99)
    history = fit(
        net,
        library_loss,
        adam,
        images,
        labels,
        epochs=epochs,
        batch_size=32,
        seed=0,
        progress=False,
    )
    right = net.forward(test_images).reshape(len(test_images), -1).argmax(axis=1) == test_labels
    return [row["train_loss"] for row in history.rows], right.mean()


both = {}
both["the library's kernels"], share = train_library()
print(f"the library's kernels: test {share:.1%} right")
with using(**functions) as calls:
    both["the functions of this lesson"], share = train_library()
print(f"the functions of this lesson: test {share:.1%} right")
page.table([{"function": id, "calls": count} for id, count in calls.items()])

# %%
page.show(
    lesson03.losses(both, chance=np.log(4), unit="epoch"),
    alt="Training loss against epochs for the library's kernels and for the functions of this "
    "lesson: one curve lies on the other.",
)

# %% [markdown]
# What to see: one curve on top of the other. There is nothing in the library's training that you have not written
# yourself. What it adds is speed; that is lesson 08.
#
# ## What you now know
#
# - From dy, and from its own x and w, a layer computes dw, db and dx. What was used several times gets the sum.
# - dw is `cols.T @ dy`, dx is `dy @ w.T` sent back by col2im, db is a sum; max pooling gives everything to the winner;
#   softmax with cross-entropy gives probability minus truth.
# - Check gradients in float64 by central differences with eps near 1e-5; below 1e-7 is right, above 1e-4 is wrong.
# - A network with a wrong gradient often trains. Only the check tells you.
#
# ## Three questions to think about
#
# <details><summary>1. Why do we not train with numerical gradients?</summary>
#
# They take two evaluations of the network for every weight. The CoordConv classifier has 7,553 weights: some 15,000
# forward passes for one step. The backward pass gives all gradients at once, for about the price of two forward passes.
#
# </details>
#
# <details><summary>2. Max pooling passes the gradient to one pixel of the window, mean pooling to all of them. What
# does that mean for what is learned?</summary>
#
# With the maximum, only the position that answered most strongly is told to do better, so a network may come to answer
# at one position alone; a pixel that never wins never learns. With the mean all learn a little, and none ever becomes
# sharp. In lesson 06 a network stands or falls with this choice.
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
# The paper takes backpropagation for granted. The runs that its code records were trained with Adam, with beta2 at
# 0.99, like the network of this lesson. Its classifiers end in softmax and cross-entropy (Figure 1), its CoordConv
# regressor in global pooling (Figure 5), which in the code is a maximum. Both gradients are now yours.
#
# **Next**: [04 · The failure](04_the_failure.ipynb), where all of this works, and the network still fails.
