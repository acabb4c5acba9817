# %% [markdown]
# # 01 · Not-so-Clevr
#
# **After this lesson you can**
# - generate the paper's data from scratch: squares, one-hot images, and both train/test splits
# - say exactly what each split asks of a network, with numbers
# - tell a good result from one that a constant guess would reach, before any network is trained
#
# **Minutes**: 23 for the three exercises, 25 for the rest. The cells themselves run in less than half a minute.
#
# **Builds on**: [00](00_start_here.ipynb), and NumPy slices and index arrays.

# %%
import numpy as np

from minicoord.datasets import not_so_clevr, split
from minicoord.learn import check, hint, solution, yours_or_ours
from minicoord.learn.lessons import lesson01, page

data = not_so_clevr()

# %% [markdown]
# ## One sample, three ways to write it down
#
# The canvas has 64 x 64 pixels, with one white square of 9 x 9 on it, centred at (x, y): column x, row y. Each sample
# states the same fact in three ways. (Run the cell and move the sliders.)

# %%
page.interact(
    lambda x, y: lesson01.three_attributes(data, x, y),
    states=[{"x": 41, "y": 20}, {"x": 4, "y": 59}],
    x=(4, 59),
    y=(4, 59),
)

# %% [markdown]
# At x = 4, y = 59 the square is as far down and to the left as it can go. The paper makes its tasks from these three
# attributes, two at a time: *classification* goes from the numbers to the one-hot image, *regression* from the one-hot
# image to the numbers, *rendering* from the numbers to the square.

# %% [markdown]
# ## How many samples are there?
#
# The square takes every position where it lies entirely on the canvas, once. Predict: how many positions is that?
#
# <details><summary>Answer</summary>
#
# The square reaches 4 pixels from its centre in each direction, so the centre stays 4 pixels away from every border: x
# runs from 4 to 59, and so does y. That is 56 values each, and 56 x 56 = 3,136 positions.
#
# </details>

# %%
print(f"{len(data):,} samples; x from {data.centres[:, 0].min()} to {data.centres[:, 0].max()}")

# %% [markdown]
# So this is *all* the data there can be. There is no noise, no two samples are alike, and whoever has seen three of
# them knows what the others look like. A task could hardly be plainer.

# %% [markdown]
# ## Your turn: `draw_square`
#
# 10 minutes, difficulty 1. Think in slices. On paper: for y = 10 and a side of 9, which is the first row of the square,
# and which is the last? And which number has to come after the colon of a slice, so that the last row is included?
#
# <details><summary>Answer</summary>
#
# Rows 6 to 14. A slice excludes its end, so it is `6:15`.
#
# </details>

# %% tags=["exercise", "draw_square"]
# exercise: draw_square

# %%
check(draw_square)

# %% [markdown]
# Stuck? Remove the `#` in front of a line and run the cell.

# %%
# hint("draw_square")
# solution("draw_square", now=True)

# %% [markdown]
# ### All squares on one canvas
#
# Add up the 3,136 images. Predict: how many squares cover a pixel in the middle? And the pixel in the corner of the canvas?

# %%
draw = yours_or_ours("draw_square")

x, y = data.centres.T
squares = draw(x, y, 9, 64, 64)
print("the same images as the library's:", np.array_equal(squares, data.squares()))
total = squares.sum(axis=0)[:, :, 0]
print(f"in the middle {total[32, 32]:.0f}, in the corner {total[0, 0]:.0f}")
page.show(lesson01.coverage(total))

# %% [markdown]
# A pixel in the middle is covered by 81 squares: those whose centre is at most 4 pixels away in each direction. The
# corner belongs to one square only. Notice the slope at the border: a network that paints squares sees border pixels
# white less often than others. That is the only unevenness in this data.

# %% [markdown]
# ## Your turn: `one_hot`
#
# 8 minutes, difficulty 1. The second attribute has a single 1 among 4,096 numbers. With a loop it is quickly written.
# Can you do it without one?

# %% tags=["exercise", "one_hot"]
# exercise: one_hot

# %%
check(one_hot)

# %%
# hint("one_hot")
# solution("one_hot", now=True)

# %% [markdown]
# ## How to test a network: the uniform split
#
# A network is trained on some of the samples and tested on the rest. Which samples go where is called the *split*, and
# the split decides what the question is.
#
# The **uniform split** draws one fifth of the positions at random for the test set. Predict: how far is a test position
# from the nearest training position, typically?

# %%
uniform = split(data, "uniform", seed=0)
distance = lesson01.nearest_train(data.centres[uniform.test], data.centres[uniform.train])
print(f"{len(uniform.train):,} for training, {len(uniform.test)} for the test")
print(f"{np.mean(distance == 1):.1%} of the test positions have a training position one pixel away")
print(f"the furthest is {distance.max():.2f} pixels away")

# %% [markdown]
# Every position in this test set has a neighbour in the training set that touches it. A network that is asked about it
# could look at the neighbours and fill the gap. It still has to hit the exact pixel: the one beside it is as wrong as
# any other.
#
# (The paper says 80/20 and no more. The released code put every position into the test set with a probability of one
# quarter, which gave 768 test samples: `split(data, "official-uniform")` has the same ones.)

# %% [markdown]
# ## Your turn: `quadrant_split`
#
# 5 minutes, difficulty 1. The second split keeps a whole quarter for the test set, the one at the bottom right. It
# follows a rule; nothing is random. Read the description to the letter: *beyond* half is not *at* half.

# %% tags=["exercise", "quadrant_split"]
# exercise: quadrant_split

# %%
check(quadrant_split)

# %%
# hint("quadrant_split")
# solution("quadrant_split", now=True)

# %% [markdown]
# Predict: a quarter of 3,136 is 784. Is that what the rule gives?

# %%
hold_out = yours_or_ours("quadrant_split")

in_test = hold_out(x, y, 64, 64)
print(f"{np.sum(~in_test):,} for training, {np.sum(in_test)} for the test")
ours = split(data, "quadrant").test
print("the same as the library's:", np.array_equal(np.flatnonzero(in_test), ours))

# %% [markdown]
# <details><summary>Why 729?</summary>
#
# Beyond 32 lie the values 33 to 59. That is 27 of the 56, and 27 x 27 = 729. The middle of the canvas is at 31.5,
# between two pixels; by the rule of the released code, a centre at 32 is still in the training set. With `>=` there
# would be 28 values and exactly a quarter. One character more, and 55 samples change sides: a split needs its rule
# written down.
#
# </details>

# %% [markdown]
# ## Both splits as maps
#
# Each pixel here is the centre of one sample.

# %%
hot = yours_or_ours("one_hot")


def sum_of_centres(chosen):
    return hot(x[chosen], y[chosen], 64, 64).sum(axis=0)[:, :, 0]


page.show(
    lesson01.split_maps(
        {
            "uniform": (sum_of_centres(uniform.train), sum_of_centres(uniform.test)),
            "quadrant": (sum_of_centres(~in_test), sum_of_centres(in_test)),
        }
    )
)

# %% [markdown]
# ## What "generalise" will mean
#
# Both splits ask about positions that were never shown, but they ask different questions. Colour shows how far a test
# position lies from the nearest training position.

# %%
page.show(
    lesson01.distance_maps(
        {
            "uniform": (data.centres[uniform.train], data.centres[uniform.test]),
            "quadrant": (data.centres[~in_test], data.centres[in_test]),
        }
    )
)

# %% [markdown]
# - **uniform: interpolate.** The answer lies between examples, a pixel or so away.
# - **quadrant: extrapolate.** The answer lies up to 27 pixels beyond the last example. Yet every *column* of the
#   quarter was seen in training, with other rows, and every *row*, with other columns. What was never seen is the
#   combination.
#
# That is why the quadrant split asks the better question. Someone who has understood "x is the column, y is the row"
# needs no example in the quarter. Someone who has memorised 2,407 images has nothing to go by.

# %% [markdown]
# ## Baselines: what do you score if you have learned nothing?
#
# A number such as "21 pixels off" means little by itself. So, before any training, measure the guess of somebody who
# never looks at the input and always gives the same answer.
#
# Predict: if you always guess the middle of the canvas, how many pixels are you off on average?

# %%
middle = (31.5, 31.5)
off_by = lesson01.mean_distance_to
print(f"always the middle: {off_by(middle, data.centres):.1f} pixels off")

train, test = data.centres[~in_test], data.centres[in_test]
mean = train.mean(axis=0)
print(f"quadrant split, always the mean of training, ({mean[0]:.1f}, {mean[1]:.1f}):")
print(f"    in training {off_by(mean, train):.1f} pixels off")
print(f"    in the test {off_by(mean, test):.1f} pixels off")

# %% [markdown]
# Remember **21** and **28**. A regressor that is 28 pixels off in the quarter does no better than one that always
# answers with the mean of its training data. You will meet one like that in lesson 06.
#
# For classification we measure the *cross-entropy*: minus the logarithm of the probability given to the right pixel,
# averaged over all samples. Equal probability for all 4,096 pixels gives ln 4096. And always naming the same pixel is
# right for one sample in 3,136.

# %%
print(f"cross-entropy of knowing nothing: {np.log(4096):.3f}")
print(f"accuracy of always the same pixel: {1 / 3136:.3%} at best")

# %% [markdown]
# For rendering the score is the **IOU**, intersection over union: the pixels white in both squares, divided by the
# pixels white in at least one. 1 is perfect, 0 means no pixel in common. Move the orange square and watch how quickly
# the IOU falls.

# %%
page.interact(
    lesson01.overlapping_squares,
    states=[{"dx": 1, "dy": 0}, {"dx": 3, "dy": 3}],
    dx=(-9, 9),
    dy=(-9, 9),
)
page.table(
    [
        {
            "shift (pixels)": k,
            "to one side": f"{lesson01.overlap(k, 0):.2f}",
            "diagonally": f"{lesson01.overlap(k, k):.2f}",
        }
        for k in (1, 2, 3, 5)
    ],
    caption="IOU of the square and its shifted copy",
)

# %% [markdown]
# Being one pixel off costs a fifth of the IOU; three pixels along the diagonal cost 70 %. In the quarter the paper's
# best deconvolution network reached .36: as if every square were shifted by about two and a half pixels both ways.

# %% [markdown]
# ## What would a perfect solution look like?
#
# Nothing stands in the way of 100 %: (x, y) determines the answer completely. Here is an answer that is right by
# construction. Every pixel takes its squared distance from (x, y), in columns and in rows; the smaller it is, the
# larger the pixel's *logit*:
#
#     logit = -steepness * ((column - x) ** 2 + (row - y) ** 2)
#
# Softmax turns the logits into probabilities: e to the power of each, divided by the sum over all pixels.

# %%
page.interact(
    lambda steepness: lesson01.perfect_answer(41, 20, steepness),
    states=[{"steepness": 0.5}, {"steepness": 5.0}],
    steepness=[0.1, 0.5, 1.0, 5.0, 10.0],
)

# %% [markdown]
# Notice that the largest logit is at the right pixel however steep the bowl is: the accuracy is 100 % in any case. A
# steeper bowl is also *sure*.
#
# Look at what the formula needs: x, y, **and the pixel's own column and row**. No table, no examples, the same formula
# at every pixel. It works in the quarter as well as anywhere else. A network that can read its own coordinates only
# needs to find this bowl. A network that cannot has to get there some other way, and lesson 04 shows which.

# %% [markdown]
# ## What you now know
#
# - Not-so-Clevr: all 3,136 positions of a 9 x 9 square on 64 x 64 pixels; each written as two numbers, one pixel, one
#   square.
# - Uniform split, 2,508 and 628: interpolate. Quadrant split, 2,407 and 729: extrapolate into a quarter never seen.
# - Baselines: 21 pixels off by guessing the middle, 28 in the quarter by guessing the training mean, cross-entropy
#   8.318, IOU .80 if one pixel off.
# - A perfect solution exists, is short, and uses coordinates.
#
# ## To think about
#
# <details><summary>1. Each class has only one example. Can a test on classes that never occurred in training be
# fair?</summary>
#
# For cats and tractors it would not be: nobody can name a class that they have never met. Here the classes are ordered:
# they are pixels on a grid. Whoever uses that order can answer. Whether a network uses it is exactly what the test
# asks.
#
# </details>
#
# <details><summary>2. How can you get all squares from all one-hot images in one line, with a convolution?</summary>
#
# Convolve each one-hot image with a 9 x 9 kernel of ones, padded by 4: the white pixel becomes a white square around
# it. So rendering is classification plus one more easy step, and what makes one of them hard makes the other hard.
#
# </details>
#
# <details><summary>3. On the quadrant split a network scores 99.6 % in training and 0 % in the test. Is it enough to
# say "it overfits"?</summary>
#
# That names it and explains nothing. On the uniform split such networks fill in a good part of the gaps, so they do
# learn something that reaches beyond their examples; but it ends where the examples end. The question is why that kind
# of network finds such a solution, while CoordConv finds the one that carries on.
#
# </details>
#
# ## Where the paper says it
#
# The data and both splits are in its Figure 2 (with the sums of images that you drew), the tasks in Figure 1, the
# accuracies in Figure 4, the 99.6 % in Figure 5, the IOU of .36 in Figure 6.
#
# **Next:** [02 · Convolution from scratch](02_convolution.ipynb)
