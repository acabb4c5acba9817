# %% [markdown]
# # 09 · No harm
#
# In every lesson so far, position was the answer. Now take a task in which it tells nothing: what is in this picture?
# A shoe is a shoe wherever it lies. Two channels that say where each pixel is cannot help here. Can they harm? The
# paper tried, found a tiny gain, and called it not significant. That is not yet "no harm". This lesson is about what it
# takes to say so.
#
# **After this lesson you can**
# - write the gradient of a residual block, and say why it reaches the first layer of a deep network;
# - write the paper's front layer, and name the control that its comparison lacks;
# - compare two networks in pairs, and say when that is worth more than ten times as many runs;
# - give a difference with its interval, and say what the interval does not say;
# - say how large a harm five or ten seeds could have missed.
#
# **Minutes**: 40 for the three exercises, 45 for the rest. The cells themselves run for about a minute on two idle
# cores with our functions, and two or more longer with plain loops of your own; most of that is training.
#
# **Builds on**: [03](03_backprop.ipynb) (gradients, and how to test them), [05](05_coordconv.ipynb) (CoordConv, r,
# equivariance), [06](06_regression.ipynb) (global average pooling).

# %%
import numpy as np

from minicoord import AdamW, CosineSchedule, experiments, fit, softmax_cross_entropy
from minicoord.datasets.images.shipped import shipped_images
from minicoord.datasets.images.sources import CLASSES
from minicoord.learn import check, hint, solution, using, yours_or_ours
from minicoord.learn.lessons import lesson09, lesson09_drawings as drawings, page

shipped = shipped_images("fashion-mnist")  # 6,000 + 2,000 real images, 28 x 28
names = CLASSES["fashion-mnist"]
images = shipped.train.scaled(np.float32)[..., 0]  # (6000, 28, 28), from 0 to 1
first_of_class = [int(np.flatnonzero(shipped.train.labels == c)[0]) for c in range(10)]
page.show(
    drawings.clothes(images[first_of_class], names),
    alt="Ten grey images of 28 x 28 pixels, one of each class: " + ", ".join(names) + ".",
)

# %% [markdown]
# ## Predict first
#
# Fashion-MNIST: pictures of clothes, ten classes, every piece in the middle of its image. We train a network that is
# right about nine times out of ten. Then we put one CoordConv layer in front of it and train again. By how many
# percentage points will the test accuracy change? And if the pieces lie at random positions in a larger image?

# %%
predicted = {"centred": None, "shifted": None}  # points, such as +0.5 or -1; replace None

# %% [markdown]
# ## The network: a sum of two paths
#
# The paper used ResNet-50, a network of **residual blocks**. Ours is a small one, ResNet-8, with three of them. In such
# a block the image takes two paths. One leads through layers, the *body*. The other, the *shortcut*, leads around them.
# At the end the two are added.

# %%
page.show(
    drawings.block(),
    alt="A residual block. Forward: x goes through the body and through the shortcut, the two "
    "are added, then comes a ReLU, then y. Backward: dy goes through the ReLU, the result dz "
    "goes back along both paths, and what arrives at x is added.",
)

# %% [markdown]
# Why the detour? Look at the gradient. Here are 24 convolutions, one after the other, and the same 24 with a shortcut
# around each. A gradient starts at the top, on the right. How much of it arrives at the first layer?
#
# **Predict**, for small initial weights: a half? A hundredth?

# %%
page.interact(
    drawings.gradients_by_depth,
    lambda scale: (
        f"Size of the gradient at each of 24 layers with initial weights times {scale}, for layers "
        "in a row and for residual blocks, on a logarithmic axis."
    ),
    states=[{"scale": 0.3}, {"scale": 1.0}],
    scale=(0.1, 1.5, 0.1),
)

# %% [markdown]
# What to see: with small weights, every layer in a row takes its share of the gradient, and 24 shares leave nothing. In
# the residual stack the gradient arrives. The body may pass on as little as it likes: the shortcut passes on all that the
# ReLU lets through.
#
# With weights of the usual size it is the other way round. Such weights (He et al., 2015) are made for layers in a row,
# and keep their gradient. In a residual stack each block adds to it, so it grows. That is why the blocks of a ResNet have batch
# norm in their body: it sets the size of what is added.
#
# ### Your turn: `residual_dx`
#
# 10 minutes, difficulty 1 of 3. The right half of the drawing, as code. Body and shortcut are given as functions, so
# that your answer works for every block.

# %% tags=["exercise", "residual_dx"]
# exercise: residual_dx

# %%
check(residual_dx)

# %%
# hint("residual_dx")
# solution("residual_dx", now=True)

# %% [markdown]
# In lesson 03 you tested gradients with central differences. The same test, for a block of two 1x1 convolutions with a
# shortcut that has weights too. (`numeric_gradient` is yours if your notebook of lesson 03 lies beside this one.)

# %%
residual_dx_here = yours_or_ours("residual_dx")
numeric_gradient = yours_or_ours("numeric_gradient")
rng = np.random.default_rng(3)
x, way_out = rng.normal(size=(2, 3, 4, 2)), rng.normal(size=(2, 3, 4, 5))
w1, w2, w_short = rng.normal(size=(2, 6)), rng.normal(size=(6, 5)), rng.normal(size=(2, 5))


def block_forward(x):
    """Return y and what is inside the body, for y = relu(relu(x @ w1) @ w2 + x @ w_short)."""
    inside = np.maximum(x @ w1, 0)
    return np.maximum(inside @ w2 + x @ w_short, 0), inside


y, inside = block_forward(x)
dx = residual_dx_here(
    way_out,  # the loss is the sum of way_out * y, so this is its gradient with respect to y
    y,
    lambda dz: ((dz @ w2.T) * (inside > 0)) @ w1.T,
    lambda dz: dz @ w_short.T,
)
wanted = numeric_gradient(lambda x: np.sum(way_out * block_forward(x)[0]), x, 1e-5)
print(f"largest difference from central differences: {np.abs(dx - wanted).max():.1e}")

# %% [markdown]
# ## The front layer
#
# The paper left ResNet-50 as it was and put one layer in front: a 1x1 CoordConv with eight outputs, over the image and
# i, j and r. The network behind it then reads eight channels instead of three (here: instead of one).
#
# ### Your turn: `front_features`
#
# 15 minutes, difficulty 2. You have all the parts: `add_coords` and `add_r` from lesson 05, and a 1x1 convolution,
# which is one matrix product for each pixel.

# %% tags=["exercise", "front_features"]
# exercise: front_features

# %%
check(front_features)

# %%
# hint("front_features")
# solution("front_features", now=True)

# %% [markdown]
# What comes out, for one image and random weights? The second row is your layer. In the third, the weights of i, j and
# r are zero.

# %%
from minicoord.kernels.coordinates import coordinate_channels

front_here = yours_or_ours("front_features")
boot = images[first_of_class[9]][4:24]  # 20 x 28: a rectangle
rng = np.random.default_rng(1)
w, b = rng.normal(size=(1, 1, 4, 8)), np.zeros(8)
w[:, :, 1:] *= 0.4  # gentle slopes, so that the boot stays visible
w_zero = w.copy()
w_zero[:, :, 1:] = 0
batch = boot[None, :, :, None].astype(np.float64)
i, j, r = np.moveaxis(coordinate_channels(20, 28, with_r=True), -1, 0)
page.show(
    drawings.front_outputs(
        {"image": boot, "i": i, "j": j, "r": r},
        {
            "with i, j, r": front_here(batch, w, b)[0],
            "without": front_here(batch, w_zero, b)[0],
        },
    ),
    alt="Above: an ankle boot and the channels i, j and r. Middle row: eight outputs, each a boot "
    "on a slope of its own. Bottom row: the same eight with zero weights on the coordinates: "
    "the boot eight times, light on dark or dark on light, without slopes.",
)

# %% [markdown]
# What to see: every output is the boot, on a slope of its own. That is the map of lesson 05 once more. The network
# behind it has to find the boot on eight slopes. (A negative weight turns light into dark.)
#
# ### The control that the paper lacks
#
# The paper compares a network **without** this layer with one **with** it. Two things change at once: there is one more
# layer, and there are coordinates. If the accuracy changes, which of the two was it?
#
# So we train three networks:
#
# | | front layer | coordinates |
# |---|---|---|
# | convolution | none | none |
# | zero coordinates (the control) | yes | i = j = r = 0, always |
# | CoordConv | yes | i, j, r |
#
# The control has the same layers and the same number of parameters as CoordConv, and begins with the same weights. Any
# difference between those two can only come from the coordinates.
#
# ## Pairs
#
# The difference that we look for is small, and every seed gives a different accuracy. Here is the trouble in a small study
# that takes no training. A classifier keeps the mean training image of each class, and answers with the class whose
# mean is nearest. The question: **does it harm to halve the resolution**, from 28 x 28 to 14 x 14 pixels?
#
# Each seed draws 100 training images. Ten seeds for either resolution:

# %%
labels = shipped.train.labels
test_images, test_labels = shipped.test.scaled(np.float32)[..., 0], shipped.test.labels


def accuracy_of(train, test, drawn):
    """Return the accuracy of the nearest mean, of the training images with these numbers."""
    answers = lesson09.nearest_mean(train[drawn], labels[drawn], test)
    return np.mean(answers == test_labels)


small, small_test = lesson09.halved(images), lesson09.halved(test_images)
full_size, half_size = [], []
for seed in range(10):
    drawn = np.random.default_rng(seed).choice(len(images), 100, replace=False)
    full_size.append(accuracy_of(images, test_images, drawn))
    half_size.append(accuracy_of(small, small_test, drawn))
full_size, half_size = np.array(full_size), np.array(half_size)
for name, shares in (("28 x 28", full_size), ("14 x 14", half_size)):
    print(
        f"{name}: mean {100 * shares.mean():.2f} %, "
        f"from {100 * shares.min():.1f} to {100 * shares.max():.1f} %"
    )

# %% [markdown]
# **Predict**: the two means are less than a point apart, and a seed is worth several points. Is this difference real,
# or luck? Would you need more seeds to say?

# %%
page.show(
    drawings.pairs_drawn(half_size, full_size, ("14 x 14", "28 x 28")),
    alt="Left: accuracies of ten seeds at both resolutions, joined by lines that run side by side "
    "and fall a little. Middle: the ten differences of the same seed, all negative and close "
    "together. Right: the differences of any two seeds, spread widely around zero.",
)

# %% [markdown]
# What to see: the lines run side by side. A seed that drew good images is good at both resolutions; a seed that drew
# bad ones is bad at both. That luck is **in common**, and a difference of the same seed does not contain it. All ten
# differences are negative.
#
# On the right the same twenty numbers are compared as if each run had a seed of its own. The spread is many times as
# large, and nothing can be seen. So whoever trains one network with seeds 0 to 9 and the other with seeds 10 to 19 has
# thrown the answer away.
#
# How much is a pair worth? The mean of n differences has the spread of one, divided by the root of n. So a spread that
# is 7 times smaller is worth 7 · 7 = 49 times as many runs.

# %%
page.table(
    [lesson09.what_pairs_share(half_size, full_size)],
    caption="Spread (standard deviation) in percentage points",
)

# %% [markdown]
# ## An interval, by drawing again
#
# With ten other seeds the mean difference would be different. How far might it have been off? There is
# no time for a thousand studies, but there is a trick, the **bootstrap** (Efron, 1979): let the ten pairs stand for all
# pairs there might be. Draw ten of them **with replacement**, so that some come twice and others not at all, and take
# the mean. Repeat that ten thousand times, and look at how the means spread.

# %%
chosen = lesson09.chosen_pairs(pairs=10)  # (10000, 10): which pairs each sample consists of
page.show(
    drawings.bootstrap_drawn(100 * (half_size - full_size), chosen),
    alt="Left: ten differences and their mean; below, three samples drawn from them, in which some "
    "pairs come several times, each with another mean. Right: a histogram of 10,000 such means, "
    "with two lines between which 95 % of them lie.",
)

# %% [markdown]
# The 95 % in the middle are the **interval**. What is drawn are pairs, never single runs: the two numbers of a pair
# stay together.
#
# ### Your turn: `paired_interval`
#
# 15 minutes, difficulty 2. Which pairs each sample consists of is handed to you, so that everybody gets the same
# numbers.

# %% tags=["exercise", "paired_interval"]
# exercise: paired_interval

# %%
check(paired_interval)

# %%
# hint("paired_interval")
# solution("paired_interval", now=True)

# %% [markdown]
# Your interval for the small study. Below it is what comes out if the pairs are torn apart: the same accuracies, but each
# seed of one resolution is compared with the next seed of the other.

# %%
interval_here = yours_or_ours("paired_interval")


def interval_row(name, a, b):
    """Return the mean difference of a and b with its interval, as a row of a table."""
    mean, low, high = interval_here(a, b, lesson09.chosen_pairs(len(a)))
    return {
        "": name,
        "pairs": len(a),
        "mean": f"{mean:+.2f}",
        "95 % interval": f"{low:+.2f} to {high:+.2f}",
        "it says": lesson09.reading(low, high),
        "largest harm that fits": lesson09.largest_harm(low),
    }


page.table(
    [
        interval_row("14 x 14 minus 28 x 28, paired", half_size, full_size),
        interval_row("the same, pairs torn", half_size, np.roll(full_size, 1)),
    ],
    caption="Difference in percentage points",
)

# %% [markdown]
# Same twenty runs, same mean. Only one of the two can see it.
#
# ## What an interval does not say
#
# **Zero inside does not mean "no difference".** In the second row zero is inside, and yet the difference is there: the
# first row shows it. The second study was too weak to see it. Absence of evidence is not evidence of absence.
#
# What it does say is at its **ends**. "From -.3 to +.4 points" rules out a harm of one point. "From -3 to +4" rules
# out next to nothing. So a claim of *no harm* needs an interval that is **narrow**, and a sentence about the largest
# harm that still fits.
#
# How narrow will it be? That can be asked before anybody trains. We make up studies: the difference of a pair spreads
# by one point, and the true harm is whatever we say. In how many studies does the whole interval lie below zero, so
# that the harm is seen?

# %%
page.show(
    drawings.chances(spread=1.0),
    alt="Share of made-up studies that show a harm, against the true harm in points, if a pair "
    "spreads by one point. With 40 pairs half a point is seen nearly always; with 10 it takes "
    "about 0.9 points for eight studies of ten.",
)
page.table(
    [lesson09.power_row(pairs, spread=1.0) for pairs in (2, 5, 10, 40)],
    caption="If the difference of a pair spreads by 1 point",
)

# %% [markdown]
# What to see: **a harm that is smaller than the spread of a pair is easily missed by five or ten seeds.** A study that
# could not have seen the harm says nothing about it.
#
# Now the last column. If there is no harm at all, a 95 % interval should miss zero in 5 of 100 studies. With two pairs
# it misses zero in about half of them, because so few differences do not show how far they can spread, and the
# bootstrap can draw only what is there. (The curves count the studies on one side of zero only, and so begin at half of
# this.) Five are still too few, and the curves of 2 and 5 pairs are flattered by that.
# Hence the rule of our reports: **below ten pairs, no verdict**. Even with ten it is about twice as often as it should
# be. So an interval that misses zero by a hair proves nothing.
#
# One more thing that an interval does not say. Whoever looks at twelve of them, as we will, has to expect that one
# misses its truth now and then by luck alone.
#
# ## The experiment
#
# | | |
# |---|---|
# | **the paper** | ResNet-50 on ImageNet, 1.3 million photos of a thousand classes, on 100 GPUs. With the front layer the top-5 accuracy was .04 % higher, the mean of five runs for each network, not significant |
# | **here** | ResNet-8 (77,562 parameters; with front layer 78,610) on Fashion-MNIST, images centred or shifted. Live: the preset `quick`, 3,000 images, 4 epochs, seed 0. The study: all 6,000 images, 10 epochs, ten paired seeds, from records |
# | **what is added** | the control; pairs, with the same order of images and the same initial weights where both have them; an interval; images at positions that no training image had |
# | **what is lost** | everything about large photos, a thousand classes and deep networks. "No harm here" does not mean "no harm there" |
# | **minutes** | about half a minute for the five live runs, on two idle cores; the study takes about half an hour |
# | **what failure looks like** | an interval below zero; or one so wide that it says nothing |
#
# The networks of a seed see the same images in the same order. From the second convolution on, they begin with the same
# weights, bit for bit. (The first one has a different number of inputs.)

# %%
from minicoord.plots.style import model_name

classification = experiments.get("image-classification")


def trained(model, variant):
    """Train as `minicoord run image-classification` does with seed 0; print the result."""
    result = classification.run(model, variant, seed=0, progress=False, overwrite=True)
    m = result["metrics"]
    print(
        f"{model_name(model)}, {variant}: {result['train_seconds']:.0f} s; test accuracy "
        f"{100 * m['test_accuracy']:.2f} %, at new positions {100 * m['new_places_accuracy']:.2f} %"
    )
    return result


centred = {model: trained(model, "centred") for model in ("conv", "control", "coordconv")}

# %% [markdown]
# One seed, after a short training: three numbers, and no way to tell the network from the luck. Keep your conclusions
# for the study below. What one run can show is what training makes of the front layer. On the left its weights before,
# then after; on the right how large the weights of each channel are, all eight together.

# %%
from minicoord.experiments.frame.report import maps_of
from minicoord.plots import front_weights_figure

front = {}
for model in ("coordconv", "control"):
    arrays = maps_of(centred[model])
    front[model] = [(arrays["front_before"], arrays["front"])]
page.show(
    front_weights_figure(front, "weights of the front layer, seed 0, quick preset"),
    alt="Weights of the front layers before and after training, for CoordConv and for the control, "
    "and the norm of the weights of image, i, j and r before and after. Both begin alike; in "
    "the control only the weights of the image are trained.",
)

# %% [markdown]
# How to read it: both begin with the same numbers. In the control the weights of i, j and r get no gradient, because
# their channels are zero; only the weight decay takes a little off. In CoordConv they are trained. If coordinates were
# of no use and in the way, training could turn them off: zero weights make it a plain layer. Whether it does, the panel
# at the upper right tells you: do the norms of i, j and r fall, and how far?
#
# ## Where coordinates could harm
#
# On centred images the coordinates are the same for every image, a fixed pattern that the network can get used to. The
# harder case: put each image at a random position on a canvas of 40 x 40. In training a quarter of the positions is left out,
# as in lesson 04. A network that learns by heart what lies where may be wrong there. A plain convolution treats all
# positions alike. (The centred images have new positions too: they are moved by 2 pixels along a diagonal.)

# %%
page.show(
    drawings.places_drawn(images[first_of_class[9]]),
    alt="An ankle boot at two positions of training and at two new positions on a canvas of 40 x 40 pixels, "
    "and the grid of all positions of its top left corner: 133 of training, 36 new ones in the "
    "lower right.",
)
shifted = {model: trained(model, "shifted") for model in ("conv", "coordconv")}

# %%
page.table(
    [
        {
            "images": variant,
            "network": model_name(model),
            "test accuracy": f"{100 * r['metrics']['test_accuracy']:.2f} %",
            "at new positions": f"{100 * r['metrics']['new_places_accuracy']:.2f} %",
        }
        for variant, results in (("centred", centred), ("shifted", shifted))
        for model, r in results.items()
    ],
    caption="Live: seed 0, quick preset",
)

# %% [markdown]
# ## Ten seeds
#
# Now the study, from the records of this copy. First the question from above: what do pairs of these networks share?
# Training is not as tame as a mean image. Two runs with the same seed and one small change may drift apart, until
# little is left of what they had in common.

# %%
from minicoord import lessons_folder
from minicoord.experiments.records.reading import KeptRuns

kept = KeptRuns(lessons_folder() / "results")
runs = lesson09.unchanged(kept.records)
study = lesson09.study_pairs(runs)
if study:
    page.table(
        [
            {
                "measured": pairs.measured,
                "networks": pairs.networks,
                **lesson09.what_pairs_share(pairs.a, pairs.b),
            }
            for pairs in study
        ],
        caption="Spread over the seeds, in percentage points",
    )
    print("made by:", *sorted({r["command"] for r in runs if r["command"]}), sep="\n  ")
else:
    print("The study is not recorded in this copy. To make it:")
    print("  minicoord sweep image-classification --grid record")

# %% [markdown]
# How to read it: if the spread of the paired difference is clearly smaller than that without pairs, the seeds had luck
# in common, and the last number is larger than the number of pairs. If the two are about equal, the pairs shared next
# to nothing. Then pairing has cost nothing and gained nothing. Of ten pairs, such a table can tell a factor of two, and
# not a few percent.
#
# ### The differences

# %%
if study:
    page.show(
        drawings.differences_drawn(study, interval_here, paper=0.04),
        alt="Differences of the paired seeds in percentage points, with their mean and its 95 % "
        "interval, for each two networks, on centred and shifted images, at positions of training "
        "and at new ones.",
    )
    page.table(
        [interval_row(f"{pairs.measured}: {pairs.networks}", pairs.a, pairs.b) for pairs in study],
        caption="Differences in percentage points, by paired_interval",
    )

# %% [markdown]
# How to read it, row by row:
#
# - **CoordConv minus convolution** is the paper's comparison. Its "+.04 %" is the dotted line: a different network,
#   task and measure, so it is a mark to look at, and not a number to meet.
# - **Zero coordinates minus convolution** is what one more layer does.
# - **CoordConv minus zero coordinates** is what the coordinates do. That is the row that answers our question.
# - **At new positions** asks what happens where no training image lay. There a network that tied what it learned to
#   positions would show it.
#
# Then compare with what you predicted. In the study that comes with this lesson, one more layer changes nothing that ten
# pairs could see. Coordinates do no harm that is seen where the pieces are centred and stay so. They cost about a point
# on shifted images, and about four points at the new positions of centred ones. So "no harm" depends on the task. And ask
# the question of this lesson of every row with zero inside: could these seeds have seen a harm that you would care
# about?

# %%
for pairs in study:
    if pairs.networks == "CoordConv minus zero coordinates":
        spread = pairs.differences.std(ddof=1)
        seen = lesson09.power_row(len(pairs.a), spread)["8 of 10 studies show a harm of"]
        print(f"{pairs.measured}: {len(pairs.a)} pairs that spread by {spread:.2f} points")
        print(f"  8 of 10 such studies show a harm of {seen}")
for pairs in study:
    variant, metric = pairs.measured.split(", ")
    if pairs.networks == "CoordConv minus convolution" and metric == "test accuracy":
        guess = "nothing yet" if predicted[variant] is None else f"{predicted[variant]:+g}"
        print(f"{variant}: you predicted {guess}; it was {pairs.differences.mean():+.2f} points")

# %% [markdown]
# ### Where it is right
#
# The accuracy at each position on the canvas, on shifted images, from the runs whose answers are kept. The line encloses
# the new positions. A network that treats all positions alike gives an even picture, with the noise of few images for
# each position.

# %%
from minicoord.experiments.image_classification.figures import DRAWINGS

with_arrays = [(r, kept.maps(r)) for r in runs]
with_arrays = [(r, arrays) for r, arrays in with_arrays if arrays is not None]
by_place = DRAWINGS["accuracy-by-place"](with_arrays)
if by_place is None:
    print("No answers of shifted images are kept in this copy.")
else:
    page.show(
        by_place,
        alt="Accuracy at each of 13 x 13 positions on the canvas, a panel for each network; a line "
        "encloses the 36 new positions at the lower right.",
    )

# %% [markdown]
# ## Your code in the library
#
# The last figure is a study that your functions make from end to end. A smaller network (4, 8 and 16 channels) trains
# on 600 images, with five seeds, as CoordConv and as its control. Every front layer with coordinates calls
# `front_features`, every residual block calls `residual_dx` in its backward pass, and `paired_interval` has the last
# word: yours where they have passed, ours otherwise.

# %%
from minicoord.experiments.image_classification.data import run_data
from minicoord.experiments.image_classification.experiment import predictions
from minicoord.experiments.image_classification.networks import residual_network


def small_accuracy(model, seed):
    """Train a small network with your functions; return its accuracy, and the calls of residual_dx."""
    parts = run_data("centred", None, 600, seed)
    net = residual_network(model, seed, channels=(4, 8, 16))
    net = lesson09.with_your_blocks(net, residual_dx_here)
    fit(
        net,
        softmax_cross_entropy,
        AdamW(0.01, decay=0.01),
        parts.train.images,
        parts.train.labels,
        epochs=6,
        batch_size=32,
        seed=seed,
        schedule=CosineSchedule(0.01, 6),
        progress=False,
    )
    right = predictions(net, parts.test.images[:1000]) == parts.test.labels[:1000]
    return right.mean(), sum(b.calls for b in net.layers if isinstance(b, lesson09.JoinedBlock))


results, calls_of_blocks = {"coordconv": [], "control": []}, 0
with using(front_features=front_here) as calls:
    for seed in range(5):
        for model, shares in results.items():
            share, used = small_accuracy(model, seed)
            shares.append(share)
            calls_of_blocks += used
print("calls:", dict(calls), "and residual_dx:", calls_of_blocks)
a, b = (np.array(results[model]) for model in ("coordconv", "control"))
print(f"mean accuracy: {100 * a.mean():.1f} % with coordinates, {100 * b.mean():.1f} % with zeros")

# %%
mine = lesson09.StudyPairs("CoordConv minus zero coordinates", "small network, 5 seeds", a, b)
recorded = [
    pairs
    for pairs in study
    if pairs.networks == mine.networks and pairs.measured.endswith("test accuracy")
]
page.show(
    drawings.differences_drawn([mine, *recorded], interval_here),
    alt="Differences between CoordConv and the control: the small study of five seeds made with "
    "your functions, and the recorded study on centred and on shifted images if it is there. "
    "Each panel has the pairs as points, and their mean with its interval.",
)
page.table([interval_row(mine.measured, a, b)], caption="Percentage points. Five pairs: no verdict")

# %% [markdown]
# What to see: mind the scales, which differ from panel to panel. The small study is cheap, unfinished and of five
# seeds, and its interval is as wide as that deserves. Whatever it says about zero, it is no answer. What it needs is
# what the recorded study has: longer training, more images and more seeds.
#
# ## What you now know
#
# - A residual block adds two paths. Its gradient is the sum of what comes back along both, and the shortcut always
#   brings some.
# - The paper's front layer changes two things at once. A control that changes one of them tells which one matters.
# - Runs with the same seed are pairs. Their differences are free of the luck that both have in common; how much that is
#   has to be measured.
# - An interval says which differences fit. *No harm* is a claim about its lower end, and not about zero being inside.
# - Before a study: how large a harm could it see? After it: how large a harm still fits?
#
# ## To think about
#
# <details><summary>1. The test set has 2,000 images. How many points is one image, and does pairing help against the
# luck of which images are in the test set?</summary>
#
# One image is .05 points. If an accuracy of 88 % is measured on 2,000 images, drawing other images would move it by .7
# points (one standard deviation, the root of .88 · .12 / 2000). Both networks of a pair are tested on the same images,
# though. Where both are right or both are wrong, it does not matter which images were drawn; only those count on which
# they disagree. But all ten seeds share this one test set, so no interval over seeds contains that luck. A claim about
# other images needs other images.
# </details>
#
# <details><summary>2. The paper has the mean of five runs for each network, and says "not significant". What would you
# ask its authors?</summary>
#
# How far did the five runs spread, were they paired, and what is the interval? If top-5 accuracies of such networks
# spread by a tenth of a point from seed to seed, the difference of two means of five is good to about .12 points at 95 %. Then a harm
# of more than a tenth of a point does not fit, and "no harm" is a strong claim. With a different spread it is a different
# claim.
# </details>
#
# <details><summary>3. On centred images, test images that are moved by 2 pixels are new to every network. Which of the
# three would you trust there, and why?</summary>
#
# Convolution with a mean over the image at its end gives nearly the same answer for a moved image; borders and strides
# spoil that a little. With coordinates a moved piece lies on a different part of each slope, so the features of its pixels
# change. The network never had a reason to ignore that, because in training nothing moved. The rows "at new positions"
# above say how much it mattered.
# </details>
#
# <details><summary>4. You run five seeds, the interval just contains zero, and you add five more to see "whether it gets
# significant". What is wrong with that?</summary>
#
# You would have stopped, had the first five shown it. Looking twice gives luck two chances, so zero is missed more
# often than in 5 of 100 studies. Fix the number of seeds beforehand, as this study did.
# </details>
#
# ## A challenge
#
# Harder than an exercise, optional and unmarked.
#
# **Design the study.** The paper's difference on ImageNet was +.04 points, and it was "not significant". Take the spread
# of the paired differences of this lesson for that of such networks. With how many pairs is the interval narrow enough
# that +.04 would be told from zero in four of five studies? How many runs is that, and how many would it be without
# pairs? Simulate it: draw differences with this mean and spread, give them to `paired_interval`, and count how often zero
# is outside. 30 minutes.
#
# <details><summary>A direction</summary>
#
# The width of an interval shrinks with the square root of the number of pairs. Begin with a guess from that, then
# simulate a thousand studies for a few sizes around it.
#
# </details>
#
# ## Where the paper says it
#
# The image classification experiment is in section 5, with details in the supplement (S5). The front layer with r is
# described there; the paper does not say whether an activation follows it, and has no control.
#
# **Next**: [10 · Finding digits](10_finding_digits.ipynb), where position is what is asked for.
