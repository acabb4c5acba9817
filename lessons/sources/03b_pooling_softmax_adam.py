# %% [markdown]
# # 03b · Backprop by hand: pooling, softmax, Adam
#
# The second sitting of lesson 03. You have the gradients of a convolution and a tool that tests any gradient. What a
# whole network still lacks: max pooling, the loss, and a step for the weights. At the end a network trains on nothing
# but your functions.
#
# **After this lesson you can**
# - derive and write the gradients of max pooling, and of softmax with cross-entropy;
# - tell a kink from a mistake when a gradient check complains;
# - write a step of Adam, and say what its correction is for;
# - find the layer of a network whose gradient is wrong, even if training seems to work.
#
# **Minutes**: 64 for the five exercises, 30 for the rest. The cells themselves run in less than a minute with our
# functions; with plain loops of your own, two or more.
#
# **Builds on**: [02](02_convolution.ipynb) (`im2col`, convolution as a product), [03](03_backprop.ipynb) (the gradients
# of a convolution, and how to test one).

# %%
import numpy as np

from minicoord.learn import check, hint, solution, using, yours_or_ours
from minicoord.learn.lessons import challenge, lesson03, page

# %% [markdown]
# ## What you have so far
#
# The cell below fetches seven functions of lessons 02 and 03: yours where they have passed and those notebooks are saved
# beside this one, ours otherwise. To read on, two facts are enough. A layer receives dy, the gradient of its output, and
# owes dx, the gradient of its input, and those of its weights. And a relative error below 1e-7, in float64 and by
# central differences, means that a gradient is right.

# %%
numeric = yours_or_ours("numeric_gradient")
rows_of, product = yours_or_ours("im2col"), yours_or_ours("conv_product")
dw_of, db_of = yours_or_ours("conv_dw"), yours_or_ours("conv_db")
back_to_image, dx_of = yours_or_ours("col2im"), yours_or_ours("conv_dx")
relative_error = lesson03.relative_error
rng = np.random.default_rng(0)

# %% [markdown]
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
# **Large logits.** Call the right class k. Its probability is exp(z[k]) divided by the sum of all exp(z[j]). The loss is
# minus the logarithm of that:
#
# > log(sum of exp(z[j])) - z[k].
#
# The first part is called **log-sum-exp**. With z = 1000 it fails: `np.exp(1000)` is `inf`. But for any number m, exp(z[j])
# is exp(m) exp(z[j] - m). So exp(m) is a factor of every term of the sum, and the logarithm turns this factor into a summand:
#
# > log(sum of exp(z[j])) = m + log(sum of exp(z[j] - m)).
#
# Let m be the largest logit of the sample. Now every exponent is 0 or less, and one of the terms is exactly 1. So nothing
# overflows, and the sum is at least 1.

# %%
large = np.array([1000.0, 998.0, 0.0])
with np.errstate(over="ignore"):
    print("log(sum(exp(z)))         =", np.log(np.exp(large).sum()))
print("m + log(sum(exp(z - m))) =", large.max() + np.log(np.exp(large - large.max()).sum()))

# %% [markdown]
# ### Your turn: `softmax_cross_entropy`
#
# 12 minutes, difficulty 2. Logits may be large, and by a different amount in each sample.

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
# What is the correction for? Both means start at zero, so at first they are too small. That holds for v, which is in
# the denominator, even more than for m: the step is too **large**. Below, a parameter moves from 0 to the minimum of (w - 3)² / 2.

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
# The network is that of the first figure of lesson 03: two convolutions, the maximum over the whole image, and four
# logits from that. First comes the forward pass, then every line of it backward, in reverse order. One thing in it is
# new, and small: ReLU, max(z, 0), passes its gradient on where z was above 0 and stops it elsewhere, because there the
# output stays 0. That is the factor `(h1 > 0)`.


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
# `minicoord` has the same network ready-made. Train it twice: once as it is, and once with ten functions of lessons 02,
# 03 and 03b in place of its kernels. Every layer, the loss and the optimiser then call what you wrote, where it has
# passed.

# %%
from minicoord import (
    Adam,
    Conv2D,
    MaxPool2D,
    Sequential,
    fit,
    softmax_cross_entropy as library_loss,
)

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
    both["your functions, or ours"], share = train_library()
print(f"your functions, or ours: test {share:.1%} right")
page.table([{"function": id, "calls": count} for id, count in calls.items()])

# %%
page.show(
    lesson03.losses(both, chance=np.log(4), unit="epoch"),
    alt="Training loss against epochs for the library's kernels and for the functions of "
    "these lessons: one curve lies on the other.",
)

# %% [markdown]
# What to see: one curve on top of the other. There is nothing in the library's training that you have not written
# yourself. What it adds is speed; that is lesson 08.
#
# ## What you now know
#
# - Max pooling gives the whole gradient to the winner; at a tie there is a kink, and no gradient to check against.
# - Softmax with cross-entropy gives probability minus truth, divided by the number of samples. Take out the largest
#   logit of each sample first, and nothing overflows.
# - A step of Adam is about as long as the learning rate, however large the gradients are.
# - A network with a wrong gradient often trains. Only the check tells you.
#
# ## To think about
#
# <details><summary>1. At the start all logits are near zero. What is the loss of a classifier with k classes, and what is
# the gradient of the logit of the right class?</summary>
#
# Each class has the probability 1 / k, so the loss is ln k. The gradient is 1 / k - 1 for the right class and 1 / k for
# each other one, divided by the number of samples. A loss that starts far above ln k says that the initial weights are
# too large.
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
# <details><summary>3. Adam divides each step by the size of the gradient. So a parameter whose gradient is tiny moves as
# far as any other. When is that welcome, and when not?</summary>
#
# It is welcome where scales differ for no good reason: a loss in other units, a layer far from the output. It is not
# where a gradient is small because there is nothing left to learn: then Adam follows noise at full speed. That is why
# the learning rate is made smaller towards the end, and why there is an eps in the denominator.
#
# </details>

# %% [markdown]
# ## A challenge
#
# Harder than an exercise, optional and unmarked.
#
# **The way back through max pooling without a loop.** Write `max_pool_dx` once more, with no `for`, no `while` and no
# comprehension. Windows may overlap, and of equal numbers the first wins. 30 to 45 minutes.
#
# <details><summary>A direction</summary>
#
# `sliding_window_view` with steps has all windows in two axes. Put these two into one, and `argmax` along it finds each
# winner, the first of equals. Its position in the window and the position of the window give its row and column in the
# image. Then `np.add.at`, because a pixel may win more than once.
#
# </details>


# %%
def max_pool_dx_without_a_loop(dy, x, k, stride):
    """Return the gradient that max_pool_dx returns, with no loop in the code."""
    return  # your challenge


few_levels = rng.integers(0, 4, (2, 5, 7, 3)).astype(float)  # many of them are equal
challenge.without_a_loop(
    max_pool_dx_without_a_loop,
    pool_back,
    [
        (rng.normal(size=(2, 2, 3, 3)), few_levels, 2, 2),
        (rng.normal(size=(2, 3, 5, 3)), few_levels, 3, 1),
        (rng.normal(size=(2, 2, 3, 3)), few_levels, 1, 3),
    ],
)

# %% [markdown]
# ## Where the paper says it
#
# The paper takes backpropagation for granted. The runs that its code records were trained with Adam, with beta2 at
# 0.99, like the network of this lesson. Its classifiers end in softmax and cross-entropy (Figure 1), its CoordConv
# regressor in global pooling (Figure 5), which in the code is a maximum. Both gradients are now yours.
#
# **Next**: [04 · The failure](04_the_failure.ipynb), where all of this works, and the network still fails.
