# %% [markdown]
# # 08 · Fast
#
# Everything that you have written so far works, and most of it is slow. This lesson is about the other half of
# writing a library: the same numbers, sooner. You compile a loop, split it among threads, watch two threads spoil a
# sum, and find out what a cache does. Every claim is measured here, on the machine that runs the notebook.
#
# **After this lesson you can**
# - find out where the time of a training step goes, and measure without fooling yourself;
# - compile a loop with Numba, and read what it says when it cannot;
# - split a loop among threads, spot a race in code, and fix it;
# - say why the order in which you walk through memory, and the size of a tile, decide how long it takes;
# - count how often a number is loaded for each multiplication, and keep sums in registers so that it is seldom;
# - say what minicoord does with all this, and where PyTorch is faster.
#
# **Minutes**: 75 for the four exercises, 55 for the rest. The cells run for about a minute with our
# functions, and hardly longer with yours, because they are compiled.
#
# **Builds on**: [02](02_convolution.ipynb) (convolution as a product), [03](03_backprop.ipynb) (the gradient of a
# bias), [05](05_coordconv.ipynb) (the CoordConv classifier).

# %%
import json
import os
import time
from functools import partial

# NumPy's own threads: one, so that its products can be compared with loops on one thread.
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["VECLIB_MAXIMUM_THREADS"] = "1"

import numba
import numpy as np
from numba import njit, prange

from minicoord import Adam, get_threads, set_threads, softmax_cross_entropy
from minicoord.kernels.backend.runtime import LAYER
from minicoord.learn import check, hint, solution, yours_or_ours
from minicoord.learn.lessons import lesson08, lesson08_drawings as drawings, page
from minicoord.system.paths import lessons_folder

median_seconds = lesson08.median_seconds
print(lesson08.how_busy())
print(f"{lesson08.most_threads()} threads, pool: {LAYER}, caches in kB: {lesson08.caches()}")

# %% [markdown]
# ## Where does the time go?
#
# Before you make anything faster, measure. The step below is one training step of the CoordConv classifier of lesson
# 05, with 16 images: forward through each layer, the loss, backward through each layer, then Adam.
#
# **Predict**: which part takes longest? The first layer, which makes the coordinates? The softmax over 4,096 pixels? Adam?

# %%
from minicoord.experiments.classification.painters import coordconv_painter

rng = np.random.default_rng(0)
classifier = coordconv_painter(0)
centres = rng.uniform(-1, 1, (16, 2)).astype(np.float32)
labels = rng.integers(0, 4096, 16)
seconds = lesson08.seconds_by_layer(
    classifier, softmax_cross_entropy, Adam(1e-4), centres, labels
)
page.show(drawings.layer_bars(seconds))

# %% [markdown]
# What to see: the convolutions with many channels on both sides take most of it, and the backward pass costs at
# least twice as much as the forward pass. It has two products, one for the gradient of the image and one for that of the
# kernel. Loss and Adam hardly count: the network has 7,553 parameters, and 65,536 pixels to compute in each layer.
#
# Look at the layer from 64 channels to 1, too. It has a sixteenth of the multiplications of the layer from 32 to 32,
# and takes far more than a sixteenth of its time. It has as many numbers to move: 64 channels are read, and in the
# backward pass 64 channels are written. **Arithmetic is one cost, moving numbers is the other.** The rest of this
# lesson is about these two.
#
# Three habits for every measurement here. The first call does not count: it compiles, and fetches the data. Take the
# **median** of several, because a machine has other work to do (the first cell says how much this one had). And compare
# **ratios** from one run; milliseconds belong to one machine on one day.

# %% [markdown]
# ## A loop in Python
#
# After each convolution come a bias and a ReLU. That is the smallest useful loop of the whole library, so we begin with
# it.
#
# ### Your turn: `relu_loop`
#
# 10 minutes, difficulty 1 of 3. Write plain loops over single numbers. Forget that NumPy can do it in one line.

# %% tags=["exercise", "relu_loop"]
# exercise: relu_loop

# %%
check(relu_loop)

# %%
# hint("relu_loop")
# solution("relu_loop", now=True)

# %% [markdown]
# Now compare it with NumPy, on one image of 64 x 64 pixels with 32 channels. **Predict**: how many times as fast is
# NumPy? 2, 20, 200?

# %%
relu_here = yours_or_ours("relu_loop")
image = rng.normal(size=(1, 64, 64, 32)).astype(np.float32)
bias = rng.normal(size=32).astype(np.float32)


def relu_numpy(x, b):
    return np.maximum(x + b, 0)


seconds = {
    "loops in Python": median_seconds(relu_here, image, bias, rounds=3),
    "NumPy": median_seconds(relu_numpy, image, bias, rounds=30),
}
page.show(drawings.time_bars(seconds))
print(f"{1e9 * seconds['loops in Python'] / image.size:.0f} ns for each number in Python")

# %% [markdown]
# What to see: each number costs Python hundreds of nanoseconds, for one addition and one comparison, of which the
# processor could do about a billion in a second. The rest of the time goes into finding out, again for every single
# number, what type it has and which function adds it. NumPy asks once for the whole array.
#
# ## The same loop, compiled
#
# `njit` takes your function as it is. On the first call it looks at the types of the arguments, infers the type of
# every variable from them, and translates the loops into machine code for these types. Nothing is left to ask at run
# time.
#
# **Predict**: will the compiled loops be slower than NumPy, as fast, or faster? And how long does the first call take?

# %%
relu_compiled = njit(relu_here)
for call in ("first call", "second call"):
    began = time.perf_counter()
    relu_compiled(image, bias)
    print(f"{call}: {drawings.in_words(time.perf_counter() - began)}")

seconds["your loops, njit"] = median_seconds(relu_compiled, image, bias, rounds=30)
page.show(drawings.time_bars(seconds))

# %% [markdown]
# What to see: the first call takes longer than the loops in Python did, because it compiles. Every later call is far faster,
# and faster than NumPy as well. NumPy goes over the image twice: `x + b` writes a whole new array, `np.maximum` reads it
# again and writes another one. Your loop touches each number once.
#
# ## Types decide
#
# A compiled version belongs to one combination of types, a **signature**. For other types the function is compiled
# again:

# %%
print("before:", relu_compiled.signatures)
relu_compiled(image.astype(np.float64), bias.astype(np.float64))
print("after: ", relu_compiled.signatures)

# %% [markdown]
# Read `Array(float32, 4, 'C', ...)` as: numbers of type float32, four axes, contiguous in memory.
#
# **Predict**: `x` is float32. What is `x[k] * 2.0 + 1.0`? In NumPy, a Python number adapts to the array, so it stays
# float32. In Numba, `2.0` is a float64.

# %%


@njit
def with_plain_constants(x, y):
    for _ in range(50):
        for k in range(x.size):
            y[k] = x[k] * 2.0 + 1.0


@njit
def with_float32_constants(x, y):
    two, one = x.dtype.type(2), x.dtype.type(1)
    for _ in range(50):
        for k in range(x.size):
            y[k] = x[k] * two + one


few = np.ones(4096, np.float32)
pair = {
    "* 2.0 + 1.0": median_seconds(with_plain_constants, few, few.copy(), rounds=30),
    "constants of x's own type": median_seconds(
        with_float32_constants, few, few.copy(), rounds=30
    ),
}
print("one number times 2.0:", type(np.float32(3) * 2.0), "in NumPy,", end=" ")
print(type(njit(lambda v: v * 2.0)(np.float32(3))), "(a float64) compiled")
page.show(drawings.time_bars(pair))

# %% [markdown]
# What to see: the array is float32 before and after, and still the loop with plain constants is slower. Each number is
# widened to 64 bits, multiplied there, and rounded again, and half as many fit into one instruction. Nothing warns you.
# So take constants from the array: `x.dtype.type(2)`.
#
# ## When it does not compile
#
# Every variable must have **one** type. This function returns a number or a string; for Python that is fine:

# %%


@njit
def first_positive(x):
    for value in x:
        if value > 0:
            return value
    return "none"


print(lesson08.what_numba_says(first_positive, few))

# %% [markdown]
# Read such a message from its second line: *Can't unify return type from the following types*, then the two types, then for each
# of them the line of your code that it comes from. The rest names steps of the compiler. Most messages are of three kinds:
#
# | it says | it means |
# |---|---|
# | `Can't unify ...`, `Cannot unify ...` | one variable, or the result, has two types |
# | `Unknown attribute 'x' of type Module(numpy)`, `Use of unsupported NumPy function` | Numba does not know this function: write the loop yourself |
# | `Untyped global name 'f'` | `f` is Python; put `@njit` above it too |
#
# In older books you will meet *object mode*: where types were not clear, Numba used to fall back silently to slow
# Python code. `njit` never does. It compiles, or it raises a TypingError.

# %% [markdown]
# ## Two threads
#
# One core has done all the work so far. `prange` in place of `range` says: **these iterations may run in any order,
# also at the same time**. Numba cuts them into one run of neighbours for each thread.

# %%
page.interact(
    lambda tasks, threads: drawings.tasks_on_threads(tasks, threads),
    states=[{"tasks": 16, "threads": 2}, {"tasks": 5, "threads": 4}],
    tasks=(1, 24),
    threads=(1, 8),
)

# %% [markdown]
# What to see: 16 tasks on 2 threads need half the time. 5 tasks on 4 threads need two fifths, not a quarter, because
# one thread has two of them. You want many more tasks than threads, and yet each of them has to be worth the trouble of
# handing it out.
#
# **Which loop to split?** Bias and ReLU over 16 images take four nested loops. Below, one version has the `prange` over
# the images, the other over the columns. **Predict** which is faster, and by how much.

# %%


@njit(parallel=True)
def relu_by_images(x, b, y):
    images, height, width, channels = x.shape
    for n in prange(images):
        for i in range(height):
            for j in range(width):
                for c in range(channels):
                    y[n, i, j, c] = max(x[n, i, j, c] + b[c], x.dtype.type(0))


@njit(parallel=True)
def relu_by_columns(x, b, y):
    images, height, width, channels = x.shape
    for n in range(images):
        for i in range(height):
            for j in prange(width):
                for c in range(channels):
                    y[n, i, j, c] = max(x[n, i, j, c] + b[c], x.dtype.type(0))


images = rng.normal(size=(16, 64, 64, 64)).astype(np.float32)
many_biases, out = rng.normal(size=64).astype(np.float32), np.empty_like(images)
run = partial(median_seconds, rounds=15)
with lesson08.threads(1):
    seconds = {"one thread": run(relu_by_images, images, many_biases, out)}
with lesson08.threads(2) as used:
    seconds[f"{used} threads, over 16 images"] = run(relu_by_images, images, many_biases, out)
    seconds[f"{used} threads, over 64 columns"] = run(relu_by_columns, images, many_biases, out)
page.show(drawings.time_bars(seconds))

# %%
one, over_images, over_columns = seconds.values()
print(f"a second thread, over the images:  {drawings.compared(one / over_images)}")
print(f"a second thread, over the columns: {drawings.compared(one / over_columns)}")

# %% [markdown]
# What to see: begin with the two lines above, which say what the second thread gained in this run. Over the images it is
# at most a factor of two on two cores; if it says more, the run on one thread was disturbed. *No change* means that nothing
# was gained: the second core was busy with something else (the first cell says how busy the machine was), or both wait for
# the same memory. Over the columns the threads are called together 16 x 64 = 1,024 times, for about a microsecond of work
# each time, and that costs more than it gains.
# **Split the outermost loop that has enough tasks.**
#
# ## The order of a sum
#
# Numba knows one more thing about `prange`: in `total += x[k]` it recognises a sum, gives each thread its own total,
# and adds the totals at the end. That is right. But is the result always the same?

# %%
numbers = rng.random(1_000_000, dtype=np.float32)
print("(0.1 + 0.2) + 0.3 =", (0.1 + 0.2) + 0.3, "   0.1 + (0.2 + 0.3) =", 0.1 + (0.2 + 0.3))
for pieces in (1, 2, 16):
    partial_sums = [np.add.accumulate(piece)[-1] for piece in np.split(numbers, pieces)]
    print(f"a million numbers, in {pieces:2} pieces: {np.add.accumulate(partial_sums)[-1]:.3f}")

# %% [markdown]
# What to see: floats are rounded after every addition, so a different order gives different last digits. None of these
# is wrong. But if the number of threads determines the pieces, then a run on your laptop and the same run on a server
# differ, and "the same seed" means nothing any more.
#
# The way out: let the **problem** determine the pieces. Sixteen of them on every machine, each with one writer, and
# added in order at the end.

# %%


@njit(parallel=True)
def sum_per_thread(x):
    total = x.dtype.type(0)
    for k in prange(x.size):
        total += x[k]
    return total


@njit(parallel=True)
def sum_of_sixteen(x):
    sums = np.zeros(16, x.dtype)
    for piece in prange(16):
        running = x.dtype.type(0)
        for k in range(piece * x.size // 16, (piece + 1) * x.size // 16):
            running += x[k]
        sums[piece] = running
    total = x.dtype.type(0)
    for piece in range(16):
        total += sums[piece]
    return total


rows = []
for wanted in (1, 2):
    with lesson08.threads(wanted) as used:
        row = {"threads": str(used)}
        for name, way in {
            "one total per thread": sum_per_thread,
            "16 pieces": sum_of_sixteen,
        }.items():
            row[f"{name}, seen in 50 runs"] = ", ".join(
                sorted({f"{way(numbers):.4f}" for _ in range(50)})
            )
    rows.append(row)
page.table(rows)

# %% [markdown]
# What to see: sixteen pieces give one number, with any number of threads. One total per thread gives a number for each
# way in which the work happened to be shared out, and if a second thread came too late to take part, even the same
# number of threads shows two of them. Wherever threads share a sum in minicoord, it is computed in fixed pieces. So its
# results have the same bits with any number of threads; its tests compare 1, 2 and 4.
#
# ## A race
#
# Now the sum is kept in a cell of an array. `total[0] += ...` looks like the sum above, and Numba compiles it without
# complaint. But there is one cell for all threads. **Predict**: what will a hundred runs give?

# %%


@njit(parallel=True)
def racing_sum(x):
    total = np.zeros(1)
    for n in prange(x.shape[0]):
        for k in range(x.shape[1]):
            total[0] += x[n, k]
    return total[0]


whole_numbers = rng.integers(0, 10, (64, 131_072)).astype(np.float32)
right = float(whole_numbers.sum(dtype=np.float64))
racing_sum(whole_numbers)
results = [racing_sum(whole_numbers) for _ in range(100)]
page.show(drawings.race_results(results, right))
print(lesson08.share_of_runs(results, right))
print(f"the right sum: {right:,.0f}; seen: {sorted({f'{r:,.0f}' for r in results})}")

# %% [markdown]
# What to see (unless the line above says that the threads did not meet): these are whole numbers, so rounding is no
# excuse. A thread **reads** the cell, **adds** its numbers, and **writes** the cell. If another thread has written in
# between, its part is lost. For speed, the compiler keeps the running total in a register, so everything that one
# thread has added gets lost at once. Then the sum is that of one thread alone: with two threads, half of the data.
#
# It is the worst kind of bug. It raises nothing, it is right with one thread, it is right in some runs with two, and it
# is right whenever the data are small enough for one thread to be done before the other one wakes. So **a test that
# passes does not prove that there is no race.** Look at the code instead: which cells does task 0 write, and which task
# 1?
#
# ### Your turn: `find_race`
#
# 20 minutes, difficulty 2. The gradient of a bias, as in `conv_db` of lesson 03, with a race to find and fix. The check
# does not rely on luck: it runs your code as Python, task by task, and records who writes what.

# %% tags=["exercise", "find_race"]
# exercise: find_race

# %%
check(find_race)

# %%
# hint("find_race")
# solution("find_race", now=True)

# %%
bias_gradient = njit(parallel=True)(yours_or_ours("find_race"))
dy = rng.integers(0, 10, (64, 64, 64, 32)).astype(np.float64)
wanted_db = dy.sum(axis=(0, 1, 2))
wrong = sum(not np.array_equal(bias_gradient(dy), wanted_db) for _ in range(100))
print(f"fixed: {wrong} of 100 runs are wrong")

# %% [markdown]
# ## Walks through memory
#
# Arithmetic is cheap by now. What is left is moving numbers. **Predict**: two loops multiply every number of a matrix, one
# goes along the rows, the other down the columns. Same numbers, same arithmetic. How do their times compare?

# %%


@njit
def along_rows(x):
    height, width = x.shape
    for i in range(height):
        for j in range(width):
            x[i, j] = x[i, j] * x.dtype.type(0.5) + x.dtype.type(1)


@njit
def down_columns(x):
    height, width = x.shape
    for j in range(width):
        for i in range(height):
            x[i, j] = x[i, j] * x.dtype.type(0.5) + x.dtype.type(1)


odd, power_of_two = np.ones((2000, 2000), np.float32), np.ones((2048, 2048), np.float32)
each = {
    "along the rows, 2000 x 2000": median_seconds(along_rows, odd) / odd.size,
    "down the columns, 2000 x 2000": median_seconds(down_columns, odd) / odd.size,
    "down the columns, 2048 x 2048": median_seconds(down_columns, power_of_two)
    / power_of_two.size,
}
for name, s in each.items():
    print(f"{name}: {1e9 * s:.2f} ns a number")
page.show(
    drawings.time_bars({name: s * odd.size for name, s in each.items()}),
    caption="Times of all three for four million numbers",
)

# %% [markdown]
# What to see: memory comes in **cache lines**, of 64 bytes on most processors: 16 numbers of float32. Along a row all
# sixteen are used. Down a column one is used, and by the time the walk comes back for the next, the line has often been
# evicted from the cache. A matrix of 2048 columns is worse still: the last digits of its address decide where in the
# cache a line goes, and all numbers of such a column want the same few slots.
#
# So the innermost loop should walk along the **last** axis. Channels-last arrays make that easy: the channels of a
# pixel lie side by side.
#
# ## Caches, seen from outside
#
# A core has small fast memories between itself and the large slow one: L1, L2, often a shared L3. You can see them
# without opening the case. Walk around in more and more memory, and measure the time of each step: once in order, and
# once jumping, where each entry says which one is next, so that nothing can be fetched ahead.
#
# **Predict**: will you see steps? In which of the two walks?

# %%


@njit
def in_order(x, repeats):
    for _ in range(repeats):
        for k in range(x.size):
            x[k] = x[k] * x.dtype.type(0.5) + x.dtype.type(1)


@njit
def jumping(following, at, steps):
    place = at[0]
    for _ in range(steps):
        place = following[place]
    at[0] = place  # the next walk goes on from here, to entries that no cache has seen yet


kilobytes = [2**k for k in range(2, 18)]
walks = {"jumping": [], "in order": []}
for size in kilobytes:
    x = np.ones(size * 1024 // 4, np.float32)
    repeats = max(1, 2**21 // x.size)
    ns = 1e9 * median_seconds(in_order, x, repeats, rounds=5) / (repeats * x.size)
    walks["in order"].append(ns)
    order = rng.permutation(size * 1024 // 8)
    following = np.empty(len(order), np.int64)
    following[order] = np.roll(order, -1)
    at = np.zeros(1, np.int64)
    ns = 1e9 * median_seconds(jumping, following, at, 200_000, rounds=5) / 200_000
    walks["jumping"].append(ns)
page.show(
    drawings.working_set(kilobytes, walks, lesson08.caches(), "nanoseconds for each number")
)

# %% [markdown]
# What to see: when jumping, the curve climbs where a cache is full. The dashed lines are the sizes that the system
# reports, if it does and if they fit into the figure; on a machine that you share with others, part of the last one is
# theirs. In main memory a jump costs as much as hundreds of additions. In order, the processor guesses what comes next
# and fetches it ahead, many numbers go into one instruction, and far less is to be seen, until memory cannot deliver
# any faster.
#
# ## Use what is warm
#
# A convolution layer is a product, then a bias, then a ReLU: three passes. Over a large array each pass reads
# everything from memory and writes it back. The alternative: cut the array into **tiles**, and send one tile through
# all three passes before the next. **Predict** the best size of a tile: ten numbers, a thousand, a million?

# %%


@njit
def three_passes(x, y, tile):
    half, zero, factor = x.dtype.type(0.5), x.dtype.type(0), x.dtype.type(0.9)
    for start in range(0, x.size, tile):
        source, target = x[start : start + tile], y[start : start + tile]
        for k in range(target.size):
            target[k] = source[k] - half
        for k in range(target.size):
            target[k] = max(target[k], zero)
        for k in range(target.size):
            target[k] = target[k] * factor


x = rng.random(2**24, dtype=np.float32)
result = np.empty_like(x)
tiles = [2**k for k in range(4, 25, 2)]
milliseconds = [1e3 * median_seconds(three_passes, x, result, tile, rounds=5) for tile in tiles]
page.show(drawings.tile_curve(tiles, milliseconds, lesson08.caches()))

# %% [markdown]
# What to see: very small tiles spend their time on starting and ending loops. Very large ones go through memory three
# times (or, where the last cache is larger than the arrays, which are 128 MB together, three times through that cache).
# In between, the second and third pass find their numbers *warm*, in a cache. minicoord plans with this, too: a thread
# takes so few lines of an image at a time that what they read stays in a cache (`minicoord/kernels/division.py`). And its
# bias and its ReLU need no pass at all. How that can be is the rest of this lesson.
#
# ## A matrix product
#
# The product is where the arithmetic is, and each number is used many times: a row of `a` meets every column of `b`.
# For matrices of 1024 x 1024, `b` alone is 4 MB. Cut all three into tiles, and only three tiles are in use at a time.
# Move the slider: which size fits into which cache? (If the first cell listed no caches: 32 to 128 kB are usual for L1,
# 1 to 4 MB for L2.)

# %%
page.interact(
    lambda tile: drawings.tiles_of_a_product(tile, 1024, lesson08.caches()),
    states=[{"tile": 32}, {"tile": 64}, {"tile": 512}],
    tile=(16, 512, 16),
)

# %% [markdown]
# ### Your turn: `tiled_product`
#
# 25 minutes, difficulty 3. Six loops. It need not be fast yet, but it must be right where the last tile is not full.

# %% tags=["exercise", "tiled_product"]
# exercise: tiled_product

# %%
check(tiled_product)

# %%
# hint("tiled_product")
# solution("tiled_product", now=True)

# %% [markdown]
# Four ways to multiply two matrices of 768 x 768, on one thread each. They all do 768 x 768 x 768 multiplications and
# as many additions, so they can be compared by their rate: one GFLOP/s is a billion of these operations per second.
#
# - **as it is defined**: for each entry of the result, walk along a row of `a` and down a column of `b`;
# - **your tiles**, 64 x 64, compiled (ours if yours have not passed yet);
# - **another order of loops**: the same three loops as in the first way, with the last two exchanged, no tiles;
# - **BLAS**, the library behind `np.dot`, held to one thread by the first cell.
#
# **Predict** their order.

# %%


@njit
def as_defined(a, b):
    y = np.zeros((len(a), b.shape[1]), a.dtype)
    for i in range(len(a)):
        for j in range(b.shape[1]):
            for k in range(len(b)):
                y[i, j] += a[i, k] * b[k, j]
    return y


@njit
def another_order(a, b):
    y = np.zeros((len(a), b.shape[1]), a.dtype)
    for i in range(len(a)):
        for k in range(len(b)):
            for j in range(b.shape[1]):
                y[i, j] += a[i, k] * b[k, j]
    return y


size = 768
a, b = rng.random((2, size, size), dtype=np.float32)
tiled_here = njit(yours_or_ours("tiled_product"))
flops = 2 * size**3
ways = {
    "as it is defined": as_defined,
    "tiles of 64": lambda a, b: tiled_here(a, b, 64),
    "another order of loops": another_order,
    "BLAS": np.dot,
}
rates = {name: flops / 1e9 / median_seconds(way, a, b, rounds=3) for name, way in ways.items()}
page.show(drawings.rate_bars(rates))

# %% [markdown]
# What to see: did you predict that exchanging two loops would beat the tiles? With `j` innermost, both `b[k, j]` and
# `y[i, j]` are walked along their rows, and the compiler multiplies 8 or 16 numbers with one instruction.
#
# Our tiled loops, and perhaps yours, have `j` innermost as well. They should be as fast. Why are they not? Their loop
# over `j` starts at a number that, for all the compiler knows, may be negative, and in Python a negative index counts
# from the end. Testing for that at every number keeps it from taking many at a time. The cure is to slice out the rows
# first, and to count from 0:

# %%


@njit
def tiles_cut_out(a, b, tile):
    y = np.zeros((len(a), b.shape[1]), a.dtype)
    for top in range(0, len(a), tile):
        for left in range(0, b.shape[1], tile):
            for first in range(0, len(b), tile):
                for i in range(top, min(top + tile, len(a))):
                    target = y[i, left : left + tile]
                    for k in range(first, min(first + tile, len(b))):
                        factor, source = a[i, k], b[k, left : left + tile]
                        for j in range(target.size):
                            target[j] += factor * source[j]
    return y


for tile in (16, 64, 256):
    name = f"tiles of {tile}, rows cut out"
    rates[name] = flops / 1e9 / median_seconds(tiles_cut_out, a, b, tile, rounds=3)
page.show(drawings.rate_bars(dict(sorted(rates.items(), key=lambda pair: pair[1]))))

# %% [markdown]
# What to see: one index was worth more than all the tiles. Small tiles still lose, because their innermost loop is
# short. And on a machine with a large L3, tiles gain these loops little: the walk is in order, so `b` is fetched ahead.
#
# BLAS stays far ahead, and it does the same arithmetic. So what do our loops do that it does not?
#
# ## How often is a number loaded?
#
# They **load**. In `y[i, j] += a[i, k] * b[k, j]` there is one multiplication and one addition, together a
# **multiply-add**. How many numbers go from memory to the processor for it, and how many back?
#
# You can count them. The cell below runs our functions as plain Python, with arrays that count each access. The product
# is that of a small convolution, in which a 3 x 3 kernel slides over an image, so `gathered` builds the im2col matrix
# first, as you did in lesson 02. **Predict**: the loads for each multiply-add as it is defined, and in tiles.

# %%
from minicoord.learn.checking.counted_loads import count


def gathered(padded):
    height, width, channels = padded.shape
    cols = np.empty(((height - 2) * (width - 2), 9 * channels))
    for row in range(len(cols)):
        i, j = divmod(row, width - 2)
        for k in range(9 * channels):
            segment, rest = divmod(k, 3 * channels)
            cols[row, k] = padded[i + segment, j + rest // channels, rest % channels]
    return cols


small_image = np.pad(rng.normal(size=(6, 6, 2)), ((1, 1), (1, 1), (0, 0)))
few_rows, few_columns = gathered(small_image), rng.normal(size=(18, 8))
multiply_adds = few_rows.size * 8

counts = {
    "as it is defined": count(as_defined, few_rows, few_columns),
    "im2col, nothing else": count(gathered, small_image),
    "your tiles, or ours": count(yours_or_ours("tiled_product"), few_rows, few_columns, 4),
    "tiles, rows cut out": count(tiles_cut_out, few_rows, few_columns, 4),
}


def count_table(counts):
    page.table(
        [
            {
                "way": name,
                "loads for each multiply-add": f"{loads / multiply_adds:.2f}",
                "stores": f"{stores / multiply_adds:.2f}",
            }
            for name, (loads, stores) in counts.items()
        ]
    )


count_table(counts)

# %% [markdown]
# What to see: three loads and one store for each multiply-add. One number of `a`, one of `b`, and the sum, which is
# stored again. Tiles change **where** the numbers come from, a near cache in place of a far one. They do not change **how
# often** they are loaded. (With the rows cut out, the number of `a` is loaded once for a whole row of the tile, and
# serves four multiply-adds here.) A compiler saves a few of these loads, but not most of them. (im2col costs little beside that:
# one load and one store for each number of the matrix, which then serves all output channels.)
#
# A core of today can do two multiply-adds at a time, and load two or three numbers meanwhile. With three loads each, the
# arithmetic waits.
#
# ## Registers
#
# A **register** is one of the few places inside a core where it keeps the numbers that it computes with. To read one
# costs no time. In compiled code, a plain variable that is used in a loop lives in a register, as long as there are
# enough of them: 16 or 32 on most processors.
#
# So the first step is to keep the sum in a variable `s` until it is complete. `one_sum` does that for one entry of the
# result. `in_blocks` calls it for all entries; it copies the columns of `b` into a **panel**, so that what is read
# together lies together.

# %%


@njit
def one_sum(x, w):
    s = x.dtype.type(0)
    for k in range(x.shape[1]):
        s += x[0, k] * w[k, 0]
    return np.full((1, 1), s)


@njit
def in_blocks(block, rows, columns, a, b):
    y = np.empty((len(a), b.shape[1]), a.dtype)
    for left in range(0, b.shape[1], columns):
        panel = b[:, left : left + columns].copy()
        for top in range(0, len(a), rows):
            y[top : top + rows, left : left + columns] = block(a[top : top + rows], panel)
    return y


def measured(name, block, rows, columns):
    assert np.allclose(in_blocks(block, rows, columns, a, b), a @ b, rtol=1e-4)
    seconds = median_seconds(in_blocks, block, rows, columns, a, b, rounds=3)
    rates[name] = flops / 1e9 / seconds
    counts[name] = count(in_blocks, block.py_func, rows, columns, few_rows, few_columns)


measured("1 x 1: one sum", one_sum, 1, 1)
count_table({name: counts[name] for name in ("as it is defined", "1 x 1: one sum")})

# %% [markdown]
# What to see: two loads are left, and nearly no store. The next step is the one that matters. Take **two rows and two
# columns at once**. The four numbers that are loaded meet in four products: each of them is used twice.

# %%


@njit
def four_sums(x, w):
    pu = pv = qu = qv = x.dtype.type(0)
    for k in range(x.shape[1]):
        p, q = x[0, k], x[1, k]
        u, v = w[k, 0], w[k, 1]
        pu += p * u
        pv += p * v
        qu += q * u
        qv += q * v
    return np.array(((pu, pv), (qu, qv)))


measured("2 x 2: four sums", four_sums, 2, 2)
names = ("as it is defined", "1 x 1: one sum", "2 x 2: four sums")
count_table({name: counts[name] for name in names})
page.show(drawings.rate_bars({name: rates[name] for name in names}))

# %% [markdown]
# What to see: half the loads, and a rate that may more than double. There is a second reason for that. The core starts a
# new addition long before the last one is done, but only if it does not need its result. One sum is one chain, in which
# each addition waits for the one before. Four sums are four chains.
#
# Here is the picture of such a **block**. Move the sliders. **Predict** first: which shape needs the fewest loads for
# each multiply-add, if you may have eleven registers?

# %%
page.interact(
    lambda rows, columns: drawings.block_of_sums(rows, columns),
    states=[{"rows": 1, "columns": 1}, {"rows": 2, "columns": 2}, {"rows": 4, "columns": 2}],
    rows=(1, 8),
    columns=(1, 4),
)

# %% [markdown]
# What to see: R rows and V columns need R + V loads for R x V multiply-adds. The nearer the block comes to a square, and
# the larger it is, the better. The registers are its limit: one for each sum, one for each number of `w`, and one for
# the number of `x` that is in use.
#
# ### Your turn: `register_block`
#
# 20 minutes, difficulty 2. A block of 4 x 2: eight sums, six loads for each `k`. The check looks at the result, and it
# counts the loads.

# %% tags=["exercise", "register_block"]
# exercise: register_block

# %%
check(register_block)

# %%
# hint("register_block")
# solution("register_block", now=True)

# %%
measured("4 x 2: eight sums", njit(yours_or_ours("register_block")), 4, 2)
names = (*names, "4 x 2: eight sums")
count_table({name: counts[name] for name in names})
page.show(
    drawings.rate_bars(
        {name: rates[name] for name in (*names, "another order of loops", "BLAS")}
    )
)

# %% [markdown]
# What to see: eight variables make the product several times as fast as its definition. And still *another order of
# loops* is faster, although it loads three numbers for each multiply-add. It has something that the block does not have
# yet.
#
# ## Vectors
#
# One register holds more than one number: a **vector**. One instruction multiplies two vectors, lane by lane, and adds a
# third. In *another order of loops* the compiler used vectors by itself, because its innermost loop walks along a row.
#
# So take your block and replace each **column** by a **vector of columns**. `w0` becomes a vector of neighbouring
# numbers of `w`, each sum becomes a vector of sums, and a number of `x` is *broadcast*, that is repeated in all lanes.
# Nothing else changes. This is the block of minicoord's **micro-kernel** on this machine:

# %%
from minicoord.kernels.backend.vectors import HERE, lanes

page.show(drawings.block_of_sums(HERE.block_rows, HERE.block_vectors, lanes(itemsize=4)))
loads = HERE.block_rows + HERE.block_vectors
print(
    f"a vector has {HERE.vector_bytes} bytes: {lanes(4)} numbers of float32, {lanes(8)} of float64"
)
print(
    f"{loads} loads serve {HERE.block_rows * HERE.block_vectors} multiply-adds of whole vectors"
)

# %% [markdown]
# Nobody types that many sums. And Numba has no word for a vector. But it lets a Python function write instructions for
# its compiler, LLVM. `_block` in `minicoord/kernels/micro_kernel.py` is such a function. It has two short loops, over
# the rows and over the vectors, and each time around it writes one line of your `register_block`:
#
# | your block | the micro-kernel |
# |---|---|
# | `s00 = ... = 0` | load what the sums begin with: a bias, or the map of a CoordConv's coordinates |
# | `w0, w1 = w[k, 0], w[k, 1]` | load V vectors from a panel |
# | `x0, x1, ... = x[0, k], x[1, k], ...` | load R numbers, and broadcast each |
# | `s00 += x0 * w0` | one instruction for a whole vector: a fused multiply-add |
# | `y[0, 0] = s00` | ReLU if there is one, then store, for the first and only time |
#
# So bias and ReLU need no pass of their own: they are applied to numbers that are in registers anyway.
#
# Rows that are left over get a smaller block. Columns that do not fill a vector are masked. Long sums are cut in pieces,
# so that a panel stays in the L1 cache. That is all.
#
# **Predict**: how far is it from BLAS, on one thread each?

# %%
from minicoord.kernels.dense import dense

threads_before = get_threads()
set_threads(1)
rates["the micro-kernel"] = flops / 1e9 / median_seconds(dense, a, b)
rates["BLAS"] = flops / 1e9 / median_seconds(np.dot, a, b)
set_threads(threads_before)
names = (*names, "another order of loops", "BLAS", "the micro-kernel")
page.show(drawings.rate_bars({name: rates[name] for name in names}))

# %% [markdown]
# What to see: the same product, from your first three loops to the last bar. BLAS is made of such a kernel as well, so
# the two should be of the same order. Which one is ahead depends on the processor, and on what else it is doing.
#
# Each sum still runs over `k` in order, whatever block it falls into. So the bits of a result depend neither on threads
# nor on blocks.
#
# One kernel for all products has another advantage: minicoord has **one pool** of threads. The first cell of this
# lesson printed which: `tbb` when this page was made. A library that calls BLAS in its own threads has two pools, and these
# compete for the cores. Of Numba's pools minicoord takes `tbb` where that is installed, otherwise `workqueue`; not `omp`,
# whose threads spin while they wait, which keeps others off their core.
#
# ## im2col without the matrix
#
# A convolution is a product with the im2col matrix. For a 3 x 3 kernel it is nine times as large as the image, because a
# pixel is in nine rows. Writing it, and reading it again, takes time and memory.
#
# Look at two neighbouring rows of the matrix, though. The kernel has moved by one pixel. So the second row is the first
# one, **shifted by the channels of one pixel**. In a padded image the numbers of both are there already, and they
# overlap.
#
# NumPy can describe such a matrix without building it. `as_strided` takes an array and, for each index, a **step** in
# memory. The index of a row is the line and the column of the kernel. The index within a row is the line of the kernel,
# a *segment*, and the number in it: 3 pixels times their channels lie next to each other. **Predict**: is that the same
# matrix, number by number?

# %%
from numpy.lib.stride_tricks import as_strided

from minicoord.kernels.im2col import im2col

one_image = rng.normal(size=(64, 64, 16)).astype(np.float32)
padded = np.pad(one_image, ((1, 1), (1, 1), (0, 0)))
line, pixel, number = padded.strides
overlapping = as_strided(
    padded,
    shape=(64, 64, 3, 3 * 16),  # line and column of the kernel, segment, number in it
    strides=(line, pixel, line, number),
)
matrix = im2col(one_image[None], 3)  # (64 * 64, 9 * 16)
print("the same numbers:", np.array_equal(overlapping.reshape(matrix.shape), matrix))
print("copied for it:   ", "nothing" if np.shares_memory(overlapping, padded) else "something")
print(
    f"im2col's matrix {matrix.nbytes / 1e6:.2f} MB, the padded image {padded.nbytes / 1e6:.2f} MB"
)

# %% [markdown]
# What to see: it is the same matrix, and it takes no memory of its own. (The comparison in the cell makes a copy. The
# micro-kernel does not.) To find a number, the micro-kernel needs no more than the address of the first one, and a step
# for each index.
# `minicoord/kernels/bands.py` copies a few padded lines of the image, a *band*, for the sake of the padding; where the
# kernel does not reach over the edge, not even that.
#
# Now exchange the steps: what was a row becomes a column. That is the matrix **transposed**, which the gradient of the
# kernel needs (lesson 03). So the same micro-kernel computes it, from the same band. And with the kernel flipped and
# transposed it computes the gradient of the image.
#
# ## The whole way
#
# All of it together: one training step of the classifier, in nine ways, from loops in Python to what `fit` does. Each
# way adds one idea to the one above it.
#
# | | |
# |---|---|
# | **what is measured** | forward, backward and Adam on 16 images of 64 x 64: `minicoord.bench.story` |
# | **scaled** | the loops over pixels in Python run on one image of 8 x 8, and their time is multiplied by 1,024; the others run in full |
# | **PyTorch** | the bar: measured now, if it is installed; the dashed line: in the record of `lessons/results/bench.json`, from another day. Compare bars with bars: on a busy machine they are longer, most of all PyTorch's, because its threads spin while they wait |

# %%
from minicoord.bench.story import story

ways = list(story(rounds=7))
record = json.loads((lessons_folder() / "results" / "bench.json").read_text(encoding="utf-8"))
torch_now = lesson08.pytorch_ms()
recorded_torch = next(
    row["torch_ms"] for row in record["rows"] if row["name"] == "step/coordconv-classifier/16"
)
page.show(drawings.the_way(ways, recorded_torch, torch_now))
machine = record["machine"]
print(f"the record: {machine['processor']}, {machine['cores']} cores, {machine['date'][:10]}")
if torch_now is None:
    print("PyTorch is not installed here, so only its recorded time is shown")

# %% [markdown]
# What to see: compiling the loops as they are is **not** enough. Whole arrays in NumPy can be faster than nested loops
# in Numba, because a product whose sums stay in registers is worth more than a loop without Python. A second thread
# helps as far as a second core has nothing else to do. The last bars have it all: sums in registers, several threads,
# bias, coordinates and ReLU with the sums, and all 1x1 layers one after the other on the same few pixels. Where a bar says
# *no change*, the step gained less than the fluctuations of the machine.
#
# No step changed a result beyond rounding. The tests compare the fast kernels with plain loops that look like those you
# wrote in lessons 02, 03 and 03b.
#
# ## Against PyTorch, honestly
#
# The classifier is the case that this library was built for. Here are all rows of the recorded benchmark: single layers
# forward and backward, and whole training steps. Above the line minicoord is faster, below it PyTorch is.

# %%
rows = record["rows"]
page.show(drawings.against_pytorch(rows))
page.table(
    [
        {
            "training step": row["name"].removeprefix("step/").replace("/", ", batch "),
            "ours, ms": f"{row['ms']:.1f}",
            "PyTorch, ms": f"{row['torch_ms']:.1f}",
            "PyTorch / ours": f"{row['ratio']:.2f}",
        }
        for row in sorted(rows, key=lambda row: -row["ratio"])
        if row["name"].startswith("step/")
    ],
    caption=f"From the record: {machine['processor']}, {machine['cores']} cores, PyTorch "
    f"{machine['contestants']['pytorch']['version']} on two threads",
)

# %% [markdown]
# What to see: the title of each panel counts where ours is ahead. Below the line, and at the end of the table, are the
# rows that are worth the next effort. PyTorch keeps its sums in registers as well. It compiles a convolution for each
# shape; ours has one micro-kernel for all shapes. Measure your own: `minicoord bench --against torch`.
#
# ## What you now know
#
# - Measure first, take medians, compare ratios. In this network the convolutions are nearly everything.
# - `njit` compiles a loop for the types of its arguments. A stray float64 constant is slow; a variable with two types
#   does not compile.
# - `prange` goes on the outermost loop with enough tasks. Every cell needs a single writer, or there is a race. The
#   pieces of a sum must depend on the problem alone, or the bits change with the machine.
# - Walk along the last axis. Do all that you can with a tile while it is warm.
# - Count loads. A block of R x V sums in registers needs R + V loads for R x V multiply-adds. With vectors in place of
#   numbers, that is minicoord's micro-kernel.
# - The rows of im2col's matrix overlap. Steps in memory describe it, and nobody has to build it.
#
# ## To think about
#
# <details><summary>1. A kernel gives the same, right result in a thousand runs with two threads. Can it still have a
# race?</summary>
#
# Yes. The two threads may have come at different times in every one of them: with little data, one thread is done
# before the other has started. Only the code can tell: list for each task which cells it writes and which it reads. If
# two tasks have a cell in common, and one of them writes it, that is a race.
# </details>
#
# <details><summary>2. The classifier's layers are all 1x1. If they were 3x3, what would the chain of tiles
# lose?</summary>
#
# A pixel after a 3x3 layer needs nine pixels of the layer before. So a tile of the last layer needs a tile with a rim
# of one pixel in the layer before it, and with a rim of two pixels in the one before that. The rims of neighbours
# overlap: either they are computed twice, or tasks wait for each other. With 1x1 kernels a tile needs nothing but
# itself, and so the library makes chains of these alone.
# </details>
#
# <details><summary>3. You have 64 cores, and a sum in 16 pieces that gives the same bits everywhere. What now?</summary>
#
# Sixteen pieces feed sixteen threads, and the others stand idle. More pieces, say 256, would feed them all, at the
# price of more partial sums to add at the end, and the last digits would change once, for everybody. What must not
# happen is that the number of pieces follows the number of cores.
# </details>
#
# <details><summary>4. Larger blocks need fewer loads for each multiply-add. Why is the block not 16 x 2 on a processor
# with 32 registers?</summary>
#
# It has 32 sums, and the two vectors of w and the number of x need three registers more. The compiler then keeps some
# sums in memory after all, and loads and stores them in each step of the loop. That is called *spilling*, and it costs
# more than the larger block gains.
# </details>

# %% [markdown]
# ## A challenge
#
# Harder than an exercise, optional and unmarked.
#
# **Twice the rate of another order of loops.** Write a product of two matrices in plain Numba, on one thread, that does
# twice as many GFLOP/s as `another_order` above. The cell measures the two in turn, so that other work of the machine
# slows both. No `@`, no `np.dot`: those call BLAS. 45 to 90 minutes.
#
# <details><summary>A direction</summary>
#
# `another_order` has vectors, but for each multiply-add it loads and stores a number of `y`. Your register blocks avoid
# that. Bring the two together: let the innermost loop still walk along rows, and do four rows of `a` and four values of
# `k` in it at once. And `njit(fastmath={"contract"})` allows the compiler to make one instruction of a product and a sum.
#
# </details>


# %%
from minicoord.learn.lessons import challenge


def my_product(a, b):
    """Return the product of a, shape (m, k), and b, shape (k, n), both float32."""
    return  # your challenge; put @njit above it


challenge.beat(my_product, another_order, a, b, times=2)

# %% [markdown]
# ## Where the paper says it
#
# The paper gives times for whole training runs: the right half of Figure 4 shows accuracy against seconds. CoordConv is
# perfect after 10 to 20 seconds, the deconvolution network needs about 4,000 to reach 80 %. The abstract calls that 150
# times faster. That is a gain of the idea, not of the code: fewer epochs. Per image the CoordConv classifier needs
# *more* multiply-adds than most of the deconvolution networks (lesson 05). Speed-ups of this kind are worth more than
# all those in this lesson together; speed-ups of the other kind make them affordable on a laptop.
#
# `minicoord/kernels/README.md` says what stands in the way of more speed.
#
# **Next**: [09 · No harm](09_no_harm.ipynb), on a task in which position tells nothing.
