# %% [markdown]
# # 14 · In your own network
#
# You have a network, in PyTorch, Keras or JAX. Would coordinates help it? Where do they go in? And is the copy of
# CoordConv that you found on the web right? This lesson answers from what was measured in this course, tests a
# stranger's layer, and carries weights from minicoord to PyTorch and back. At the end is the final project.
#
# **After this lesson you can**
# - say for a task whether coordinates are likely to help, and what speaks against them;
# - say where in a network they belong, what padding gives away already, and what r is;
# - write the layer for another layout, and a test that finds the usual wrong copies;
# - carry weights between libraries, and prove that the outputs are equal;
# - give coordinates to a network that is trained already, without changing what it computes.
#
# **Minutes**: 58 for the four exercises, 40 for the rest. The cells themselves run for about half a minute.
#
# **Builds on**: [05](05_coordconv.ipynb) (AddCoords), [09](09_no_harm.ipynb) (pairs and intervals),
# [10](10_finding_digits.ipynb) (relative and absolute positions).
#
# No framework is needed: a cell that would use one which is missing says so and goes on.

# %%
import numpy as np

from minicoord import CoordConv2D, lessons_folder
from minicoord.experiments.records.reading import load_records
from minicoord.learn import check, hint, solution, yours_or_ours
from minicoord.learn.lessons import (
    lesson14,
    lesson14_drawings as drawings,
    lesson14_networks as networks,
    page,
)

records = load_records(lessons_folder() / "results")
print(f"{len(records)} recorded runs in this copy")

# %% [markdown]
# ## Predict first
#
# Eight tasks that you know from this course. For each, write down by how many points you think coordinates change the
# score, in percent: 0 for no difference, below 0 for harm.

# %%
predicted = {
    "name the pixel at (x, y), a quarter of the positions held out": None,
    "say where the lit pixel is, a quarter held out": None,
    "draw the square at (x, y), a quarter held out": None,
    "find digits, scrambled anchors": None,
    "name the pixel at (x, y), every fifth position held out": None,
    "find digits, right anchors": None,
    "name the garment, centred": None,
    "name the garment, anywhere on the canvas": None,
}

# %% [markdown]
# ## When do they help?
#
# Here is what was recorded: the best network without coordinates and CoordConv, a dot for each seed.

# %%
found = lesson14.outcomes(records)
if found:
    page.show(
        drawings.scores_of_tasks(found),
        alt="Test scores of recorded runs without coordinates and with CoordConv, a row for each task. "
        + lesson14.in_words(found),
    )
    page.table([outcome.row() for outcome in found], caption="Means of recorded runs")
print(lesson14.in_words(found))
guesses = {task: guess for task, guess in predicted.items() if guess is not None}
print("you predicted:", guesses or "nothing yet")

# %% [markdown]
# What to see: where the answer is a position, and training left out a part of the canvas, coordinates decide. Where every part
# is covered by examples, a plain network without batch norm comes close. Where the answer is relative to a position, or is
# what is seen, coordinates give nothing, and they can harm.
#
# Read the last rows twice, because "it cannot hurt" is often said. With coordinates in front, the network may learn that
# garments occur at certain positions. That is true of the training images, and false of the next ones. In lesson 09 the same
# layer with zeros in place of coordinates did no harm; so it is the coordinates.
#
# Some tasks have scores of another kind. This is what the paper says of them; lessons 09 and 11 to 13 have what our own runs
# say, which is not always the same.

# %%
page.table(
    [
        {"task": task, "with coordinates": reported}
        for task, reported in {
            "GAN": "positions are covered better, differences between them worse",
            "VAE": "objects move between two codes where they used to fade",
            "A2C on 9 Atari games": "better in 6, about the same in 2, worse in 1",
            "ImageNet, ResNet-50": "+.04 points of top-5 accuracy, not significant",
        }.items()
    ],
    caption="What the paper reports",
)

# %% [markdown]
# ## Where, and in one layer or in all?
#
# The detector of lesson 10 was trained with coordinates in each of three layers, and in all of them.

# %%
at_places = lesson14.places(records)
if at_places:
    page.table(at_places, caption="Right anchors, change of the test IOU relative to plain convolution")
else:
    print("No run of the detector with coordinates in single layers is recorded in this copy.")

# %% [markdown]
# What to see: coordinates after the trunk, or in the last layer, cost nothing there. At the image they harm, and in all three
# layers they harm as much. So all is not safer than one.
#
# The paper puts one CoordConv at the input of its painters, and as an extra 1x1 layer in front of ResNet-50. Its detector
# has three, its agents and GANs one or more. That was chosen by hand; neither the paper nor our records compare layers in a
# task in which coordinates help. What follows from all this is a rule to begin with, and no more:
#
# **Begin with one CoordConv, late, where the position is needed: in front of the layer that gives the answer.** If what is
# seen early depends on the position, try the input as well, and measure both.
#
# ## What padding gives away already
#
# A convolution with padding sees zeros outside of the image. So a pixel near the border can know that it is there, and with
# each 3 x 3 layer this knowledge creeps one pixel inwards. The figure has an image that is the same grey everywhere, and
# random layers. Bright pixels have features which differ from those of the middle.
#
# **Predict**: how many of the pixels of 32 x 48 see the border after 8 layers? And if the padding repeats the image in a
# mirror, in place of zeros?

# %%
page.show(
    drawings.border_reach([1, 4, 8, 12]),
    alt="Two rows of four panels. With zeros around, a bright frame grows with the number of layers, "
    "one pixel a layer, and gets fainter inwards. Mirrored, all panels are dark.",
)
page.table(
    [
        {
            "layers": depth,
            "zeros around": f"{networks.place_read_off(depth, 'zeros'):.1f} px off",
            "mirrored": f"{networks.place_read_off(depth, 'mirror'):.1f} px off",
        }
        for depth in (1, 4, 12)
    ],
    caption="Row and column of each pixel of 48 x 64, read off linearly from 8 random features of noise",
)
print(f"always answering the middle is {networks.middle_off():.1f} px off; with i and j it is 0")

# %% [markdown]
# What to see: after twelve layers of zeros nearly nine in ten pixels of this small canvas differ from the middle, by less and
# less. But to differ is one thing, and to read off the row is another: in noise, random features are hardly better than an
# answer that is always the middle. Training can bring out more; the networks of lesson 04 learned positions, one by one. Two
# coordinate channels give them exactly, in the first layer.
#
# So a deep network on small images has a blurry position for nothing. If that is enough for your task, coordinates will
# change little; a network of 1x1 layers has none of it, and the middle of a wide canvas neither. In the detector of lesson 10 padding "same" made
# no difference (`lessons/results`).
#
# ## What r is
#
# The paper's front layer has a third channel, r = sqrt(i * i + j * j). It adds no knowledge: whoever has i and j can compute
# it. But a linear layer cannot, and "the same distance from the middle" is then one weight.

# %%
page.show(
    drawings.three_channels(40, 64),
    alt="Three panels of 40 x 64 pixels: i grows downwards, j to the right, and r from the middle "
    "outwards, from 0 to 1.4; its lines of equal value are ellipses.",
)
compared = lesson14.with_and_without_r(records)
if compared:
    page.table(compared, caption="Recorded runs with and without r")
else:
    print("No recorded run of this copy compares with and without r, nor does the paper.")

# %% [markdown]
# What to see: on a rectangle the lines of equal r are ellipses, because each axis is scaled to its own length. Whoever wants
# circles has to scale both axes by the longer one. Take r if the distance from the middle means something in your images,
# as in photographs of one object; otherwise leave it out.
#
# ## The decision on a page
#
# | ask | if yes | if no |
# |---|---|---|
# | Is the answer a position, or does it depend on one? | try CoordConv | leave it out: no gain was measured, and some harm |
# | Do your training examples leave out positions that will come later? | CoordConv carries on where a convolution stops | a plain network may do |
# | Is the answer measured from a known position, such as an anchor or the pixel itself? | leave it out, and test that this position is right | see above |
# | Is the network deep and the canvas small, with zero padding? | expect less: it has a blurry position | expect more |
# | Can what is seen occur elsewhere than in training? | coordinates at the input may tie it to its positions; put them late | the input is fine, too |
# | Does the distance from the middle mean something? | try r | i and j are enough |
# | Is the network trained already? | `from_conv` begins with the same numbers | small initial weights for the coordinates |
#
# Then measure it, with ten seeds and a control of zeros (09). These rules come from small tasks, and yours is different.
#
# ## The layer in another layout
#
# PyTorch keeps images as (N, C, H, W), and public layers differ in the order of the two channels. So here is AddCoords once
# more, as others need it: any size, both dtypes, with r or without, in either order.
#
# ### Your turn: `add_coords_first`
#
# 15 minutes, difficulty 2.

# %% tags=["exercise", "add_coords_first"]
# exercise: add_coords_first

# %%
check(add_coords_first)

# %%
# hint("add_coords_first")
# solution("add_coords_first", now=True)

# %% [markdown]
# ## The usual wrong copies
#
# The layer has been copied many times. Three faults came back again and again, and none of them shows on the square images of
# the paper: each axis divided by the length of the **other** one, a size that is written into the code, and a result of
# a different dtype. The first is in the released code itself. On a rectangle of 4 x 7 pixels:

# %%
add_here = yours_or_ours("add_coords_first")
rectangle = np.zeros((1, 1, 4, 7), np.float32)
i, j = add_here(rectangle)[0, 1:]
page.show(
    drawings.copies(
        {
            "right": np.stack([i, j]),
            "the other length": np.stack([(i + 1) * 3 / 6 - 1, (j + 1) * 6 / 3 - 1]),
            "made for 64 x 64": np.stack([(i + 1) * 3 / 63 - 1, (j + 1) * 6 / 63 - 1]),
        }
    ),
    alt="Coordinates of 4 x 7 pixels, as numbers. Right: both run from -1 to 1. Divided by the other "
    "length: i ends at 0, and j at 3. Made for 64 x 64: both stay near -1.",
)

# %% [markdown]
# What to see: a network that is trained on such numbers learns something, and nobody notices. It fails when an image of
# another shape comes, or when its weights are loaded into a layer that is right.
#
# ### Your turn: `what_is_wrong`
#
# 25 minutes, difficulty 3. Eleven layers, written by strangers. You cannot read them; you can call them. Write the test that
# names the fault of each.

# %% tags=["exercise", "what_is_wrong"]
# exercise: what_is_wrong

# %%
check(what_is_wrong)

# %%
# hint("what_is_wrong")
# solution("what_is_wrong", now=True)

# %% [markdown]
# Keep this function. Whenever you take a layer from somewhere, it tells in a second what squares would hide. Here it judges
# your own one, and one in which each axis is divided by the length of the other:

# %%
judge = yours_or_ours("what_is_wrong")


def of_the_other_length(x):
    """Return what the released code would: right on squares."""
    h, w = x.shape[2:]
    y = add_here(np.zeros((len(x), 0, h, w), x.dtype))
    y[:, 0] = (y[:, 0] + 1) * (h - 1) / max(w - 1, 1) - 1
    y[:, 1] = (y[:, 1] + 1) * (w - 1) / max(h - 1, 1) - 1
    return np.concatenate([x, y], axis=1)


print("your layer:", judge(add_here))
print("the other length:", judge(of_the_other_length))

# %% [markdown]
# ## Three files to take along
#
# `minicoord/dropin/` has a file each for PyTorch, Keras and JAX. Each needs its framework and nothing of minicoord, so you
# may copy it into your project, under a name of its own. The layers take the arguments of the framework's own convolution, and
# images of any size, dtype and device.
#
# ### PyTorch

# %%
try:
    import torch

    from minicoord.dropin import torch as for_pytorch
except ImportError:
    for_pytorch = None
    print('PyTorch is not installed here (pip install "minicoord[torch]"), so this cell goes without it.')

if for_pytorch:
    layer = for_pytorch.CoordConv2d(3, 8, kernel_size=3, padding=1, with_r=True)
    print(layer)
    for size in ((5, 7), (64, 48)):
        print(size, "->", tuple(layer(torch.zeros(2, 3, *size)).shape))
    add = for_pytorch.AddCoords()
    print("your test says:", judge(lambda x: add(torch.from_numpy(x)).numpy()))
    ours = for_pytorch.coordinates(5, 9, with_r=True).numpy()  # (3, 5, 9)
    yours = add_here(np.zeros((1, 0, 5, 9)), True)[0]
    print(f"your coordinates differ from its own by at most {np.abs(ours - yours).max():.0e}")

# %% [markdown]
# ### Keras
#
# Keras 3 runs on TensorFlow, JAX or PyTorch; whichever is there will do. Its images are (N, H, W, C), as ours are.

# %%
import os

os.environ["KERAS_BACKEND"] = networks.keras_back_end()
try:
    import keras

    from minicoord.dropin import keras as for_keras
except ImportError:
    for_keras = None
    print('Keras or its back end is not installed here (pip install "minicoord[keras,jax]"), so')
    print("this cell goes without it.")

if for_keras:
    model = keras.Sequential(
        [
            keras.Input((None, None, 3)),
            for_keras.CoordConv2D(8, kernel_size=3, padding="same", activation="relu"),
            keras.layers.GlobalMaxPooling2D(),
            keras.layers.Dense(2),
        ]
    )
    for size in ((5, 7), (64, 48)):
        print(size, "->", tuple(model(np.zeros((2, *size, 3), np.float32)).shape))
    ours = keras.ops.convert_to_numpy(for_keras.coordinates(5, 9, with_r=True))  # (5, 9, 3)
    off = np.abs(ours.transpose(2, 0, 1) - add_here(np.zeros((1, 0, 5, 9)), True)[0]).max()
    print(f"your coordinates differ from its own by at most {off:.0e}")

# %% [markdown]
# ### JAX
#
# A pure function, and a module of Flax.

# %%
try:
    import jax
    from flax import nnx

    from minicoord.dropin import jax as for_jax
except ImportError:
    for_jax = None
    print('JAX or Flax is not installed here (pip install "minicoord[jax]"), so this cell goes without it.')

if for_jax:
    layer = for_jax.CoordConv2D(3, 8, kernel_size=(3, 3), rngs=nnx.Rngs(0))
    fast = nnx.jit(layer)
    for size in ((5, 7), (64, 48)):
        print(size, "->", fast(np.zeros((2, *size, 3), np.float32)).shape)
    ours = np.asarray(for_jax.coordinates(5, 9, with_r=True))  # (5, 9, 3)
    off = np.abs(ours.transpose(2, 0, 1) - add_here(np.zeros((1, 0, 5, 9)), True)[0]).max()
    print(f"your coordinates differ from its own by at most {off:.0e}")

# %% [markdown]
# What to see: one layer, all sizes. If the test says "dtype" of a layer of Keras or JAX, that is the framework: it computes in
# float32 unless told otherwise.
#
# **Conventions of others.** Weights that were trained with a public copy need that copy's coordinates, faults included.
# `CoordConv2d(..., **PRESETS["official"])` has those of the released code, and there are presets for MONAI and
# PaddleDetection. For a network of your own, take the defaults.
#
# ## Weights, there and back
#
# Suppose that you have trained a CoordConv here, and want to use it there. The numbers are the same; the layout is
# not. minicoord has (kh, kw, c_in, c_out) with the coordinates i, j; PyTorch has (c_out, c_in, kh, kw), and the layer on the
# other side may have j before i.
#
# ### Your turn: `kernel_to_torch`
#
# 10 minutes, difficulty 2.

# %% tags=["exercise", "kernel_to_torch"]
# exercise: kernel_to_torch

# %%
check(kernel_to_torch)

# %%
# hint("kernel_to_torch")
# solution("kernel_to_torch", now=True)

# %% [markdown]
# Is it right? Not if the shapes fit, but if the **outputs** are equal, on images that are not square. The next cell
# convolves as PyTorch does, in plain NumPy, with coordinates from your `add_coords_first` and weights from your
# `kernel_to_torch`.

# %%
there = yours_or_ours("kernel_to_torch")
layer = CoordConv2D(3, 8, (3, 5), rng=0, with_r=True)
layer.params["b"][...] = np.linspace(-1, 1, 8)
images = np.random.default_rng(0).normal(size=(2, 9, 14, 3)).astype(np.float32)
wanted = layer.forward(images)  # (2, 9, 14, 8)
for order in ("ij", "xy"):
    channels = add_here(images.transpose(0, 3, 1, 2), True, order)  # (2, 6, 9, 14)
    kernel = there(layer.params["w"], True, order)  # (8, 6, 3, 5)
    y = networks.conv_as_in_pytorch(channels, kernel, layer.params["b"])  # (2, 8, 9, 14)
    off = np.abs(y.transpose(0, 2, 3, 1) - wanted).max()
    print(f'{order}: outputs up to {np.abs(wanted).max():.1f}, which differ by at most {off:.0e}')

# %% [markdown]
# And with PyTorch itself: there by your function and by the one of the file, and back again.

# %%
if for_pytorch:
    for order in ("ij", "xy"):
        conv = for_pytorch.CoordConv2d(3, 8, (3, 5), padding="same", with_r=True, order=order)
        for_pytorch.copy_from_minicoord(conv, layer)
        same = np.array_equal(conv.weight.detach().numpy(), there(layer.params["w"], True, order))
        with torch.no_grad():
            y = conv(torch.from_numpy(images.transpose(0, 3, 1, 2))).numpy().transpose(0, 2, 3, 1)
        back = CoordConv2D(3, 8, (3, 5), rng=1, with_r=True)
        for_pytorch.copy_to_minicoord(conv, back)
        equal = all(np.array_equal(back.params[name], layer.params[name]) for name in ("w", "b"))
        print(f"{order}: outputs differ by at most {np.abs(y - wanted).max():.0e}")
        print("    the file's weights are those of your function:", same)
        print("    the weights that came back are equal:", equal)
else:
    print("PyTorch is not installed here, so the cell above has to be proof enough.")

# %% [markdown]
# What to see: the outputs agree up to the rounding of float32, because sums are taken in another order. The weights that
# made the journey are the same bits.
#
# ## A network that is trained already
#
# Nobody wants to train a large network from the start in order to try two channels. So: can a trained convolution get
# coordinates without forgetting anything?
#
# ### Your turn: `grown_kernel`
#
# 8 minutes, difficulty 1.

# %% tags=["exercise", "grown_kernel"]
# exercise: grown_kernel

# %%
check(grown_kernel)

# %%
# hint("grown_kernel")
# solution("grown_kernel", now=True)

# %% [markdown]
# Now try it. A small plain network is asked where the one lit pixel is: two convolutions, a global maximum, a dense layer. It
# is trained, and stays far off, because behind the maximum nothing says where it was. Then its second convolution grows, and
# both networks go on from the same weights.
#
# | | |
# |---|---|
# | **data** | 24 x 40 pixels, one of them lit; every third position is held out |
# | **networks** | two 3x3 convolutions of 16 channels; the second one plain, or with coordinates |
# | **training** | 8 epochs plain, then 16 more in both ways; Adam with a learning rate of .005 that falls along a cosine |
# | **minutes** | a few seconds |
# | **what failure looks like** | the curve of the network that grew jumps where it grew, or stays where the plain one is |

# %%
grow_here = yours_or_ours("grown_kernel")
plain = networks.finder()
at_first = networks.trained_further(plain, 8)
with_coordinates = networks.grown(plain, grow_here)
x, _ = networks.lit_pixels()
print("same outputs, bit for bit:", np.array_equal(with_coordinates.forward(x), plain.forward(x)))

goes_on = {
    "plain": networks.trained_further(plain, 16, seed=1),
    "with coordinates": networks.trained_further(with_coordinates, 16, seed=1),
}
page.show(
    drawings.continued(at_first, goes_on),
    alt="Distance in pixels over epochs. The plain network stays far off. The one that got "
    f"coordinates begins at the same distance and ends at {goes_on['with coordinates'][-1]:.1f} pixels, "
    f"the plain one at {goes_on['plain'][-1]:.1f}.",
)

# %% [markdown]
# What to see: at the dotted line both curves are at the same height. The weights of the coordinates are zero there, but their
# gradient is not, so they learn. `CoordConv2d.from_conv(conv)` does the same for a trained `nn.Conv2d`, with its stride, groups
# and dilation:

# %%
if for_pytorch:
    trained = torch.nn.Conv2d(6, 8, 3, stride=2, groups=2)
    grown = for_pytorch.CoordConv2d.from_conv(trained)
    x = torch.rand(2, 6, 11, 15, generator=torch.Generator().manual_seed(0))
    print("same outputs, bit for bit:", bool((grown(x) == trained(x)).all()))
    kernel = grow_here(trained.weight.detach().numpy(), 2)
    print("and the weights of your function:", np.array_equal(grown.weight.detach().numpy(), kernel))
else:
    print('PyTorch is not installed here (pip install "minicoord[torch]"), so this cell goes without it.')

# %% [markdown]
# ## What you now know
#
# - Coordinates help where the answer is a position, above all at positions that training left out. Where the answer is relative to
#   a position, or is what is seen, they give nothing, and at the input they can harm.
# - One CoordConv, late, where the position is needed, is where to begin. All is not safer than one.
# - Zero padding gives away the border, a pixel a layer, and blurry. r is a convenience that a linear layer cannot compute.
# - A layer is tested on rectangles, on single rows, at several sizes, in both dtypes, and by its numbers.
# - Weights have arrived if the outputs are equal, on images that are not square.
# - Zero weights for the new channels leave a trained network as it was, and can learn.
#
# ## To think about
#
# <details><summary>1. A colleague trained with the released code on 64 x 64 images and now wants to run on 64 x 96. What
# happens, and what would you advise?</summary>
#
# On squares the released code is right, apart from the order j, i. On 64 x 96 its rows end before 1, and its columns go
# beyond 1, where the network was never trained. A right layer in its place gives coordinates from -1 to 1 again, and the
# weights fit, if the order is `"xy"`. Whether the answers still mean the same is another question: a column at 1 was
# column 63, and is now column 95.
# </details>
#
# <details><summary>2. You train on crops of large images. Which coordinates should a crop get?</summary>
#
# If the position in the whole image matters, those of the whole: add the coordinates first, then crop. A layer that makes them
# for the crop tells where a pixel is in the crop, which depends on the crop alone. If only the position in the crop matters,
# that is right.
# </details>
#
# <details><summary>3. Why is it enough to copy weights with zeros for the coordinates, while zeros in all weights would never
# learn?</summary>
#
# The gradient of a weight is what came in times what comes back. What comes in at the new weights are coordinates, and what
# comes back has passed the trained layers above; neither is zero. If all weights were zero, nothing would come back through
# them, and all channels would stay alike.
# </details>
#
# <details><summary>4. Random flips of the training images are common. What do they do to a network with
# coordinates?</summary>
#
# The coordinates are made after the flip, so an object that was on the left is now on the right, with a column to match. For
# "where is it?" that is right if the target is flipped, too. For "what is it?" it teaches the network that the column does
# not matter, which works against the harm that was measured above.
# </details>
#
# ## The final project
#
# This is the one project of the course. Optional, alone or in pairs, eight to twelve hours. There are two kinds, and you
# choose one: **a study**, which needs lessons 00 to 10, or **a network of your own**, which needs this lesson too.
#
# **A. A study.** You have everything that it needs: layers that you understand, tasks that train in minutes, and a way to
# compare networks honestly. Ask a question of your own, for example:
#
# - *Other coordinates.* Angle and radius, sines of several frequencies, or random numbers that are the same for every
#   image, in place of i and j. Which of them still solve the quadrant split, and why?
# - *Another canvas.* Train on 48 x 48, test on 64 x 64. Which coordinates should the larger canvas get: the same range, or
#   the same step?
# - *A recipe.* The recipe for one of the three tasks of the paper with the fewest failing seeds, chosen on some seeds and
#   reported on fresh ones.
# - *A claim that these lessons left alone.* How large may the held-out part be before CoordConv fails? What if it is in
#   the middle? What if a tenth of the labels are wrong? In which layer do coordinates help most in a task that needs them?
# - *A kernel.* One of your functions made several times as fast, with every step measured, and right on every shape.
#
# **B. A network of your own.** Take a network and a task that you have, in whatever framework. Say from the page above
# whether coordinates should help. Put them in, and find out. Go through this list, and hand it in with the report:
#
# 1. The task in a sentence: is the answer a position, relative to one, or what is seen?
# 2. The layer passes `what_is_wrong`, on the device and in the dtype in which you train.
# 3. Images that are not square go through the whole network.
# 4. The network with coordinate weights of zero computes the same as the one without, before it is trained.
# 5. Crops, flips and resizing come before or after the coordinates, on purpose, and the report says which.
# 6. A control has the same layer and zeros in place of coordinates.
# 7. Parameters and time of a step are reported for all networks.
# 8. A saved and loaded network computes the same, also at a different image size.
# 9. One layer was tried early and one late, on the seeds for choosing.
# 10. The weights of the coordinates after training are shown: did the network use them?
#
# **For both, in this order:**
#
# 1. Write down the question in a sentence, your prediction as a number, and the result that would prove you wrong. Date
#    it. Change nothing of it later.
# 2. Say what changes between the networks that you compare, and what is the same in all of them. What would have the same
#    effect without being your explanation? That is your control (09).
# 3. Make one run short enough to be repeated ten times. `experiments.get("classification").run(...)`, as in lesson 07, or
#    `fit` with a network of your own. Test new code on a canvas that is not square, and new gradients numerically.
# 4. Choose settings on a few seeds. Then run at least ten fresh ones, the same for all networks, and count k of n (05).
#    Report the paired difference with its interval (09).
# 5. Draw the figure that shows **how** it works or fails (04), and not only how often.
# 6. Write two pages: question, prediction, method, result, what speaks against it. A prediction that was wrong costs
#    nothing.
#
# **The rubric.** Twelve points; mark yourself first, then let somebody else do it.
#
# | | 0 points | 1 point | 2 points |
# |---|---|---|---|
# | question | nothing that a measurement could answer | can be answered, without a number predicted | a number predicted beforehand, and what would refute it |
# | comparison | several things change at once | one thing changes | one thing changes, and a control rules out another explanation |
# | code | runs once, on one machine | tested on shapes that are not square; gradients, or the ten points of the list, checked | somebody else repeats the main number with one command |
# | seeds | one, or those that chose the settings | several fresh ones, k of n | ten or more fresh ones, paired, with an interval |
# | figure | none, or axes without names | shows how much | shows how it works or fails |
# | report | claims more than was measured | says what was measured | says also what speaks against it, and what would settle it |
#
# ## Where the paper says it
#
# The layer: Figure 3, and a listing in the supplement (S9), whose first version takes r from a point off the middle. Image
# classification, detection, the generative models and the agents: S5 to S8. The released `AddCoords` divides each axis by
# the length of the other one. Where to put the layer in a network of one's own, the paper leaves open.
#
# **To go on**: `minicoord/dropin/README.md` has the conventions of others side by side, and `lessons/results/README.md` all
# that was measured. This was the last lesson.
