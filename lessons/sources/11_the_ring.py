# %% [markdown]
# # 11 · The ring
#
# Let a network invent pictures of two objects, a blue and a red one, anywhere on a white canvas. Each picture that comes out
# may look right: two objects, sharp, in the right colours. Now take a thousand of them, and mark where the objects are.
# In the paper, those of a convolutional network do not cover the canvas. They lie on a ring. A network that gets
# coordinates covers more of it, with 7 % of the parameters and eleven times the arithmetic. In this lesson you look at how
# such networks are trained against each other, at what goes wrong, and at how one can tell.
#
# **After this lesson you can**
# - say what a generator and a discriminator each want, and derive the gradient by which the generator learns;
# - say why the loss that seems natural for the generator leaves it without a gradient;
# - measure how much of the canvas samples cover, and say what that measure overlooks;
# - bound how fast a network can change, by power iteration;
# - recognise a collapse that neither the losses nor a count of missing objects show.
#
# **Minutes**: 39 for the three exercises, 45 for the rest. The cells themselves run for about three minutes on two idle
# cores with our functions, and little longer with plain loops of your own; most of that is training.
#
# **Builds on**: 03b (losses), 04 (transposed convolution), 05 (CoordConv).

# %%
import tempfile
from pathlib import Path

import numpy as np

from minicoord import experiments, lessons_folder, two_objects
from minicoord.experiments.frame.report import maps_of
from minicoord.experiments.records.reading import KeptRuns
from minicoord.experiments.two_objects.entropies import entropy
from minicoord.experiments.two_objects.pictures import as_bytes, beside_the_data
from minicoord.learn import check, hint, solution, using, yours_or_ours
from minicoord.learn.lessons import lesson11, lesson11_drawings as drawings, page
from minicoord.plots import interpolation_strips, training_strip, two_objects_figure

data = two_objects(1000, canvas=32, seed=1)
page.show(
    drawings.images(as_bytes(data.draw(slice(18))).reshape(2, 9, 32, 32, 3)),
    alt="Eighteen small white images, each with a blue and a red object, a square or a circle, at "
    "different places. They never overlap by much.",
)
page.show(
    drawings.places_and_differences(
        data.centres, 32, lambda points, low, high, bins: entropy(points, low, high)
    ),
    alt="Three panels with 1,000 points each. The middles of blue and of red objects fill a square "
    "evenly. The red ones as seen from the blue ones fill a square with a round hole in its middle.",
)

# %% [markdown]
# These are the data: images as the paper's generators are trained on, here 32 x 32 pixels. The two objects keep a distance,
# so that the differences on the right leave out a disk. The **entropy** says how evenly the points cover the canvas: 0 if
# they all lie in one bin of the grid, 4.6 if they fill its 100 bins evenly. The margin, where no middle can be, costs the
# data some of that.
#
# ## Predict first
#
# Two generators learn to draw such images from random numbers. One is made of convolutions, the other of CoordConv. What
# entropy will the middles of the red objects have, over 1,000 of their images?

# %%
predicted = {"conv": None, "coordconv": None}  # from 0 to 4.0, which the data have

# %% [markdown]
# ## Two networks against each other
#
# A **generator** turns a vector of random numbers into an image. Nobody can say which image is right for which vector, so
# there is nothing to compare it with. But one can ask a second network, the **discriminator**: is this image one of the
# data, or one that the generator made? It gives a single number, a **logit**; above 0 means "real". Both learn in turn.
# The discriminator learns to tell the two kinds apart, the generator learns to be taken for real. Such a pair is called a
# **generative adversarial network**, a GAN.
#
# The generator without coordinates begins with a dense layer, which makes 4 x 4 positions of many channels, and doubles
# height and width by transposed convolutions. The one with coordinates repeats the random vector at every pixel of the
# whole canvas, adds i and j, and computes each pixel from that with 1 x 1 convolutions, and two of 3 x 3 at the end.

# %%
page.table(lesson11.sizes(), caption="The generators, and what an image costs")

# %% [markdown]
# What to see: at the paper's size, CoordConv has 7 % of the parameters. **And it needs eleven times the arithmetic**, for it
# works on the whole canvas in every layer. Both belong in one sentence. (What is the same at all pixels can be computed once,
# as `TiledCoordConv2D` does here; then it is eight times.) At our size it is a quarter of the parameters and thirteen times
# the arithmetic, because most parameters of the convolutional generator are in its smallest and widest maps.
#
# ## What the generator wants
#
# The discriminator's probability that an image is real is p = sigmoid(logit). It is trained as in lesson 03b, by the
# cross-entropy with the labels *real* and *fake*. For a generated image its loss is -log(1 - p).
#
# The generator wants the opposite. So the natural loss for it is the same with a minus, log(1 - p). There is another one:
# the cross-entropy with the *wrong* label, -log(p). Both are small where p is large. They differ in their slopes.
#
# ### Your turn: `fooling_dx`
#
# 12 minutes, difficulty 2 of 3. The gradient of the second one.

# %% tags=["exercise", "fooling_dx"]
# exercise: fooling_dx

# %%
check(fooling_dx)

# %%
# hint("fooling_dx")
# solution("fooling_dx", now=True)

# %%
fooling_here = yours_or_ours("fooling_dx")
logits, step = np.array([[-3.0], [0.5], [2.0]]), 1e-5
more, less = logits.copy(), logits.copy()
more[0] += step
less[0] -= step


def loss(logits):
    return np.log1p(np.exp(-logits)).mean()


quotient = (loss(more) - loss(less)) / (2 * step)
print(f"the first entry: {fooling_here(logits)[0, 0]:.8f}, by differences {quotient:.8f}")

# %% [markdown]
# Now a test. Take a generator that has learned nothing, and train the discriminator alone, for 30 steps. Its task is easy:
# the generator draws noise. After each step, ask both losses by how much they pull the logits of the fakes upwards.

# %%
of_fakes = lesson11.logits_of_fakes(steps=30)
page.show(
    drawings.slopes_of_two_losses(of_fakes, fooling_here),
    alt="Left: the pull of both losses over the logit. That of the non-saturating loss is 1 for "
    "low logits and falls to 0; that of the saturating one is 0 for low logits and rises to 1. The "
    "fakes lie where the second is small. Right: over 30 steps the mean pull of the first grows "
    "towards 1, that of the second falls.",
)
pull = -len(of_fakes[-1]) * fooling_here(of_fakes[-1][:, None].astype(np.float64))
print(f"after 30 steps: mean pull {pull.mean():.3f}, of the saturating loss {1 - pull.mean():.3f}")

# %% [markdown]
# What to see: the surer the discriminator, the less the natural loss pulls. It **saturates**: whoever is furthest from the
# aim gets the smallest gradient. The one that you wrote, the **non-saturating** loss, pulls most where the generator is
# worst. The two have the same aim, and the same slope where the discriminator cannot tell. The official code has the
# second.
#
# ## Counting places
#
# The paper measures a collapse by the entropy of places. How it found the middles of the objects, and how exactly the entropy
# is defined, it does not say. With a grid of 10 x 10 bins and 1,000 images, the data have the values that the paper gives for
# them, so that is what we use. Middles are found as the median of all clearly blue, or clearly red, pixels; an image with
# too few of them, or whose pixels are scattered, counts as a **miss**.
#
# ### Your turn: `entropy_of_places`
#
# 15 minutes, difficulty 2.

# %% tags=["exercise", "entropy_of_places"]
# exercise: entropy_of_places

# %%
check(entropy_of_places)

# %%
# hint("entropy_of_places")
# solution("entropy_of_places", now=True)

# %%
entropy_here = yours_or_ours("entropy_of_places")
page.interact(
    lambda radius, spread: drawings.places(
        lesson11.places_on_a_ring(radius, spread), 32, entropy_here
    ),
    lambda radius, spread: (
        f"1,000 places on a ring with a radius of {radius} pixels and a spread of {spread} pixels, "
        "over a grid of 10 x 10 bins, with their entropy."
    ),
    states=[{"radius": 9.0, "spread": 0.5}, {"radius": 9.0, "spread": 4.0}],
    radius=(0.0, 14.0, 0.5),
    spread=(0.0, 6.0, 0.5),
)

# %% [markdown]
# A sharp ring has about 3 nats. A blurred one has more than the data, because it puts objects into the margin, where the data
# have none. So the entropy says how much is covered, and neither that it was a ring nor that it was right: look at the points
# beside the number. The paper's values are 3.13 for red and 2.69 for blue objects
# of the convolutional GAN, 3.30 and 2.93 with CoordConv, and 4.0 for the data; for the differences 2.81, **2.62** and 3.5, so
# there CoordConv is worse. They are the best of many runs.
#
# ## A collapse, live
#
# | | |
# |---|---|
# | **the paper** | the networks of the table above at 64 x 64; the official code trains for 156,250 steps of the discriminator, with two of the generator after each, and a random vector of 256 numbers since 2020, of 25 before. Which runs the paper shows is not known |
# | **here** | half the canvas, half the width, vectors of 64 numbers; the official recipe: the loss above, batch normalisation in the discriminator, Adam with learning rates of .0001 and .0005; seed 0, 300 steps, the convolutional generator. Further down a second recipe, 1,500 steps of both generators |
# | **what is lost** | this is two thousandths of the official length. It shows how a collapse begins, and says nothing of how the paper's runs ended |
# | **minutes** | less than one for a run of the convolutional generator, less than two for CoordConv, on two idle cores |
# | **what failure looks like** | look at the strip first, then at the numbers |

# %%
gan = experiments.get("gan")
folder = Path(tempfile.mkdtemp())  # each run writes its weights and its record there


def train(model, recipe, steps, every):
    """Do what ``minicoord run gan`` does, for a short time; return the record."""
    options = {"seed": 0, "out": folder, "progress": False, "overwrite": True}
    record = gan.run(model, recipe, preset="quick", steps=steps, every=every, **options)
    print(f"{model}, {recipe} recipe: {record['train_seconds']:.0f} seconds of training")
    return record


official = train("conv", "official", steps=300, every=50)
page.table(lesson11.signs(official), caption="Convolution, official recipe, seed 0")

# %% [markdown]
# Look at the second and third column alone, and cover the rest. No fake is found out. By this sign, the generator is winning.
# **Predict**: what do its images look like?

# %%
page.show(
    training_strip({"conv": maps_of(official)}, "official"),
    alt="Images of the same eight random vectors after 50, 100 and so on to 300 steps, a row for "
    "each: coloured noise, and within a row the same noise eight times.",
)
print(lesson11.in_words(official))

# %% [markdown]
# What to see: **coloured noise, and within a row eight times the same**. The discriminator takes it for real, for it learns
# more slowly than the generator, with a fifth of the learning rate and half of the steps. The columns on the right know
# better: no sample has two objects. They did not always. Our first judge asked only for enough clearly blue and clearly red
# pixels, found some of both in every image of this noise, and reported that no object was missing. Now it also asks whether
# they keep together.
#
# So what does a collapse look like before it looks like one?
#
# - **Look at many samples at once.** In a strip, a row whose images are alike is the earliest sign, whatever they show.
# - **A good loss of the generator means a weak discriminator**, and no more. Nothing in either loss asks for variety.
# - **A judge sees what it was made to see.** One that counts missing objects does not ask whether they are always at the same
#   places, nor whether what it counts is an object. Look at the images that it has judged.
# - **The birthday test**: among 23 people two probably share a birthday, because the year has only 365. Of 1,000 samples, some
#   pairs are near-duplicates even in the data. Count them, and you know from how many arrangements a generator draws.
#
# ## A discriminator that cannot run away
#
# If the discriminator follows the generator too slowly, the generator only has to please it at one place. If it is too
# quick, it is sure of everything, and its answer no longer depends on what the generator changes. One of the cures is to
# bound **how fast its answer can change**. A layer multiplies by a matrix. By how much can that stretch a vector at most?
# By the matrix's largest **singular value**. *Spectral normalisation* divides the weights by it, in every layer.
#
# To find it, take any direction u, and multiply by the matrix and back by its transpose. What is stretched most grows most,
# so each time u points a little more to where the matrix stretches most. Weights change slowly in training, and so does
# that direction. So one step for each step of training is enough.
#
# ### Your turn: `power_step`
#
# 12 minutes, difficulty 2.

# %% tags=["exercise", "power_step"]
# exercise: power_step

# %%
check(power_step)

# %%
# hint("power_step")
# solution("power_step", now=True)

# %%
step_here = yours_or_ours("power_step")
rng = np.random.default_rng(0)
matrix = rng.normal(size=(25 * 32, 64)) / 28  # as large as that of a layer of the discriminator
direction = rng.normal(size=64)
direction /= np.linalg.norm(direction)
found = []
for _ in range(40):
    _, sigma, direction = step_here(matrix, direction)
    found.append(sigma)
page.show(
    drawings.estimates(np.array(found), np.linalg.svd(matrix, compute_uv=False)[0]),
    alt="The estimate of the largest singular value over 40 steps of power iteration: it begins "
    "near 80 percent, rises quickly at first, then slowly, and never passes the right value.",
)

# %% [markdown]
# What to see: the estimate comes from below. It is never too large, and close after a few steps. A network of such layers
# with LeakyReLU between them can change its answer hardly faster than its image changes.
#
# The **stable** recipe of this experiment has that, and the *hinge* loss: the discriminator wants logits of at least 1 for
# real images and at most -1 for fakes, and learns no more from those that are beyond. One step of each network, Adam
# with .0004 and .0002. The same generator, the same seed, and more steps, for which the first recipe gave little hope:

# %%
stable = train("conv", "stable", steps=1500, every=250)
page.table(lesson11.signs(stable), caption="Convolution, stable recipe, seed 0")
print(lesson11.in_words(stable))
print(lesson11.birthdays(stable))
page.show(
    training_strip({"conv": maps_of(stable)}, "stable"),
    alt="Images of the same eight random vectors after 250, 500 and so on to 1,500 steps: a grey "
    "grid, a dark patch, a blue bar, a red patch, each the same for all vectors; then blue and red "
    "patches that differ from vector to vector.",
)

# %% [markdown]
# What to see: the discriminator leads from the beginning, and finds out nearly every fake. Still the generator learns, because
# the answer cannot fall off a cliff. On the way it draws a grid, a dark patch, a blue bar, a red patch, **each of them for all
# vectors alike**: by the last three columns four collapses, and it leaves every one. So a collapse is no end, and a single report
# says little. Only when there are two colours at two places do the rows begin to differ.
#
# Now the same with coordinates: the same recipe, seed and number of steps, but the other generator, and coordinates in the
# first layer of the discriminator. **Predict**: what will its first images look like?

# %%
with_coordinates = train("coordconv", "stable", steps=1500, every=250)
page.table(lesson11.signs(with_coordinates), caption="CoordConv, stable recipe, seed 0")
print(lesson11.in_words(with_coordinates))
print(lesson11.birthdays(with_coordinates))
page.show(
    training_strip({"coordconv": maps_of(with_coordinates)}, "stable"),
    alt="Images of eight random vectors after 250, 500 and so on to 1,500 steps: from the first row "
    "on they differ, wide clouds of red, blue or nothing, which shrink to single patches, and at last "
    "to two patches in some.",
)

# %% [markdown]
# What to see: the rows are **different from left to right from the beginning**. A pixel of this generator is computed from
# its own coordinates and the random vector, so that wide, smooth clouds come first. They lie at places of their own, shrink, and
# become objects late: most images still lack one. The convolutional generator went the other way round. It had something
# that looked like an object early, at one place.
#
# And where do the objects lie?

# %%
both = {"conv": maps_of(stable), "coordconv": maps_of(with_coordinates)}
page.show(
    two_objects_figure(beside_the_data(both), "after 1,500 steps, beside the data"),
    alt="The data above, the two generators below: 16 samples, where 1,000 samples have their "
    "objects, red minus blue, and the average image. The convolutional generator's objects cover a "
    "part of the canvas, CoordConv's nearly all of it; in both, red minus blue keeps to some directions.",
)

# %% [markdown]
# What to see: in the row of the convolution, **red on the left, blue on the right**. Each covers a good part of the canvas. Yet
# red minus blue is an arc, a piece of the ring of the data: in nearly every sample the red object is to the left of the blue
# one, and whatever lies the other way round does not exist for this generator. Its difference has the lowest entropy of the
# three, about 2, where the rule of this experiment draws its line for a collapse.
#
# CoordConv has its objects nearly everywhere, and more evenly than the data, for it puts some into the margin. Its samples are
# worse as pictures: more than half lack an object, or have it in two pieces, and few have straight edges. By the rule of this
# experiment both generators are collapsed here, the one by its differences, the other by its misses. It is a line drawn by hand.
#
# And it is one seed, after 1,500 steps. With this seed, after 3,000 steps, **both cover the same** (the table in
# `minicoord/experiments/gan/README.md`). So look at more seeds, and at more steps.
#
# ## Longer, with more seeds
#
# `minicoord sweep gan --grid record` trains three arms with both recipes and several seeds: convolution, CoordConv in both
# networks, and CoordConv in the generator alone. The cells show what is recorded in this copy.

# %%
kept = KeptRuns(lessons_folder() / "results")
groups = lesson11.recorded(kept.records)
if groups:
    page.table(lesson11.recorded_rows(groups), caption="Recorded runs: median, least and greatest")
print(lesson11.recorded_in_words(groups))
for model, guess in predicted.items():
    print(f"{model}, you predicted", "nothing yet" if guess is None else f"a red entropy of {guess}")

# %%
shown = lesson11.best_pictures(kept, groups)
for recipe, maps in shown.items():
    page.show(
        two_objects_figure(beside_the_data(maps), f"figure 7 anew, {recipe} recipe, best runs"),
        alt=f"The data and the best recorded run of each network with the {recipe} recipe: 16 "
        "samples, where 1,000 samples have their objects, red minus blue, and the average image.",
    )

# %% [markdown]
# The figures show the **best** run of each network, as the paper's does, and the table above them has all, with the least and
# the greatest value, and those that collapsed.
#
# What to see: the table decides. With the stable recipe, seeds with which convolution draws no object at all stand beside others
# with which it covers much; CoordConv gets there with each. With the official recipe look at the third column of the figure: red
# minus blue is a **single patch** for CoordConv, in its best runs. Both objects are everywhere, but always with the same distance
# and direction between them. The paper says the same of its own, more mildly: places are covered better, differences worse.
#
# ## On the way from one vector to another
#
# A generator that has learned a few images by heart jumps between them. One that knows *where* moves an object when the
# random vector changes a little. Below are two recorded generators, if this copy has them, and otherwise the one that you have
# trained above. `way` chooses two random vectors, `place` walks from the first to the second.

# %%
generators, runs = lesson11.recorded_generators(kept)
if not generators:
    generators = {
        run["model"]: lesson11.generator_of(run) for run in (stable, with_coordinates)
    }
    runs = ["the two generators from above"]
print("\n".join(runs))
page.interact(
    lambda way, place: drawings.side_by_side(lesson11.pictures(generators, way, place)),
    lambda way, place: f"What the generators draw at place {place} of 32 on way {way}.",
    states=[{"way": 0, "place": place} for place in (0, 16, 32)],
    way=(0, 9),
    place=(0, 32),
)
page.show(
    interpolation_strips(both, "from one random vector to another, 1,500 steps"),
    alt="Four ways between random vectors, nine images each, by each generator from above: in the "
    "convolutional one objects stay and fade, in CoordConv patches shift and change their shape.",
)
for recipe, maps in shown.items():
    page.show(
        interpolation_strips(maps, f"from one random vector to another, {recipe} recipe"),
        alt=f"Four ways between random vectors for each network with the {recipe} recipe, nine "
        "images each.",
    )

# %% [markdown]
# ## Your code in the library
#
# The last two networks are trained by your functions: `fooling_dx` and `power_step` under the loss of the one recipe and the
# normalisation of the other, `entropy_of_places` as the judge of both; yours where they have passed, ours otherwise.

# %%
ids = ("fooling_dx", "entropy_of_places", "power_step")
with using(**{id: yours_or_ours(id) for id in ids}) as calls:
    by_you = train("conv", "official", steps=40, every=20)
    stable_by_you = train("conv", "stable", steps=40, every=20)
print("calls:", dict(calls))
print("official recipe:", lesson11.in_words(by_you))

# %% [markdown]
# ## What you now know
#
# - A generator learns from a discriminator alone. Where that is sure, the natural loss has no slope left, and the
#   non-saturating one has its greatest.
# - Nothing in the losses asks for variety, so a generator may draw a few images well. That is a collapse.
# - The entropy of places says how much of the canvas is covered. It depends on the bins and on the number of samples, and
#   does not know a ring from a disk of the same entropy.
# - Single samples, misses and losses do not show a collapse. Many samples at once, entropies and near-duplicates do.
# - Power iteration finds the largest singular value from below, in a step of training at a time.
# - CoordConv saves parameters and costs arithmetic. At the paper's size: 7 % of the one, eleven times the other.
# - A result at one size need not hold at another. At the paper's size we have one seed and 2,000 steps of each network, and
#   there convolution covers 87 % of what the data cover, CoordConv 30 % (`lessons/results/README.md`).
#
# ## To think about
#
# <details><summary>1. The loss of the generator falls to nearly 0, and stays there. Has it won?</summary>
#
# It has won against *this* discriminator. If the discriminator is weak, or has been trained less, that says nothing about the
# images. In a well-balanced training neither loss settles at 0: the logits stay around values at which the discriminator
# is often wrong. Losses of a GAN are no measure of quality; look at samples and count places.
# </details>
#
# <details><summary>2. The paper shows the best of many runs of each network. What is wrong with comparing two bests, and
# what would you report in its place?</summary>
#
# The best of many grows with their number, and with the spread. A network that collapses nine times of ten and is lucky
# once may have the better best. Report all runs: k of n collapsed, the median and the range, with the same number of runs
# for both.
# </details>
#
# <details><summary>3. A generator has an entropy of 4.0 for red and for blue, as the data. May it still be bad?</summary>
#
# Yes. Red and blue may each cover the canvas, and always have the same distance from each other: then the entropy of the
# differences is low. The paper's CoordConv GAN errs that way. The objects may also be smeared, have wrong shapes, or
# be missing in many samples, which do not count for the entropy at all.
# </details>
#
# <details><summary>4. Why could a ring be the first place at which a convolutional generator learns to put objects?</summary>
#
# Nobody has shown why, so this is a guess. The generator begins with a map of 4 x 4 positions. The corners and edges of the
# canvas are empty in all data, and the middle is where an object is most often seen, by a little. Objects placed around the
# middle are safe for all of the discriminator's filters, and a direction is all that has to be coded. In the short run above
# each colour had a side of its own first. What comes later, longer runs have to show.
# </details>
#
# ## A challenge
#
# Harder than an exercise, optional and unmarked.
#
# **Who is the control?** CoordConv in the generator *and* coordinates in the discriminator: which of the two matters? The
# arm `coordconv-d` has a convolutional generator, and coordinates in the discriminator alone. Predict its entropies, then
# run it beside `conv` for as many steps as you have patience, with three seeds each:
# `minicoord run gan --model coordconv-d --seeds 3 --steps 1000`, and the same with `--model conv`. 60 minutes, most of them
# waiting.
#
# <details><summary>A direction</summary>
#
# A convolutional discriminator sees that an object is there and sharp, and hardly where: its dense layer at the end has
# 4 x 4 positions. With coordinates it can tell that nine of ten red objects are on the left. But it sees one image at a time, and
# no single image is wrong by lying on the left. What can it do with that, if the generator then moves all objects to the
# right?
#
# </details>
#
# ## Where the paper says it
#
# The GAN is in section 6 and figure 7. The networks, the loss and the official recipe are those of the released code, and the
# 7 % and the eleven times are counted from them. The length of the random vector and of the published runs, how the middles
# were found and how the entropies are defined, are not known.
#
# **To go on**: `minicoord/experiments/gan/` can be read in one sitting; begin with `networks.py`. And
# `minicoord run gan --photos FOLDER` trains the same networks on photos of your own.
