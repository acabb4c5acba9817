# %% [markdown]
# # 06 · Pixels to coordinates: regression
#
# Now the other direction: an image with one lit pixel goes in, and two numbers come out, saying where it is.
# Convolution should be at home here, because this is seeing, not painting. It is not. The paper needed a different
# convolutional network for each split. One network does both: it has 906 parameters, no ReLU at all, and ends in a
# maximum.
#
# **After this lesson you can**
# - measure a regressor in pixels, and know which number is no better than a constant;
# - say why two sound convolutional networks can read positions and still not know the rule;
# - explain how a **linear** network with a maximum finds a pixel, why a mean cannot, and why some seeds never start;
# - write down its weights.
#
# **Minutes**: 28 for the two exercises, 50 for the rest. The cells themselves run for about a minute on two idle
# cores with our functions, and two or more longer with plain loops of your own; nearly all of that is training.
#
# **Builds on**: [03b](03b_pooling_softmax_adam.ipynb) (max pooling and where its gradient goes),
# [05](05_coordconv.ipynb) (CoordConv).

# %%
import numpy as np

from minicoord import (
    Adam,
    Conv2D,
    CoordConv2D,
    CosineSchedule,
    GlobalMaxPool,
    Sequential,
    fit,
    mean_squared_error,
)
from minicoord.datasets import not_so_clevr, split
from minicoord.learn import check, hint, solution, using, yours_or_ours
from minicoord.learn.lessons import lesson06, page

data = not_so_clevr()
images = data.one_hot()  # (3136, 64, 64, 1)
targets = (data.centres / 64).astype(np.float32)  # (3136, 2): x, y
parts = {name: split(data, name) for name in ("uniform", "quadrant")}

# %% [markdown]
# ## The task, reversed
#
# One pixel of 64 x 64 is 1, all others are 0. The targets are x and y, in pixels, divided by 64 as in the official
# code. The loss is the mean squared error. The data and the two splits are those of lesson 04: a fifth of the positions
# held out here and there, or a whole quarter.

# %%
three = [0, 1500, 3135]
page.show(
    lesson06.lit_pixels(images[three], targets[three]),
    alt="Three black images with one lit pixel each, ringed, and the two numbers wanted for "
    "each: x / 64 and y / 64.",
)

# %% [markdown]
# **Predict**: a convolutional network with pooling and two dense layers, 72,850 parameters, is trained on each split.
# By how many pixels will it be off at positions that it has not seen? On the uniform split, and on the quadrant split?

# %%
predicted = {"uniform": None, "quadrant": None}  # in pixels; replace None with your guess

# %% [markdown]
# ## How far off?
#
# The loss is good for training and hard to read: is .0007 a lot? Say it in pixels.
#
# ### Your turn: `mean_distance`
#
# 8 minutes, difficulty 1 of 3.

# %% tags=["exercise", "mean_distance"]
# exercise: mean_distance

# %%
check(mean_distance)

# %%
# hint("mean_distance")
# solution("mean_distance", now=True)

# %% [markdown]
# Before any network: how far off is an answer that **never looks at the image**? The best constant is the mean of the
# training set. A network that ends near these numbers has learned nothing.

# %%
distance_here = yours_or_ours("mean_distance")
constant = {}
for name, part in parts.items():
    mean = targets[part.train].mean(axis=0)
    constant[name] = distance_here(np.tile(mean, (len(part.test), 1)), targets[part.test])
    print(
        f"{name}: always ({64 * mean[0]:.1f}, {64 * mean[1]:.1f}), off by {constant[name]:.1f} "
        "pixels on the test"
    )

# %% [markdown]
# ## Two convolutional networks
#
# The paper had one for each split.
#
# - **conv + FC**, for the uniform split: four 3x3 convolutions with ReLU, three max poolings between them, then two
#   **dense** layers, in which every output is a sum over all inputs. 72,850 parameters, nine tenths of them in the first dense layer, which has a weight for each position
#   of an 8 x 8 map.
# - **fully convolutional**, for the quadrant split: nine convolutions, five of them with stride 2, two batch norms, and
#   a global **mean** at the end. 12,914 parameters. No layer has weights that belong to positions.
#
# **Predict**: which of the two can extrapolate into a quarter that it has not seen?
#
# | | |
# |---|---|
# | **the paper** | a grid of 9 settings for each network on its own split, 100 epochs of 10 steps (batches of 256) |
# | **here** | every network on both splits; the settings in the table below, the preset `quick`; seed 0 |
# | **what is lost** | little: fewer epochs, but smaller batches, so about as many steps; one seed, and not the best of nine |
# | **minutes** | about half a minute for all four, on two idle cores |
# | **what failure looks like** | ten pixels and more on the test, against less than one on the training set |

# %%
from minicoord import experiments
from minicoord.experiments.regression.experiment import predictions
from minicoord.plots.style import model_name

regression = experiments.get("regression")
page.table(
    [
        {
            "network": model_name(model),
            "epochs": p.epochs,
            "batch": p.batch_size,
            "learning rate": p.lr,
            "L2": p.l2,
        }
        for model, p in regression.presets["quick"].items()
    ],
    caption="Adam, beta2 .99, the learning rate decaying to zero along a cosine",
)

# %%
plan = [
    ("conv-fc", "uniform"),
    ("conv-full", "uniform"),
    ("conv-fc", "quadrant"),
    ("conv-full", "quadrant"),
]


def trained(model, split_name):
    """Train as `minicoord run regression --model MODEL --split SPLIT` does; print the result."""
    result = regression.run(model, split_name, seed=0, progress=False, overwrite=True)
    m = result["metrics"]
    print(
        f"{model_name(model)}, {split_name}: {result['parameters']:,} parameters, "
        f"{result['epochs']} epochs, {result['train_seconds']:.0f} s; off by {m['train_distance']:.2f} px on train, "
        f"{m['test_distance']:.2f} on test"
    )
    return result


results = [trained(*which) for which in plan]

# %%
page.show(
    lesson06.distance_curves(results, constant),
    alt="Mean distance against epochs, on a logarithmic axis. Uniform split: train and test "
    "of both networks fall together. Quadrant split: train falls, test stays within a "
    "factor of a few of the constant answer.",
)
tested = {r["variant"]: r["metrics"]["test_distance"] for r in results if r["model"] == "conv-fc"}
page.table(
    [
        {
            "split": name,
            "you predicted": "-" if guess is None else f"{guess} px",
            "conv + FC": f"{tested[name]:.1f} px",
        }
        for name, guess in predicted.items()
    ],
    caption="Mean distance on the test, seed 0",
)

# %% [markdown]
# What to see: on the **uniform** split the thick lines (test) follow the dashed ones (train). On the **quadrant** split
# they separate: what is learned on three quarters does not hold in the fourth.
#
# The paper found more: its fully convolutional network partly extrapolated into the quarter, and was poor on the
# uniform split. Compare the lines above: with smaller batches ours need not be poor there. This is one seed of our own
# recipe; the official settings come below. What the paper concludes holds either way: **no single convolutional network
# does both splits**.
#
# ## Where they see the pixels
#
# Each dot is an answer. The truth is on the left. This is the right half of the paper's Figure 5, where the cloud of
# the convolutional network is a smeared wedge.

# %%
from minicoord.experiments.frame.report import maps_of
from minicoord.plots import error_maps

of_quadrant = {r["model"]: maps_of(r) for r in results if r["variant"] == "quadrant"}
page.show(
    lesson06.clouds(of_quadrant),
    alt="Answers of both convolutional networks on the quadrant split. On the training set "
    "they form three quarters of a square, as they should; on the test set they are "
    "smeared and do not fill the fourth quarter.",
)

# %% [markdown]
# The same errors on the canvas, at the position of each lit pixel. Grey positions are not in this part of the data.

# %%
page.show(
    error_maps(of_quadrant, "quadrant"),
    alt="Distance between answer and truth over the canvas. Small on the three quarters of "
    "the training set; large in the test quarter, for conv + FC most of all in its far corner.",
)

# %% [markdown]
# What to see: both are right on three quarters. In the fourth, the error of conv + FC grows from the edge of the known
# part inwards, to tens of pixels in the far corner: it falls back to positions that it has seen. The error of the fully
# convolutional network is patchy: smaller in some positions, and by no rule.
#
# - In **conv + FC** the weights of the dense layer belong to positions. Those of the unseen quarter were never asked to
#   do anything, and still have their initial values, or what L2 left of them.
# - The **fully convolutional** network has no weights that belong to positions. What tells it a position at all? Only
#   that zeros lie beyond the border, and that every stride of 2 leaves fewer positions, in the end 2 x 2. That is a
#   roundabout way to count pixels.
#
# ## Full length
#
# Longer runs, with the settings of the official logs (100 epochs, batches of 256), are made by `minicoord sweep
# regression --grid record`. This copy has these (solved: below half a pixel on train and test):

# %%
from minicoord import lessons_folder
from minicoord.experiments.records.reading import KeptRuns
from minicoord.experiments.records.reproduce import grouped

kept = KeptRuns(lessons_folder() / "results")
records = [r for r in kept.records if r["experiment"] == "regression"]


def row(runs):
    """Return the results of the recorded runs of one setting, as a row of the table."""
    first, far = runs[0], [r["metrics"]["test_distance"] for r in runs]
    settings = first["settings"]
    start = {
        "coordinate weights": f"x {settings.get('init_scale', 1.0):g}",
        "at the mean": "yes" if settings.get("start_at_mean") else "",
    }
    return {
        "network": model_name(first["model"]),
        "split": first["variant"],
        "preset": first["preset"],
        "learning rate": settings["lr"],
        "epochs": settings["epochs"],
        **(start if first["model"] == "coordconv" else {}),
        "solved": f"{sum(r['solved'] for r in runs)} of {len(runs)}",
        "test, median": f"{np.median(far):.2f} px",
        "worst": f"{max(far):.2f} px",
    }


conv_runs = [r for r in records if r["model"] in ("conv-fc", "conv-full")]
if conv_runs:
    page.table(
        [row(runs) for runs in grouped(conv_runs).values()],
        caption="Convolution, regression: recorded runs",
    )
else:
    print("No run of a convolutional network is recorded in this copy.")

for name in parts:
    of_split = [r for r in conv_runs if r["variant"] == name and kept.maps(r)]
    first = {r["model"]: r for r in reversed(of_split)}  # of each network
    some = {model: kept.maps(r) for model, r in first.items()}
    if some:
        rates = ", ".join(f"{model_name(m)}: {r['settings']['lr']:g}" for m, r in first.items())
        page.show(
            lesson06.clouds(some),
            alt=f"Answers of the recorded convolutional networks on the {name} split, train "
            "above and test below, beside the truth.",
            caption=f"{name} split, official settings; learning rate of {rates}",
        )

# %% [markdown]
# What to see: with the official settings conv + FC is good on the uniform split, and the fully convolutional network is
# several times as far off there, as in the paper. On the quadrant split both fail. The paper says that its fully
# convolutional network partly extrapolates there; our one seed does not show it.

# %% [markdown]
# ## CoordConv, without a single ReLU
#
# The paper's network: a 1x1 CoordConv with 8 channels, two 1x1 convolutions, and two 3x3 convolutions, the last with
# two channels, one for x and one for y. At the end comes the **maximum** of each channel over all 64 x 64 pixels. 906
# parameters.
#
# Look at the listing: there is no activation anywhere. Five linear layers in a row are **one** linear layer. The
# authors found that out after the paper: the code has no ReLU, and the text did not say so.

# %%
from minicoord.experiments.regression.regressors import coordconv_regressor

_ = coordconv_regressor(rng=0).summary((64, 64, 1))  # it prints

# %% [markdown]
# **Predict**: can a linear map from images to numbers, followed by a maximum, find a lit pixel?

# %%
results.append(trained("coordconv", "quadrant"))

# %%
of_quadrant["coordconv"] = maps_of(results[-1])
page.show(
    lesson06.clouds(of_quadrant),
    alt="Answers of three networks on the quadrant split. CoordConv fills the fourth quarter as "
    "the truth does.",
)
print(
    f"the worst of all 729 unseen positions is off by {results[-1]['metrics']['test_worst']:.3f} "
    "pixels"
)

# %% [markdown]
# ## How can it?
#
# Take one channel, the one for x. Since everything is linear, each pixel computes
#
# > (something for being lit) + (something for its position) + (a constant).
#
# Let every pixel **state its own column**. That is what a coordinate channel is for. Now the maximum of all of them is
# 63, the last column, whichever pixel is lit. So push all pixels down by 64, and lift the lit one by 64 again. All dark
# pixels are below zero. The lit one states its column, and it is the largest.
#
# Move the lift. At which value does the lit pixel begin to win at every position?

# %%
page.interact(
    lesson06.lifted,
    lambda x, y, lift: (
        f"Scores of all pixels and along row {y}, with ({x}, {y}) lit and lifted by {lift}; "
        "their maximum and their mean."
    ),
    states=[
        {"x": 20, "y": 30, "lift": 0},
        {"x": 20, "y": 30, "lift": 30},
        {"x": 20, "y": 30, "lift": 64},
        {"x": 45, "y": 30, "lift": 64},
    ],
    x=(0, 63),
    y=(0, 63),
    lift=(0, 80),
)

# %% [markdown]
# What to see: as long as the lift is too small, the maximum comes from a dark pixel at the right edge. Above 63 it
# comes from the lit pixel, wherever that is. Then leave the lift alone and move x: the maximum follows, and the mean of
# all pixels (dotted) stays. In a mean the lit pixel counts **the same wherever it is**.
#
# ### Your turn: `exact_regressor`
#
# 20 minutes, difficulty 3. Find the eight weights, two of them zero, for a canvas of any size. The check lights every
# pixel in turn.

# %% tags=["exercise", "exact_regressor"]
# exercise: exact_regressor

# %%
check(exact_regressor)

# %%
# hint("exact_regressor")
# solution("exact_regressor", now=True)

# %% [markdown]
# The same as a network of the library: one CoordConv with two channels and a global maximum. The exercise answers in
# pixels, the task wants them divided by 64, so the weights are divided by 64.

# %%
weights = yours_or_ours("exact_regressor")(64, 64) / 64
first = CoordConv2D(1, 2, 1)
first.params["w"][0, 0] = weights[:3]  # image, i, j
first.params["b"][:] = weights[3]
by_hand = Sequential([first, GlobalMaxPool()])
found = predictions(by_hand, images, np.arange(len(data)))
print(
    f"{by_hand.n_params} parameters, off by {np.hypot(*(found - data.centres).T).max():.5f} "
    "pixels at most"
)

# %% [markdown]
# ## Why it must be the maximum
#
# Replace the maximum with a mean, keeping the weights. A mean is linear too, so the whole network is. And a sum over
# all pixels adds what the lit pixel contributes to a constant, and the order of a sum is of no importance. **The answer
# does not depend on where the pixel is.**

# %%
from minicoord import GlobalAvgPool

along = np.arange(4, 60)
row_of_images = np.zeros((len(along), 64, 64, 1), np.float32)
row_of_images[np.arange(len(along)), 30, along] = 1
answers = {}
for name, pooling in (("maximum", GlobalMaxPool()), ("mean", GlobalAvgPool())):
    said = 64 * Sequential([first, pooling]).forward(row_of_images)[:, 0]
    answers[f"by hand, {name}"] = np.stack([along, said], axis=1)
page.show(
    lesson06.pooled_answers(answers),
    alt="Answer against true x, along row 30. With the maximum it is the diagonal; with the mean "
    "a horizontal line.",
)

# %% [markdown]
# Would training find other weights that work with a mean? It cannot: the argument holds for all weights, apart from
# what happens at the border. And ReLUs with the maximum? They cut off what lies below zero, and pushing down is half of
# the trick. Here are two short runs on the quadrant split, started like the network above:

# %%
from minicoord import ReLU
from minicoord.experiments.regression.regressors import start_at_mean

recipe = regression.presets["quick"]["coordconv"]


def variant(pooling, relu, epochs, seed=0):
    """Train the CoordConv regressor with another pooling or with ReLUs, and return it."""
    *layers, _ = coordconv_regressor(rng=seed, coordinate_scale=recipe.init_scale).layers
    if relu:
        layers = [each for layer in layers for each in (layer, ReLU())][:-1]  # none after the last
    net, train = Sequential([*layers, pooling]), parts["quadrant"].train
    if recipe.start_at_mean:
        start_at_mean(net, images[train[::20]], targets[train])
    fit(
        net,
        mean_squared_error,
        Adam(recipe.lr, beta2=recipe.beta2, l2=recipe.l2),
        images[train],
        targets[train],
        epochs=epochs,
        batch_size=recipe.batch_size,
        seed=seed,
        schedule=CosineSchedule(recipe.lr, epochs),
        progress=False,
    )
    return net


variants = {
    "linear, mean": variant(GlobalAvgPool(), relu=False, epochs=2),
    "ReLU, maximum": variant(GlobalMaxPool(), relu=True, epochs=recipe.epochs),
}
for name, net in variants.items():
    off = {}
    for k in ("train", "test"):
        part = getattr(parts["quadrant"], k)
        found = predictions(net, images, part)
        off[k] = distance_here(found / 64, targets[part])
    print(
        f"{name}: off by {off['train']:.2f} px on train, {off['test']:.2f} on test; test answers "
        f"spread by {found.std(axis=0).max():.2f} px"
    )

# %% [markdown]
# With the **mean** the answers do not spread at all: after two epochs the answer is a constant, close to the best one.
# With **ReLUs** things turn out differently from what you might think. Started as carefully as ours, such a network can
# learn the training set; whether it extrapolates into the quarter as the linear one does, its error on the test
# tells, for one seed.
#
# Started like the official code, none of them learns even the training set. These are 100 epochs each, by `minicoord
# run regression --preset paper --model coordconv-relu` and the like:

# %%
changed = [r for r in records if r["model"] in regression.more_models]
if changed:
    page.table(
        [
            {
                "network": model_name(r["model"]),
                "split": r["variant"],
                "off on train": f"{r['metrics']['train_distance']:.1f} px",
                "off on test": f"{r['metrics']['test_distance']:.1f} px",
            }
            for r in changed
        ],
        caption="Regression by changed CoordConv networks: recorded runs, one seed each",
    )
else:
    print("No run of a changed network is recorded in this copy.")

# %% [markdown]
# The advantage of the linear network is that it has **no way to be anything but a plane and a spike**. It cannot bend
# in the unseen quarter.
#
# ## Seeds that never start
#
# Maxima have a price. You know it from lesson 03b: the gradient of a maximum goes to the **winner alone**. If a dark
# pixel in a corner wins for every image, then every image gives the same answer and trains the same pixel. The lit
# pixel never hears of it.
#
# So look at the very beginning: before any training, for how many images is the maximum at the lit pixel? (Or within
# two pixels of it, which is how far the two 3x3 kernels reach.) On the left, the coordinate weights have their usual
# size. In the middle and on the right, they have a tenth and three hundredths of it.

# %%
sample = parts["quadrant"].train[::40]
shares = {
    f"coordinates x {scale:g}": np.array(
        [
            lesson06.share_seen(coordconv_regressor(rng=s, coordinate_scale=scale), data, sample)
            for s in range(16)
        ]
    )
    for scale in (1.0, 0.1, 0.03)
}
page.show(
    lesson06.starts(shares),
    alt="Share of images whose maximum is at the lit pixel before training, for 16 seeds. "
    "With usual weights near zero for nearly all seeds; with a tenth near 100 % for most; "
    "with three hundredths for nearly all.",
)
for name, values in shares.items():
    print(
        f"{name}: at least nine tenths of the images, for x and for y, with "
        f"{(values.min(axis=1) >= 0.9).sum()} of 16 seeds"
    )

# %% [markdown]
# What to see: with weights drawn as in the official code, **hardly any seed starts at the lit pixel**. The tilt of the
# plane is steeper than the spike is high. Training can fix that, sooner or later or not at all: see the rows with "x 1"
# below. The authors call the model finicky. With small coordinate weights the plane starts out nearly flat and the
# spike sticks out.
#
# The results in the recorded runs, k of n seeds below half a pixel on train and test:

# %%
coordconv_runs = [r for r in records if r["model"] == "coordconv"]
if coordconv_runs:
    page.table(
        [row(runs) for runs in grouped(coordconv_runs).values()],
        caption="CoordConv, regression: recorded runs",
    )
    print(
        "made by:",
        *sorted({r["command"].split(" --seed ")[0] for r in coordconv_runs if r["command"]}),
        sep="\n  ",
    )
else:
    print("No run of CoordConv is recorded in this copy.")

# %% [markdown]
# There is a second trap. The maximum over 4,096 pixels starts too high or too low, and the first steps push all weights
# in one direction to make up for it; on the way, the spike may be lost. Hence the column "at the mean": the last bias
# is set beforehand so that the answers start at the mean of the targets. Both are our own additions to the recipe.
#
# ## What it has learned
#
# The trained network, taken apart: what it computes for x before the maximum is taken. The lit pixel is in the unseen
# quarter.

# %%
from pathlib import Path

from minicoord import load_weights

learned = coordconv_regressor(rng=0)
load_weights(Path(results[-1]["folder"]) / "weights.npz", learned)
k = int(np.flatnonzero((data.centres == (50, 40)).all(axis=1))[0])
page.show(
    lesson06.learned_scores(learned, images[k : k + 1]),
    alt="Left: scores for x around the lit pixel, a pattern of 5 x 5 pixels with one highest. "
    "Right: along the row of that highest score, a rising line with a spike, which is the "
    "maximum of all.",
)

# %% [markdown]
# What to see: a plane that rises with the column, and a spike that sticks out of it, as with your weights by hand.
# Gradient descent has found the trick, with one twist: two 3x3 kernels turn the lit pixel into a pattern of 5 x 5, and
# its highest point need not be in the middle. Any of the 25 will do, as long as it is always the same one.

# %% [markdown]
# ## Your code in the library
#
# The last figure is made by your functions. On a canvas of 16 x 16, a small linear CoordConv with a maximum is trained
# on three quarters of 196 positions. Every convolution calls `im2col`, every CoordConv `add_coords`, and
# `mean_distance` measures the result: yours where they have passed, ours otherwise. `im2col` and `add_coords` are taken
# from the notebooks of lessons 02 and 05, if you saved them beside this one.

# %%
small = not_so_clevr(16, 3)
quarter = split(small, "quadrant")
x_small, y_small = small.one_hot(), (small.centres / 16).astype(np.float32)

rng = np.random.default_rng(0)
first = CoordConv2D(1, 4, 1, rng=rng)
first.params["w"][:, :, 1:] *= 0.03
net = Sequential([first, Conv2D(4, 2, 3, rng=rng), GlobalMaxPool()])
start_at_mean(net, x_small[quarter.train], y_small[quarter.train])


def far(net, epoch):
    """Return how far off the network is on the test, in pixels of the small canvas."""
    answers = net.forward(x_small[quarter.test])
    return {"test_distance": distance_here(answers, y_small[quarter.test]) / 64 * 16}


with using(im2col=yours_or_ours("im2col"), add_coords=yours_or_ours("add_coords")) as calls:
    history = fit(
        net,
        mean_squared_error,
        Adam(0.01, beta2=0.99),
        x_small[quarter.train],
        y_small[quarter.train],
        epochs=60,
        batch_size=16,
        seed=0,
        schedule=CosineSchedule(0.01, 60),
        evaluate=far,
        progress=False,
    )
    said = 16 * net.forward(x_small)
print("calls:", dict(calls))
print(f"off by {history.last['test_distance']:.3f} pixels on the unseen quarter")

# %%
page.show(
    lesson06.small_canvas(small, quarter, said, history.rows),
    alt="Left: answers of the small network over the true positions of the 16 x 16 canvas, "
    "trained and held out. Right: the distance on the held-out quarter falls with the "
    "epochs.",
)

# %% [markdown]
# What to see: the small dots lie on the large ones, in the held-out quarter too. Two layers are enough, and one of them
# knows where it is, from the channels that `add_coords` made.
#
# ## What you now know
#
# - In pixels, an error has a meaning, and a constant answer is the baseline.
# - Convolutional networks learn to read positions that they have seen, through weights that belong to positions or
#   through what reaches them from the border. Neither is the rule, and the quadrant split shows it.
# - A linear CoordConv with a maximum has one way to work: every pixel states its position, the lit one stands out, the
#   maximum picks it. That holds in the unseen quarter because a plane continues.
# - With a mean instead, the answer is a constant. The maximum trains only the pixel that wins; from a start at which a
#   corner wins, training may never get away.
#
# ## To think about
#
# <details><summary>1. The exact regressor finds one lit pixel. What does it answer if two pixels are lit?</summary>
#
# The larger x of the two and the larger y of the two: possibly a position where nothing is lit. Each channel takes its
# own maximum. A softmax over pixels, as in lesson 07, points to one position, or to the mean of both.
# </details>
#
# <details><summary>2. Could a CoordConv with ReLUs and a mean at the end be exact?</summary>
#
# Yes. With a ReLU, "lit and in column 20" can be computed before the mean: relu(column + lift · lit - lift) is the column
# at the lit pixel and 0 elsewhere. The mean of that over 4,096 pixels is column / 4096, one factor away from the answer.
# So the mean needs ReLUs, and the maximum works without them.
# </details>
#
# <details><summary>3. Why divide the targets by 64? Would pixels as targets change the result?</summary>
#
# The exact weights grow by a factor of 64, and weights that start near 1 have a long way to go with Adam's steps of
# similar size. The loss grows by a factor of 4,096, and L2 becomes next to nothing beside it. What can be represented
# is the same; how it is found is not.
# </details>
#
# ## A challenge
#
# Harder than an exercise, optional and unmarked.
#
# **From a square to its centre.** Give the exact regressor images with a whole square, `data.squares()`, in place of one
# lit pixel. Now 81 pixels compete. Which of them wins for x, and which for y? Change the weights by hand so that the
# answer is the centre of the square, for all 3,136 positions. Then find out what your weights answer if the square is
# partly outside of the canvas. 20 minutes.
#
# ```python
# squares = data.squares().astype(np.float32)
# found = predictions(by_hand, squares, np.arange(len(data)))
# print(f"off by {np.hypot(*(found - data.centres).T).max():.5f} pixels at most")
# ```
#
# <details><summary>A direction</summary>
#
# Of the lit pixels, the one with the largest column wins for x. Two of the eight weights have to change.
#
# </details>
#
# ## Where the paper says it
#
# The task is the reversed one of Figure 1. Point clouds of train and test on the quadrant split are the right half of
# Figure 5. The networks are drawn in its supplement (S3). The paper gives no errors in pixels.
#
# **Next**: [07 · Rendering](07_rendering.ipynb), which draws squares, and finds a use for the softmax as a pointer.
