# %% [markdown]
# # 12 · Moving, not fading
#
# Take two pictures of the same two objects at different positions. What lies between them? A mixture of the pixels says: both
# pictures, half faded. A person says: the objects, half way. A network that has learned to draw such pictures can be asked,
# and the paper reports that the answer depends on coordinates: objects of a convolutional network fade out at one position and
# in at another, those of CoordConv move. In this lesson you build such a network, a **variational autoencoder** (VAE),
# train it with and without coordinates, and measure which of the two it does.
#
# **After this lesson you can**
# - send a gradient through a random step;
# - say what the KL divergence asks of codes, and derive its gradient;
# - walk from one code to another without leaving the region that the decoder knows;
# - measure whether objects move or fade, and read a map of a latent space;
# - say what a picture in a paper shows, and what it does not.
#
# **Minutes**: 57 for the five exercises, 45 for the rest. The cells themselves run for about half a minute on two idle cores
# with our functions, and hardly longer with plain loops of your own; most of that is training.
#
# **Builds on**: [03](03_backprop.ipynb) (gradients), [04](04_the_failure.ipynb) (transposed convolution),
# [05](05_coordconv.ipynb) (CoordConv).

# %%
import tempfile
from pathlib import Path

import numpy as np

from minicoord import experiments
from minicoord.experiments.frame.report import maps_of
from minicoord.experiments.two_objects.interpolation import fade, jump
from minicoord.experiments.two_objects.pictures import as_bytes, beside_the_data
from minicoord.learn import check, hint, solution, using, yours_or_ours
from minicoord.learn.lessons import lesson12, lesson12_drawings as drawings, page
from minicoord.plots import interpolation_strips, latent_map, reconstruction_rows, two_objects_figure
from minicoord.plots.style import model_name

ends, blend, slide = lesson12.images_between()
page.show(
    drawings.rows_of_images({"blend": as_bytes(blend), "slide": as_bytes(slide)}),
    alt="Two rows of nine images with a blue circle and a red square. Above, both objects fade "
    "away where they are and appear elsewhere; half way four pale objects are seen. Below, both "
    "move evenly to their new positions.",
)

# %% [markdown]
# The images are those of the paper's generators: a blue and a red object, each a square or a circle, anywhere on a white
# canvas, here 32 x 32 pixels. Two numbers tell the rows apart. **Fade** asks: of all that changes from one image to the
# next, which share is left when each object of the first is moved to where it is in the second? **Jump** asks: what share of
# its way does an object go in its largest step?

# %%
page.table(
    [
        {
            "way": name,
            "fade": f"{100 * fade(images[None]):.0f} %",
            "jump": f"{100 * jump(images[None]):.0f} %",
        }
        for name, images in (("blend", blend), ("slide", slide))
    ],
    caption="The two rows above",
)

# %% [markdown]
# An even slide over nine images takes eight steps, an eighth of the way each, give or take what rounding to pixels does.
#
# ## Predict first
#
# Two networks learn to draw such images from a list of 32 numbers. One is made of convolutions, the other gets coordinates
# before each of them. On the way from one list of numbers to another: what share of the change will be fading, in the one
# and in the other?

# %%
predicted = {"conv": None, "coordconv": None}  # in percent; replace None with your guesses

# %% [markdown]
# ## From an image to a code and back
#
# An **autoencoder** is two networks. The *encoder* turns an image of 3,072 numbers into a **code** of 32, the *decoder* turns
# the code back into an image. Both are trained together, so that the image that comes out is near the one that went in.
#
# That alone is not enough for our question. The codes of a plain autoencoder may lie anywhere, with holes in between, and
# nobody has ever told the decoder what to draw in a hole. A *variational* autoencoder closes the holes with two ideas:
#
# 1. The encoder does not give a code, but a **normal distribution** of codes: a mean and a variance for each of the 32
#    numbers. The decoder gets a code that was drawn from it. So it must draw the same image for a whole cloud of codes.
# 2. The clouds of all images have to lie near the **standard normal distribution**, with means near 0 and variances near 1.
#    So they lie close together, and a new code can be drawn without any image.
#
# ### A random step that can be learned
#
# A network is trained by gradients, and drawing at random has none: by how much does a random number change if the variance
# grows a little? The way out is to draw the noise *first*, from the standard normal distribution, and then to do something
# plain with it. All randomness is in the noise, which is a constant like an image. What is left is a formula.
#
# The encoder gives the **logarithm** of the variance, because that may be any number, whereas a variance must be above 0.
#
# ### Your turn: `reparametrise`
#
# 8 minutes, difficulty 1.

# %% tags=["exercise", "reparametrise"]
# exercise: reparametrise

# %%
check(reparametrise)

# %%
# hint("reparametrise")
# solution("reparametrise", now=True)

# %% [markdown]
# ### Your turn: `reparametrise_dx`
#
# 12 minutes, difficulty 2. The way back: the decoder says how the loss changes with the code, and the encoder needs to know
# how it changes with mean and log variance.

# %% tags=["exercise", "reparametrise_dx"]
# exercise: reparametrise_dx

# %%
check(reparametrise_dx)

# %%
# hint("reparametrise_dx")
# solution("reparametrise_dx", now=True)

# %% [markdown]
# As in lesson 03, a gradient is believed when a difference quotient agrees. The loss here is any weighted sum of the codes.

# %%
draw_here, back_here = yours_or_ours("reparametrise"), yours_or_ours("reparametrise_dx")
rng = np.random.default_rng(0)
mean, log_variance, noise, weights = rng.normal(size=(4, 3, 32))
_, slope = back_here(weights, log_variance, noise)
step = 1e-5
more, less = log_variance.copy(), log_variance.copy()
more[1, 7] += step
less[1, 7] -= step
quotient = (weights * (draw_here(mean, more, noise) - draw_here(mean, less, noise))).sum() / (2 * step)
print(f"one number of dlog_variance: {slope[1, 7]:.8f}, by differences {quotient:.8f}")

# %% [markdown]
# ### What keeps the clouds together
#
# If the loss were the error of the image alone, the encoder would soon make all variances tiny, because noise makes images
# worse, and we would be back at a plain autoencoder. So there is a second term in the loss, the **KL divergence** of the cloud
# from the standard normal distribution. For one number with mean m and variance v it is
#
# > (m² + v - 1 - log v) / 2.
#
# It is 0 for m = 0 and v = 1 and grows in all directions: far means cost, wide clouds cost, and narrow ones do, too.
# Its unit is the nat: it is how much more, on average, a code says about its image than a random one does.

# %%
from minicoord.experiments.vae.losses import kl_divergence  # the library's version


def bells(mean, deviation):
    nats, _, _ = kl_divergence(np.array([[mean]]), np.log(np.array([[deviation**2]])))
    return drawings.two_bells(mean, deviation, nats)


page.interact(
    bells,
    lambda mean, deviation: (
        "The standard normal distribution and one with a mean of "
        f"{mean:.1f} and a standard deviation of {deviation:.2f}, and their divergence in nats."
    ),
    states=[{"mean": 1.5, "deviation": 0.3}, {"mean": 0.0, "deviation": 0.95}],
    mean=(-3.0, 3.0, 0.1),
    deviation=(0.05, 3.0, 0.05),
)

# %% [markdown]
# ### Your turn: `kl_gaussian`
#
# 12 minutes, difficulty 2.

# %% tags=["exercise", "kl_gaussian"]
# exercise: kl_gaussian

# %%
check(kl_gaussian)

# %%
# hint("kl_gaussian")
# solution("kl_gaussian", now=True)

# %% [markdown]
# ### Your turn: `kl_gaussian_dx`
#
# 10 minutes, difficulty 2.

# %% tags=["exercise", "kl_gaussian_dx"]
# exercise: kl_gaussian_dx

# %%
check(kl_gaussian_dx)

# %%
# hint("kl_gaussian_dx")
# solution("kl_gaussian_dx", now=True)

# %% [markdown]
# ## Train both
#
# The loss of an image is the squared error of all its pixels, summed, plus **beta** times the divergence in nats. The weight
# decides what the codes are like. With a beta near 0 the images are sharp and the codes scattered; with a large one the
# codes are orderly, and the images blurred, or all the same. There is no right value: it says how much an exact image is
# worth.
#
# | | |
# |---|---|
# | **the paper** | shows in its supplement how images change on the way between two codes; it gives no number, and we know neither its networks nor its loss, its beta or its training |
# | **here** | an encoder of two convolutions with stride 2 and two dense heads, a decoder of a dense layer and two transposed convolutions, 32 numbers in a code; CoordConv has coordinates before every convolution; images of half the paper's size, beta 4, Adam with a learning rate of .001, 128 images a step, 1,000 steps; seed 0 |
# | **what is lost** | neither network is done after so short a training; one seed |
# | **minutes** | about ten seconds for each network, on two idle cores |
# | **what failure looks like** | every image is the same pale average, and the divergence is near 0: the code is not used |

# %%
vae = experiments.get("vae")
folder = Path(tempfile.mkdtemp())  # each run writes its weights and its record there


def train(model, **changes):
    """Do what ``minicoord run vae`` does, for a short time; return the record."""
    options = {"seed": 0, "out": folder, "progress": False, "overwrite": True}
    record = vae.run(model, preset="quick", **{"steps": 1000, "every": 200, **changes}, **options)
    said = f"{record['parameters']:,} parameters, {record['train_seconds']:.0f} seconds of training"
    print(f"{model}: {said}")
    return record


runs = {model: train(model) for model in ("conv", "coordconv")}
networks = {model: lesson12.trained(record) for model, record in runs.items()}
maps = {model: maps_of(record) for model, record in runs.items()}

# %%
page.show(
    reconstruction_rows(maps, "new images, and what both networks make of them"),
    alt="Ten images in three rows: the true ones, and what the plain autoencoder and the one with "
    "CoordConv make of them. Colours and positions are right, edges are soft.",
)
page.table(
    [
        {
            "": model_name(model),
            "error, relative to the average image": f"{100 * record['metrics']['error']:.0f} %",
            "divergence": f"{record['metrics']['kl']:.1f} nats",
            "objects lost": f"{100 * record['metrics']['lost']:.0f} % of images",
        }
        for model, record in runs.items()
    ],
    caption="2,000 images that nobody was trained on",
)

# %% [markdown]
# How many nats does an image need? Each object can be at 22 x 22 positions and has one of two shapes: ln(22 · 22 · 2) = 6.9
# nats each, so 13.8 for both, if the code were perfect. A code that says more than that pays for something else: for saying
# it more sharply than it has to be known, or twice.
#
# ## How to walk
#
# Draw 32 numbers from the standard normal distribution, and look at the *length* of such a code. Nearly all lengths are alike.
# The sum of 32 squares has a mean of 32 and hardly ever strays far from it. In the middle of a straight line between two
# such codes, positive and negative numbers cancel in part, and the code is shorter than any that the decoder knows. So the
# code is stretched on the way. The released code of the paper does so for its GAN.
#
# ### Your turn: `walk_codes`
#
# 15 minutes, difficulty 2.

# %% tags=["exercise", "walk_codes"]
# exercise: walk_codes

# %%
check(walk_codes)

# %%
# hint("walk_codes")
# solution("walk_codes", now=True)

# %%
walk_here = yours_or_ours("walk_codes")
random_codes = np.random.default_rng(0).normal(size=(2000, 32)).astype(np.float32)
pairs = random_codes[:24].reshape(12, 2, 32)
t = np.linspace(0, 1, 33, dtype=np.float32)[:, None]
straight = np.array([(1 - t) * start + t * end for start, end in pairs])
walked = np.array([walk_here(start, end, 33) for start, end in pairs])
page.show(
    drawings.lengths(random_codes, straight, walked),
    alt="Left: lengths of 2,000 random codes, nearly all between 4 and 7. Right: along straight "
    "lines the length falls to about 4 in the middle; of stretched codes it stays.",
)

# %% [markdown]
# ## Do they move?
#
# Now the question. Take images that nobody was trained on, two at a time. Encode both, walk from one code to the other, and
# decode what lies on the way. Both ends are images that a network draws well. So an object that is missing in between was
# lost on the way.

# %%
test = lesson12.new_images()
ways = {}
for model, found in networks.items():
    codes = found.codes(test).mean
    ways[model] = np.array(
        [found.pictures(walk_here(*codes[[k, k + 1]], 33)) for k in (0, 2, 4, 6)]
    )
page.show(
    interpolation_strips(
        {model: {"paths": paths} for model, paths in ways.items()},
        "from the code of one image to that of another",
    ),
    alt="Four ways between images for each network, nine images each, as they come out of the two "
    "networks after a short training.",
)

# %%
page.interact(
    lambda step: drawings.on_the_way({model: paths[0] for model, paths in ways.items()}, step),
    lambda step: f"The images of both networks at step {step} of 32 on the first way.",
    states=[{"step": 16}, {"step": 8}],
    step=(0, 32),
)

# %% [markdown]
# And in numbers, over 30 ways of this kind. The same numbers are measured after every 200 steps of training.

# %%
page.table(lesson12.rows(runs), caption="Seed 0, after 1,000 steps")
print(lesson12.difference_in_words(runs))
for model, guess in predicted.items():
    said = "nothing yet" if guess is None else f"a fade of {guess} %"
    print(f"{model_name(model)}, you predicted:", said)

# %% [markdown]
# What to see: after this training most of the change is fading, with coordinates or without. The objects of one image grow
# pale while those of the other come up, and half way there are often four. Only where an object has a short way to go
# does it seem to slide. Fade and jump say different things: a network can also jump, so that an object is here in one image
# and far off in the next, without any fading. Look at the strips beside the numbers. And it is one seed and a short
# training: it takes more of both to say what usually happens.
#
# ## A map of the codes
#
# Why should coordinates help at all here? The decoder begins with a dense layer, which gives each of 8 x 8 positions
# numbers of its own. So it could put an object anywhere without knowing a coordinate. What the code *means* is up to the
# training. Look at what it has become.

# %%
page.show(
    latent_map(maps),
    alt="For each network: a table with the share of each of six factors that each number of the "
    "code knows; codes as dots, coloured by x and by y of the red object; and a grid of 7 x 7 "
    "images of codes in that plane.",
)

# %% [markdown]
# (A number of the code is called a *latent*.) From left to right: a row of the table is a **factor** of the image, such as the x of the red object; a column is a number
# of the code, those that say most first. An entry is the share of what can be known of that factor which this number alone
# knows. Then come 1,000 images as dots, in the plane of the two numbers that know most about the red object, coloured by its
# x and by its y. Last come images that the decoder draws for codes in this plane, all other numbers 0.
#
# What to see: most entries are a few percent. Each factor is spread over many numbers, and none of them is the x of
# anything. In the middle of the grid of images, where all numbers are 0, there are several pale objects.
#
# If a number of the code were the x of the red object and nothing else, its column would have one dark entry, and the
# colours of the dots would change evenly from left to right. Such a code is called **disentangled**. Nothing in the loss
# asks for it. Two things would be too much to ask: a code may hold x + y and x - y in place of x and y, which is as good;
# and the two objects keep a distance, so that their positions are not independent.
#
# ## Images of random codes
#
# The clouds should together cover what the standard normal distribution covers. Do they? Draw 1,000 codes without any
# image, and look for the objects. In lesson 10 a detector found boxes; here the median of all blue and of all red pixels is
# enough. The paper judges its GANs by the *entropy* of these positions: how evenly do they cover the canvas? It is 4.0 for the
# data.

# %%
page.show(
    two_objects_figure(beside_the_data(maps), "images of random codes, beside the data"),
    alt="Three rows: the data, the plain autoencoder, CoordConv. Each has 16 images, the positions of "
    "1,000 blue and red objects, the differences between both, and the average image.",
)

# %% [markdown]
# What to see: images of random codes are worse than reconstructions. Some lack an object, or have three. The decoder was
# only trained where clouds of images lie, and 32 numbers leave much room in between. A larger beta closes the holes and
# blurs the images.
#
# ## More steps, more seeds
#
# `minicoord sweep vae --grid record` trains both networks for longer, with five seeds each. The cell shows what is recorded
# in this copy: medians, and in brackets the least and the greatest value.

# %%
from minicoord import lessons_folder
from minicoord.experiments.records.reading import KeptRuns

kept = KeptRuns(lessons_folder() / "results")
recorded = lesson12.recorded(kept.records)
if recorded:
    page.table(lesson12.recorded_rows(recorded), caption="Recorded runs")
print(lesson12.recorded_in_words(recorded))

# %% [markdown]
# What to see: in every column the ranges overlap. With these networks and this loss the paper's claim does not show: objects
# fade, with coordinates or without. (With four times the beta, `--grid heavy`, fade falls to 81 % without and 82 % with them.)
#
# The weights of one run of each network are kept, of the seed whose fade is nearest to the median. Take the code of an image
# and change one of its numbers. Number 1 is the one that says most about images, by its divergence. Which of them move an
# object, and which do something else? (If no weights are recorded in your copy, the networks from above are shown.)

# %%
longer = lesson12.trained_longer(kept)
explored = lesson12.explored(longer or networks, test)
print("networks:", "recorded, of a long training" if longer else "those from above")
page.interact(
    lambda image, number, value: drawings.one_number(
        {model: ready.pictures(image, number, value) for model, ready in explored.items()}
    ),
    lambda image, number, value: (
        f"For each network image {image} as it comes back, and beside it the same with number "
        f"{number} of its code at {value:g}."
    ),
    states=[{"image": 0, "number": 1, "value": 2.0}, {"image": 0, "number": 3, "value": -2.0}],
    image=(0, 9),
    number=(1, 12),
    value=(-3.0, 3.0, 0.25),
)

# %% [markdown]
# What to see: hardly any number moves an object on its own. The position of an object is written in many numbers at once, so to
# move it, many have to change together, each by the right amount. A straight way from one code to another changes them all
# together, but in proportions that nobody has chosen for that.
#
# ## Your code in the library
#
# The last network is trained by your functions. `reparametrise` draws its codes, the two gradients lead back through them and
# through the divergence of `kl_gaussian`, and `walk_codes` makes the ways on which it is judged: yours where they have
# passed, ours otherwise. It is a CoordConv again, for 200 steps.

# %%
ids = ("reparametrise", "reparametrise_dx", "kl_gaussian", "kl_gaussian_dx", "walk_codes")
with using(**{id: yours_or_ours(id) for id in ids}) as calls:
    by_you = train("coordconv", steps=200)
print("calls:", dict(calls))
page.show(
    reconstruction_rows({"coordconv": maps_of(by_you)}, "after 200 steps with your functions"),
    alt="Ten images, and below what an autoencoder makes of them that was trained with your "
    "functions for a short time: blurred objects in about the right positions, all in the same purple.",
)

# %% [markdown]
# What to see: after 200 steps the network has found out where there is something. Which of the two objects is the red one
# comes later, since purple at both positions is already much better than nothing.
#
# ## What you now know
#
# - A random step can be learned through if the noise is drawn first: what is left is a formula, and has a gradient.
# - The KL divergence pulls each cloud of codes towards the standard normal distribution. Its weight trades exact images
#   for orderly codes, and whoever reports a VAE has to say it.
# - Random codes of many numbers all have nearly the same length. A walk should keep it.
# - "Moves instead of fades" can be measured: by what is left of the change when each object is moved as a whole.
# - A factor may be spread over many numbers of the code. A map of the codes shows by how much.
# - A strip of pictures in a paper is one way between two codes of one network of one seed.
#
# ## To think about
#
# <details><summary>1. What happens for beta = 0, and what for a very large beta?</summary>
#
# For beta = 0 nothing keeps the variances up. They shrink, the codes become a plain autoencoder's, and random codes mostly
# lie in holes. For a very large beta the cheapest code is no code: all means 0, all variances 1, a divergence of 0, and the
# decoder can only draw the average image. Try it: `minicoord run vae --beta 0` and `--beta 1000`.
# </details>
#
# <details><summary>2. Fading is not stupid. For which loss is the faded image the best answer?</summary>
#
# For the squared error. If the decoder cannot tell from the code whether the object is here or there, the average of both
# images has the smallest expected error. A GAN never gets away with that, because its second network sees that no image of
# the data has pale objects.
# </details>
#
# <details><summary>3. The decoder with CoordConv still begins with a dense layer. What would a decoder look like in which
# coordinates are all there is?</summary>
#
# The code would be repeated at every pixel, with the coordinates beside it, and 1 x 1 convolutions would compute each pixel
# from both, as in the paper's CoordConv generator. Then "is the pixel within five pixels of (x, y)?" is the same
# question everywhere, and moving an object is changing two numbers. What it costs is arithmetic: each layer works on the
# whole canvas.
# </details>
#
# <details><summary>4. Why is the gradient with respect to log_variance 0 for a noise of 0, and is that a fault?</summary>
#
# With a noise of 0 the code is the mean, whatever the variance is, so nothing about the variance can be learned from this
# draw. On average over many draws the noise is not 0, and the gradient is right on average. That is all that training
# needs: the gradient of a batch of images is a random estimate, too.
# </details>
#
# ## A challenge
#
# Harder than an exercise, optional and unmarked.
#
# **A code without room to spare.** An image has six factors: two positions of two coordinates each, and two shapes. So six
# numbers could say it all, and 32 leave room for saying things twice. Predict for `--z 6`, beside 32: the error, the fade,
# and the share of images of random codes that lack an object. Then run both networks with three seeds:
# `minicoord run vae --z 6 --seeds 3`, and the same without `--z 6`. 45 minutes, most of them waiting.
#
# <details><summary>A direction</summary>
#
# The length of a random code is about the root of z, so with six numbers codes lie much closer together, and less of their
# space is empty. But a network that may use six numbers has to find the six right ones: as long as one of them says two
# things at once, no other is free to take one over. Look at the map of the codes first, then at the metrics.
#
# </details>
#
# ## Where the paper says it
#
# The VAE is a figure of the supplement, with an animation in the authors' blog; the main text has the GAN on the same
# images (section 6, figure 7). The released code has no VAE. The networks here are the usual ones for small images, so this
# lesson tests the claim, and cannot repeat the figure.
#
# **To go on**: `minicoord/experiments/vae/` can be read in one sitting; begin with `losses.py`. And
# `minicoord run vae --preset full` trains at the paper's 64 x 64 pixels.
#
# **Next**: [13 · An agent that knows where it is](13_an_agent_that_knows_where_it_is.ipynb), in which nobody knows the right
# answer.
