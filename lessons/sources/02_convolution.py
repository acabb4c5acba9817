# %% [markdown]
# # 02 · Convolution from scratch
#
# A convolution asks one small question at every position of an image. You write it three times: straight from its
# definition, then with the pixels arranged in rows, then as a single matrix product. At the end you see what it can
# never know.
#
# **After this lesson you can**
# - say how large the output is, for any window, stride and padding
# - write a convolution in loops, and the same convolution as im2col and one product
# - say why the second is faster, and what it costs
# - measure that a convolution is translation equivariant, and where it is not
#
# **Minutes**: 58 for the five exercises, 35 for the rest. The cells themselves run in less than half a minute with our
# functions; with plain loops of your own, up to a minute.
#
# **Builds on**: [00](00_start_here.ipynb) (the number of a pixel).

# %%
import time

import numpy as np

from minicoord.learn import check, hint, solution, using, yours_or_ours
from minicoord.learn.lessons import animation, challenge, lesson02, page

# %% [markdown]
# ## One question, asked everywhere
#
# An image is a grid of numbers. A **kernel** is a smaller grid. Lay the kernel on the image, multiply each pixel by the
# number on top of it, and add everything up: that is **one** pixel of the output. Then move the kernel on by one pixel
# and ask again.
#
# The kernel below has 1 on its left and -1 on its right. **Predict**: for which windows will the sum be large, for
# which negative, for which zero?

# %%
letter = lesson02.LETTER
edges = np.array([[1, 0, -1], [1, 0, -1], [1, 0, -1]], dtype=np.float64)
answer = np.array(
    [[np.sum(letter[a : a + 3, b : b + 3] * edges) for b in range(6)] for a in range(4)]
)

page.interact(
    lambda position: lesson02.window_at(letter, edges, answer, position),
    states=[{"position": 0}, {"position": 8}, {"position": 23}],
    position=(0, 23),
)

# %% [markdown]
# What to see: the output is an image again. It is coloured where the left of the window differs from the right: purple
# where there is more on the left, orange where there is more on the right. The kernel has found the vertical edges of
# the letter, wherever they are, without being told where to look.
#
# Two facts to keep. The output is **smaller**, 4 x 6 instead of 6 x 8: a window of 3 cannot be centred on a border
# pixel. And the **same nine numbers** were used 24 times. Nine numbers are all that this layer has to learn.

# %% [markdown]
# ## How many positions?
#
# Take one axis alone. The **stride** is how far the window moves from one position to the next. **Padding** puts zeros
# around the image, so that the window can be centred on the border pixels too.

# %%
page.interact(
    lambda n, k, stride, pad: lesson02.positions_on_an_axis(n, k, stride, pad),
    states=[
        {"n": 8, "k": 3, "stride": 1, "pad": 0},
        {"n": 8, "k": 3, "stride": 1, "pad": 1},
        {"n": 8, "k": 3, "stride": 2, "pad": 0},
    ],
    n=(5, 14),
    k=(1, 5),
    stride=(1, 4),
    pad=(0, 3),
)

# %% [markdown]
# What to see: with padding 1, a window of 3 has as many positions as there are pixels. With stride 2 the window cannot
# take another whole step at the end; the last pixel is left over.
#
# ### Your turn: `conv_out_size`
#
# 5 minutes, difficulty 1. One line, but it is easy to be off by one.

# %% tags=["exercise", "conv_out_size"]
# exercise: conv_out_size

# %%
check(conv_out_size)

# %%
# hint("conv_out_size")
# solution("conv_out_size", now=True)

# %% [markdown]
# Four layers that you will meet in this course, all on 64 pixels:

# %%
out_size = yours_or_ours("conv_out_size")
page.table(
    [
        {
            "layer": name,
            "window": k,
            "stride": s,
            "padding": p,
            "64 pixels become": out_size(64, k, s, p),
        }
        for name, k, s, p in (
            ("CoordConv classifier, every layer", 1, 1, 0),
            ("a layer that keeps the size", 3, 1, 1),
            ("a layer that halves it", 4, 2, 1),
            ("a square of 9 x 9 around a pixel", 9, 1, 4),
        )
    ]
)

# %% [markdown]
# ## Channels, images, and the definition
#
# Real images have several channels, and come in batches. In this library the channels come **last**: a batch is an
# array `(N, H, W, C)`: image, row, column, channel. A kernel is `(k, k, c_in, c_out)`. For each channel that goes
# **out** it has one stack of weights as deep as the channels that come **in**, and the sum runs over all of them:
#
#     y[n, i, j, o] = b[o] + sum over ki, kj, c of  x[n, i * s + ki, j * s + kj, c] * w[ki, kj, c, o]
#
# Here s is the stride, and x is already padded. Read it aloud once; you will write exactly this.
#
# (In mathematics a convolution flips the kernel first. Deep learning does not, and kept the name: strictly speaking,
# this is a cross-correlation.)
#
# ### Your turn: `conv_loops`
#
# 20 minutes, difficulty 2. Do not try to be fast. This is the version that the others will be checked against.

# %% tags=["exercise", "conv_loops"]
# exercise: conv_loops

# %%
check(conv_loops)

# %%
# hint("conv_loops")
# solution("conv_loops", now=True)

# %% [markdown]
# Three kernels in one layer, on an image of a filled square and an outlined one. The three outputs are three channels.

# %%
slow_conv = yours_or_ours("conv_loops")

scene = np.zeros((1, 20, 28, 1))
scene[0, 4:13, 4:13] = 1
scene[0, 6:17, 16:25] = 1
scene[0, 8:15, 18:23] = 0
kernels = np.stack([edges, edges.T, np.full((3, 3), 1 / 9)], axis=-1)
kernels = kernels.reshape(3, 3, 1, 3)  # one channel in, three out
found = slow_conv(scene, kernels, np.zeros(3), 1, 1)[0]
page.show(
    lesson02.pictures(
        {
            "the image": scene[0, ..., 0],
            "left minus right": found[..., 0] / 3,
            "top minus bottom": found[..., 1] / 3,
            "mean of nine": found[..., 2],
        }
    ),
    alt="A filled square and an outlined one; the first output is bright and dark at vertical "
    "edges, the second at horizontal ones, the third is a blurred image.",
)

# %% [markdown]
# What to see: bright where the side that counts as positive is the brighter one, dark where it is the darker one, grey
# where both sides are alike.
#
# **Count the work.** Each output number takes k * k * c_in products. A 3 x 3 layer from 32 to 64 channels on one 64 x
# 64 image takes

# %%
products = 64 * 64 * 64 * 3 * 3 * 32
a, total, began = np.ones(100_000), 0.0, time.perf_counter()
for k in range(len(a)):
    total += a[k] * a[k]
each = (time.perf_counter() - began) / len(a)
print(f"{products:,} products; one by one in Python: about {products * each:.0f} seconds")

# %% [markdown]
# For **one** layer and **one** image. So the loops have to go.

# %% [markdown]
# ## Put the windows into rows
#
# The trick is to do all the rearranging first, and all the arithmetic afterwards. Write down what lies under the window
# at its first position, as one row of numbers. Below it, what lies under the second. And so on.

# %%
windows = np.lib.stride_tricks.sliding_window_view(letter, (3, 3))
rows_of_letter = windows.reshape(-1, 9)

page.interact(
    lambda position: lesson02.row_of_a_position(letter, rows_of_letter, 3, position),
    states=[{"position": 0}, {"position": 1}, {"position": 8}],
    position=(0, 23),
)

# %% [markdown]
# What to see: move the window by one pixel, and its new row holds mostly the same numbers, shifted. A pixel two or more
# pixels from the border is written down nine times, one in the corner once. Here 48 pixels become 24 rows of 9 numbers;
# in a large image nearly all pixels are far from the border. That is the price: for a 3 x 3 window the matrix is up to
# nine times as large as the image.
#
# The same as a moving picture: an image of 4 x 5 numbers, six windows, six rows.

# %%
small = np.arange(1.0, 21.0).reshape(4, 5)
animation.play(
    lambda done: lesson02.rows_so_far(small, 3, done),
    range(7),
    alt="A window of 3 x 3 moves over an image of the numbers 1 to 20 in 4 rows and 5 columns. At "
    "each of its six positions, its nine numbers become the next row of a matrix: "
    "1 2 3 6 7 8 11 12 13 first, 8 9 10 13 14 15 18 19 20 last.",
)

# %% [markdown]
# What to see: the 8 lies under every window, so it is in all six rows, each time in a different column. The 1 in the
# corner is in the first row only.
#
# ### Your turn: `im2col_index`
#
# 5 minutes, difficulty 1, a puzzle for pencil and paper. When there are several images and channels, in which row and
# which column of this matrix is a given number? It is `pixel_index` of lesson 00, twice.

# %% tags=["exercise", "im2col_index"]
# exercise: im2col_index

# %%
check(im2col_index)

# %%
# hint("im2col_index")
# solution("im2col_index", now=True)

# %% [markdown]
# ### Your turn: `im2col`
#
# 20 minutes, difficulty 2. Now fill the whole matrix. You may use the indices, or let NumPy copy whole windows.

# %% tags=["exercise", "im2col"]
# exercise: im2col

# %%
check(im2col)

# %%
# hint("im2col")
# solution("im2col", now=True)

# %% [markdown]
# Both exercises describe the same matrix. So look up one number both ways:

# %%
rows_of = yours_or_ours("im2col")
index_of = yours_or_ours("im2col_index")

batch = np.random.default_rng(0).normal(size=(2, 5, 7, 3))
matrix = rows_of(batch, 3, 1, 0)
row, column = index_of((1, 2, 4), (0, 1, 2), 3, 5, 3, 3)
print("shape of the matrix:", matrix.shape)
print(
    f"row {row}, column {column}:",
    matrix[row, column],
    "  in the image:",
    batch[1, 2 + 0, 4 + 1, 2],
)

# %% [markdown]
# ## One product
#
# Now one output number is a **row** of the matrix times a **column** of weights. All rows times all columns at once is
# a matrix product:

# %%
rng = np.random.default_rng(0)
three = rng.normal(size=(3, 3, 1, 3))
page.show(
    lesson02.one_product(
        rows_of_letter, three.reshape(9, 3), rows_of_letter @ three.reshape(9, 3)
    ),
    alt="The im2col matrix of 24 rows and 9 columns, times a matrix of 9 rows and 3 columns, gives "
    "24 rows and 3 columns; one row, one column and the number that they make are framed.",
)

# %% [markdown]
# What to see: the orange row is one window position, the blue column is one kernel, and the green number is what that
# kernel answers there.
#
# ### Your turn: `conv_product`
#
# 8 minutes, difficulty 1. The kernel has to become a matrix whose rows are in the same order as the columns of `cols`.

# %% tags=["exercise", "conv_product"]
# exercise: conv_product

# %%
check(conv_product)

# %%
# hint("conv_product")
# solution("conv_product", now=True)

# %% [markdown]
# Three ways to the same answer: the loops, the rows and the product, and the library's own kernel.

# %%
from minicoord.kernels.convolution import conv2d

product = yours_or_ours("conv_product")


def conv_rows(x, w, b, stride, pad):
    """Return the convolution as rows and one product."""
    k = w.shape[0]
    y = product(rows_of(x, k, stride, pad), w, b)
    return y.reshape(
        len(x), out_size(x.shape[1], k, stride, pad), out_size(x.shape[2], k, stride, pad), -1
    )


x = rng.normal(size=(2, 9, 13, 4)).astype(np.float32)
w = rng.normal(size=(3, 3, 4, 5)).astype(np.float32)
b = rng.normal(size=5).astype(np.float32)
ways = {"loops": slow_conv, "rows and product": conv_rows, "library": conv2d}
results = {name: way(x, w, b, 2, 1) for name, way in ways.items()}
for name, result in results.items():
    off = np.abs(result - results["loops"]).max()
    print(f"{name}: shape {result.shape}, differs from the loops by at most {off:.1e}")

# %% [markdown]
# The differences are not exactly zero, and that is not a mistake: float32 has seven digits, and the sums were added up
# in a different order.
#
# **Predict** before you run the next cell: how many times faster than the loops are the rows and the product? And the
# library, which never builds the whole matrix, only one tile at a time that fits into the processor's cache?

# %%
x = rng.normal(size=(1, 32, 32, 16)).astype(np.float32)
w = rng.normal(size=(3, 3, 16, 16)).astype(np.float32)
b = np.zeros(16, np.float32)


def best_seconds(way):
    """Return the shortest of 20 times, or of fewer if they take long, after one call to warm up."""
    way(x, w, b, 1, 1)
    seconds = []
    while len(seconds) < 20 and sum(seconds) < 0.5:
        began = time.perf_counter()
        way(x, w, b, 1, 1)
        seconds.append(time.perf_counter() - began)
    return min(seconds)


seconds = {name: best_seconds(way) for name, way in ways.items()}
page.show(
    lesson02.seconds_as_bars(seconds),
    alt="Milliseconds of one convolution in three ways, on a logarithmic scale: "
    + ", ".join(f"{name} {1000 * value:,.2f}" for name, value in seconds.items()),
)

# %% [markdown]
# What to see: no arithmetic was saved. All three multiply the same numbers. The loops spend their time on everything
# **around** the products; matrix products are what processors and their libraries are best at. (The times come from the
# machine that made this page, which had other work to do; run the cell to see yours. The factors will differ too. What
# remains is that both steps gain a lot.) Lesson 08 shows how the last step is made.

# %% [markdown]
# ## What shifts with the image
#
# The kernel asks the same question everywhere. So if the image moves, the answers should move with it, and otherwise
# stay the same. This is **translation equivariance**: shifting first and then convolving gives the same as convolving
# first and then shifting.
#
# See for yourself: move the letter to the right, and compare.

# %%
picture = np.zeros((14, 20))
picture[3:9, 4:12] = np.kron(letter[1:5, 1:5], np.ones((2, 2)))[:6]
picture[9:11, 4:6] = 1
blur_and_edge = rng.normal(size=(5, 5, 1, 1))


def shifted(image, columns):
    """Return the image moved to the right; zeros come in from the left."""
    moved = np.zeros_like(image)
    moved[:, columns:] = image[:, : image.shape[1] - columns]
    return moved


def convolved(image, stride=1):
    return conv_rows(image[None, :, :, None], blur_and_edge, np.zeros(1), stride, 2)[0, ..., 0]


def compare(columns):
    first, then = convolved(shifted(picture, columns)), shifted(convolved(picture), columns)
    return lesson02.pictures(
        {
            "the image, moved": 8 * shifted(picture, columns),
            "moved, then convolved": first,
            "convolved, then moved": then,
            "difference": first - then,
        },
        difference="difference",
    )


page.interact(
    compare,
    lambda columns: (
        f"A letter moved by {columns} columns: moved first, convolved first, and how they differ."
    ),
    states=[{"columns": 2}, {"columns": 9}],
    columns=(0, 14),
)

# %% [markdown]
# What to see: as long as the whole letter is on the image, the difference is zero. Once part of it has left, the two
# orders disagree near the border: one convolves what is left of the letter, the other has convolved all of it. (The
# letter may touch the border, because the image is zero around it, like the padding. What padding does to other images
# comes below.)
#
# Now measure it, shift by shift, and with stride 2 as well.


# %%
def largest_difference(columns, stride):
    """Return how far apart the two orders are; a stride moves the output by columns / stride."""
    first = convolved(shifted(picture, columns), stride)
    then = shifted(convolved(picture, stride), columns // stride)
    return float(np.abs(first - then).max())


page.table(
    [
        {
            "moved by (columns)": columns,
            "whole letter on the image": 12 + columns <= 20,
            "largest difference, stride 1": largest_difference(columns, 1),
            "largest difference, stride 2": largest_difference(columns, 2),
        }
        for columns in range(11)
    ]
)

# %% [markdown]
# Stride 1: equivariant to the last digit, until the letter is cut off. Stride 2: only for **even** shifts. Between two
# window positions lies a pixel where the window never stops, and no output can move by half a pixel. So a layer of
# stride 2 is equivariant for shifts by a multiple of 2 pixels; two such layers, for multiples of 4; three, for
# multiples of 8.
#
# ## What a convolution cannot know
#
# The same strength is a weakness. If the answer at a position depends on **what** is seen there and never on **where**
# it is, then a network of convolutions cannot answer the question "where am I?". On an image that is the same
# everywhere, every pixel gives the same answer.
#
# Except near the border. Take an image of ones, and apply the mean of nine, layer after layer, with padding.
# **Predict**: how far from the border does a pixel notice it after 4 layers?

# %%
mean_of_nine = np.full((3, 3, 1, 1), 1 / 9)
image, after = np.ones((1, 24, 32, 1)), {}
for layer in range(1, 9):
    image = conv_rows(image, mean_of_nine, np.zeros(1), 1, 1)
    if layer in (1, 2, 4, 8):
        after[layer] = image[0, ..., 0]
        unchanged = np.isclose(image[0, 12, :, 0], 1)
        print(
            f"layers: {layer}; distance in pixels at which the border is noticed: "
            f"{np.argmax(unchanged)}"
        )

page.show(
    lesson02.border_creeps_in(after),
    alt="An image of ones after 1, 2, 4 and 8 layers of 3 x 3 with padding: "
    "a dim rim that grows by a pixel each layer.",
)

# %% [markdown]
# What to see: one pixel per layer, and ever fainter. This is all that a convolution of stride 1 learns about position:
# a rumour of the border. Keep it in mind for lesson 04, where a network grows its image from a single pixel and has to
# learn its positions one by one, and for lesson 05, where two channels tell it.

# %% [markdown]
# ## Your code in the library
#
# One last image, made by your functions (ours where yours have not passed) inside the library's own layer. An image
# with one lit pixel goes in; the kernel is a 9 x 9 square of ones. **Predict** what comes out.

# %%
from minicoord import Conv2D
from minicoord.datasets import not_so_clevr

data = not_so_clevr()
some = [0, 1460, 3135]
pixels, squares = data.one_hot()[some], data.squares()[some]

layer = Conv2D(1, 1, kernel_size=9)
layer.params["w"][:] = 1
with using(im2col=rows_of, conv_product=product) as calls:
    painted = layer.forward(pixels)
print("calls:", dict(calls))
print("the same as the squares of lesson 01:", np.array_equal(painted, squares))

# %%
page.show(
    lesson02.pictures(
        {
            f"{name} {n}": image[n, ..., 0]
            for n in range(3)
            for name, image in (("input", pixels), ("output", painted))
        },
        height=1.9,
    ),
    alt="Three images with one white pixel each, and beside each the output: a white square of "
    "9 x 9 around that pixel.",
)

# %% [markdown]
# What to see: every square of the paper's data set is the convolution of a single pixel. Drawing a square is easy for a
# convolution, once it has the pixel. Finding the pixel is the hard part.
#
# ## What you now know
#
# - A window of k on n pixels with stride s and padding p has (n + 2p - k) // s + 1 positions.
# - A convolution is one small product at every position; with the windows in rows it is one large matrix product. The
#   rows take up to k * k times the memory of the image, and buy the speed of matrix products.
# - It is translation equivariant: exactly, away from the border and for shifts by multiples of the stride.
# - It does not know where on the image it is.
#
# ## To think about
#
# <details><summary>1. What does im2col do for a kernel of 1 x 1, and what does that say about such a convolution?</summary>
#
# With stride 1 and no padding it copies the image: each row is one pixel with its channels. So a 1 x 1 convolution is
# `x.reshape(-1, c_in) @ w`, the same small matrix at every pixel. The paper's CoordConv classifier consists of nothing
# else: each pixel thinks for itself.
#
# </details>
#
# <details><summary>2. Two 3 x 3 layers, one after the other, see 5 x 5 pixels. Why not use one 5 x 5 layer?</summary>
#
# Two 3 x 3 layers have 18 weights per pair of channels instead of 25, and a ReLU, max(z, 0), between them, so they can express more
# than a sum. One 5 x 5 layer can be any weighted sum of 25 pixels; two 3 x 3 layers without the ReLU can be only some
# of these.
#
# </details>
#
# <details><summary>3. Suppose the padding repeated the border pixels instead of adding zeros. Would an image of ones
# still give away where its border is?</summary>
#
# No: every window would see ones, wherever it is. Zeros are a mark that says "here the world ends". In other images
# there is still a difference between a pixel that is repeated and one that is not, but it is a much weaker hint.
#
# </details>

# %% [markdown]
# ## A challenge
#
# Challenges are harder than exercises, optional and unmarked: `check` does not know them, and nothing later needs them.
#
# **im2col without a loop.** Write `im2col` once more, with no `for`, no `while` and no comprehension. 20 to 40 minutes.
#
# <details><summary>A direction</summary>
#
# There are two roads. Index arrays: for every entry of the matrix, its row and its column in the padded image, made by
# broadcasting `np.arange`, and then one indexing. Or a view: `sliding_window_view` with steps, and its axes in a different
# order.
#
# </details>


# %%
def im2col_without_a_loop(x, k, stride, pad):
    """Return the matrix that im2col returns, with no loop in the code."""
    return  # your challenge


challenge.without_a_loop(
    im2col_without_a_loop,
    rows_of,
    [(batch, 3, 1, 1), (batch, 2, 3, 0), (batch[:, :1], 1, 2, 2), (batch[:1, :, :4], 4, 1, 3)],
)

# %% [markdown]
# ## Where the paper says it
#
# The paper takes convolution for granted. That it asks the same question everywhere, and what follows from this, is the
# basis of its argument for CoordConv; Figure 3 shows the plain layer on its left. That a 9 x 9 square is a pixel
# convolved with ones is the recipe by which its data set is made.
#
# **Next**: [03 · Backprop by hand](03_backprop.ipynb), where everything you wrote here runs backward.
