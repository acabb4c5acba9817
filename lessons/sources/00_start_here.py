# %% [markdown]
# # 00 · Start here
#
# **After this lesson you can**
# - say in two sentences what the paper found, and draw it
# - work with a lesson: predict, run, write, check, ask for a hint
# - turn a position (x, y) into a pixel number, and so into a question that a network can answer
#
# **Minutes**: 3 for the exercise, 20 for the rest. The cells themselves run in less than half a minute.
#
# **Builds on**: NumPy, and nothing else.
#
# This course follows one paper: *An intriguing failing of convolutional neural networks and the CoordConv solution*
# (Liu et al., NeurIPS 2018). You will write convolution, its gradients and CoordConv yourself, watch a plain network
# fail at a task that a child can do, and watch a tiny change fix it.

# %% [markdown]
# ## Predict first
#
# A network is given two numbers, x and y. It has to light up the pixel at column x and row y of an image of 64 x 64
# pixels, and leave all the others dark. It is shown about 2,500 positions with the right answer, again and again, for
# more than an hour. Then it is asked about positions *between* those it was shown.
#
# How often does a good convolutional network light up the right pixel? Write down a number before you read on.
#
# <details><summary>What the paper found</summary>
#
# The best of 324 networks got about 86 % right. Asked about a quarter of the image that it had never been shown, it got
# about 0 %. If you guessed far higher, that is understandable: the task looks as if there were nothing left to learn.
#
# </details>

# %% [markdown]
# ## Is everything installed?
#
# Click on the cell below and press **Shift + Enter**: this runs the cell and moves on to the next. It checks your
# installation. It may need a few seconds to compile a first convolution. A line on a red background that begins with
# `minicoord: compiling` is not an error; it tells you what you are waiting for, and appears only the first time.

# %%
from minicoord.app.doctor import doctor
from minicoord.learn import check, hint, solution, yours_or_ours
from minicoord.learn.lessons import page

page.table(
    [
        {"checked": found.name, "status": found.status, "what to do": found.advice}
        for found in doctor()
        if not found.name.startswith("extra")
    ]
)

# %% [markdown]
# **ok** needs nothing. A **note** is worth knowing, but you can go on. A **problem** has to be fixed first: do what the
# last column says, then choose *Restart kernel* in the menu and run the cells again. In a terminal, `minicoord doctor`
# tells you more.

# %% [markdown]
# ## How a lesson works
#
# 1. **Predict.** When a question comes before a cell, answer it for yourself. A wrong guess shows you what you did not
#    know.
# 2. **Run** the cell, and look.
# 3. **Explain** to yourself what you saw. Answers are folded away under the questions: click to open them.
# 4. **Write.** An exercise is a function with a docstring and an empty body. Write the body, run the cell, then run the
#    `check` below it.
#
# | you type | you get |
# |---|---|
# | `check(pixel_index)` | one sentence: passed, or what is wrong and where. Try as often as you like |
# | `check(pixel_index, show=True)` | the same, and the smallest case that fails, written out: the arguments, what your function returned, what was expected |
# | `hint("pixel_index")` | a hint; each time you ask, the next one |
# | `solution("pixel_index")` | our solution, once yours has passed; `solution("pixel_index", now=True)` shows it at once |
# | `yours_or_ours("pixel_index")` | your function if it has passed, otherwise ours: so every lesson runs to the end |
#
# **Nothing is locked.** Skip an exercise, read on, come back later. At the end of most lessons is a **challenge**, which is
# harder, optional and unmarked; at the end of the last one is a final project. What you have passed is recorded in the file
# `minicoord-progress.json` beside this notebook; `minicoord learn progress` in a terminal shows it.
#
# **If you are stuck with the notebook** rather than with the thinking, *Restart kernel and run up to selected cell*
# puts things in order. Sliders do not outlive a kernel: if a page that you reopen says *model not found*, run that cell
# again.

# %% [markdown]
# ## The paper in three pictures
#
# ### One: the task
#
# A white square of 9 x 9 pixels on a black canvas of 64 x 64. Its centre is at (x, y): x counts the columns from the
# left, y the rows **from the top**, both starting at 0. The paper makes three tasks out of it.

# %%
from minicoord.datasets import not_so_clevr
from minicoord.learn.lessons import lesson00

data = not_so_clevr()
page.show(lesson00.three_tasks(data, index=2088))

# %% [markdown]
# Compare the first with the second: each is the inverse of the other. Both only translate between two ways of writing
# down the same position, as two numbers or as an image.

# %% [markdown]
# ### Two: the failure, and what fixes it
#
# The bars show what the paper reports for the first task. The rings are recorded runs of this library.

# %%
from minicoord import lessons_folder
from minicoord.experiments.records.reading import load_records

runs = {}
for record in load_records(lessons_folder() / "results"):
    ours = record["preset"] == "quick" or record["model"] == "conv"
    if record["experiment"] == "classification" and ours:
        which = record["model"], record["variant"]
        runs.setdefault(which, []).append(record["metrics"]["test_accuracy"])

page.show(lesson00.reported_accuracies(runs))
for (model, split), accuracies in runs.items():
    perfect = sum(accuracy == 1 for accuracy in accuracies)
    band = f"{min(accuracies):.0%} to {max(accuracies):.0%}"
    print(f"{model}, {split} split: {perfect} of {len(accuracies)} runs reach 100 %; all: {band}")

# %% [markdown]
# Notice two things. The network on the left is about 27 times as large and was trained hundreds of times as long, and
# it is the one that fails. And in the quarter that it never saw, it does not do the task badly: it hardly does it at
# all.
#
# Between positions that it saw, our convolutional network stays below the bar: the bar is the best of the paper's 324
# networks, and ours are a handful, most of them trained for fewer epochs (`minicoord sweep classification --grid
# record`, lesson 04). Our CoordConv runs use a recipe of our own, and most of them use seeds that had no part in
# choosing it (`--grid fresh` and `--grid again`). With the official recipe some seeds fail; lesson 05 counts them.

# %% [markdown]
# ### Three: the remedy
#
# CoordConv adds two channels to the image before it convolves. One holds the row of each pixel, the other its column,
# both scaled to run from -1 to 1. That is all.

# %%
page.show(lesson00.coordinate_channels())

# %% [markdown]
# ## The task by hand
#
# Now take the part of the network. You are one pixel of a small canvas. You are told (x, y), and have to decide: am I
# white or black? Every pixel has to decide **by the same rule**, because that is what a convolution is: one small rule, applied
# at every position.
#
# Left: without coordinates. Right: with them. Predict: for which of the two can you state a rule?

# %%
page.interact(
    lesson00.what_pixels_are_told,
    states=[{"x": 5, "y": 2}, {"x": 1, "y": 4}],
    x=(0, 7),
    y=(0, 5),
)

# %% [markdown]
# <details><summary>The rule</summary>
#
# Right: *be white if the two pairs agree.* It is one line, it holds for every (x, y), and nobody needs to have seen
# that position before.
#
# Left, there is no rule. All pixels read the same numbers, so under any rule they all decide the same. A larger window
# does not help: a window of 3 x 3 pixels reads the same pair nine times.
#
# </details>
#
# The network in the paper is cleverer than the one on the left: it grows its image from a single pixel, so its pixels
# can differ. Lesson 04 shows how far that gets it.

# %% [markdown]
# ## Your first exercise: the number of a pixel
#
# A classifier does not answer with (x, y). It answers with **one number per class**, and here every pixel is a class: a
# long row of numbers, the largest at the pixel that it chooses. So the pixels have to be numbered. They are counted in
# reading order: row by row from the top, each row from left to right, starting at 0.
#
# 3 minutes, difficulty 1 (of 3). Before you write: on a canvas of 6 rows and 8 columns, what is the number of the pixel in
# column x = 3 and row y = 2?
#
# <details><summary>Answer</summary>
#
# 19. Two whole rows of 8 pixels lie above it; in its own row, 3 pixels come before it.
#
# </details>
#
# Replace the line that begins with `raise` with your code, and run the cell. Nothing appears: the function is now
# defined, but nobody has called it yet.

# %% tags=["exercise", "pixel_index"]
# exercise: pixel_index

# %%
check(pixel_index)

# %% [markdown]
# It says *not attempted* as long as the `raise` line is there. After that it tries your function on several canvases.
# They are wider than tall or taller than wide on purpose: on a square canvas, half of all mistakes do not show.
#
# Stuck? Remove the `#` in front of a line below and run the cell. Each run of the first line gives one more hint.

# %%
# hint("pixel_index")
# solution("pixel_index", now=True)

# %% [markdown]
# ## See it at work
#
# The next cell takes your function if it has passed, and ours otherwise; it says which. Move x and y. Above, the
# canvas; below, the same pixels as one long row, which is what the network has to produce. (The name for this is
# *one-hot*.)

# %%
import numpy as np

number = yours_or_ours("pixel_index")


def canvas_and_row(x, y):
    rows, columns = np.indices((6, 8))
    numbers = number(columns.ravel(), rows.ravel(), 6, 8).reshape(6, 8)
    return lesson00.numbered_canvas(numbers, x, y)


page.interact(
    canvas_and_row,
    states=[{"x": 5, "y": 2}, {"x": 5, "y": 3}],
    x=(0, 7),
    y=(0, 5),
)

# %% [markdown]
# Watch the long row as y grows by one: the white pixel jumps by 8. Two pixels that touch on the canvas are far apart in
# the row. A classifier is never told that pixel 21 and pixel 29 are neighbours; to it they are two classes like *cat*
# and *tractor*.

# %% [markdown]
# On the paper's canvas there are 64 x 64 = 4,096 classes, and one example for each position where the square fits:

# %%
x, y = data.centres.T
labels = number(x, y, 64, 64)
print(f"{len(labels):,} examples; the first, at {data.centres[0]}, has label {labels[0]}")
print("no label occurs twice:", len(set(labels.tolist())) == len(labels))

# %% [markdown]
# One example per class. What that means for training and testing is half of the next lesson.

# %% [markdown]
# ## What you now know
#
# - The paper's task: from (x, y) to a pixel, back, or to a square. Nothing in it is hidden; it only changes how a
#   position is written down.
# - A plain convolution applies one rule at every position, and is not told the position. CoordConv tells it, through
#   two more channels.
# - Classes are pixel numbers in reading order, and neighbours on the canvas need not be neighbours as classes.
#
# ## To think about
#
# <details><summary>1. A convolution with padding does not see the same thing everywhere. Where does it differ, and
# could that be enough?</summary>
#
# At the border its window contains zeros from outside. So it can know *that* it is near a border, and in a deep network
# that knowledge can travel inwards, a few pixels per layer. It is a roundabout and blurry way to learn a position;
# CoordConv writes the position into every pixel at once.
#
# </details>
#
# <details><summary>2. That a convolution does the same thing everywhere is usually called its great strength. For which
# tasks is it one?</summary>
#
# For everything that looks the same wherever it appears: an edge, an eye, a letter. Learned once, it is known
# everywhere. It is a weakness where the answer *is* the position. The two coordinate channels leave the choice to the
# network: with zero weights on them it is the plain convolution again. Lesson 05 measures that.
#
# </details>
#
# <details><summary>3. Could a network do the task by learning a table of 4,096 entries, one for each pixel?</summary>
#
# For the positions in its training set, yes: it could memorise them. For the others its table has no entry. So a score
# on positions that were never shown tells you whether it learned a rule or a table. Keep this in mind for the two
# splits of lesson 01.
#
# </details>
#
# ## Where the paper says it
#
# The tasks are in its Figure 1, the accuracies and times in Figure 4, the coordinate channels in Figure 3 and
# section 3.
#
# **Next:** [01 · Not-so-Clevr](01_not_so_clevr.ipynb). **All lessons:**
#
# | | lesson | the heart of it |
# |---|---|---|
# | 01 | [Not-so-Clevr](01_not_so_clevr.ipynb) | the data, the two splits, what counts as an answer |
# | 02 | [Convolution from scratch](02_convolution.ipynb) | loops, then im2col, then one product |
# | 03 | [Backprop by hand: a convolution](03_backprop.ipynb) | its gradients yourself, and how to test one |
# | 03b | [Pooling, softmax, Adam](03b_pooling_softmax_adam.ipynb) | the rest of a network, trained on nothing but your functions |
# | 04 | [The failure](04_the_failure.ipynb) | the network that cannot find a pixel, live |
# | 05 | [CoordConv](05_coordconv.ipynb) | two channels, and it takes seconds |
# | 06 | [Regression](06_regression.ipynb) | from the image back to the numbers |
# | 07 | [Rendering](07_rendering.ipynb) | squares, and what is drawn where none was seen |
# | 08 | [Fast](08_fast.ipynb) | how Python loops come to beat a framework |
# | 09 | [No harm](09_no_harm.ipynb) | where position tells nothing: pairs, intervals, a control |
# | 10 | [Finding digits](10_finding_digits.ipynb) | a detector from its parts, and a bug that looks like a result |
# | 11 | [The ring](11_the_ring.ipynb) | networks that invent pictures, and a collapse that no loss shows |
# | 12 | [Moving, not fading](12_moving_not_fading.ipynb) | an autoencoder that invents pictures, and what lies between two of them |
# | 13 | [An agent that knows where it is](13_an_agent_that_knows_where_it_is.ipynb) | an agent that learns by trying, and what a learning curve hides |
# | 14 | [In your own network](14_in_your_own_network.ipynb) | when coordinates help, copies that are wrong, other frameworks, the final project |
