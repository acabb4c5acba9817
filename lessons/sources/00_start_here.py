# %% [markdown]
# # 00 · Start here
#
# **Afterwards you can**
# - say in two sentences what the paper found, and draw it
# - work with a lesson: predict, run, write, check, ask for a hint
# - turn a place (x, y) into the number of a pixel, and so into a question that a network can answer
#
# **Minutes**: 3 for the exercise, 20 for the rest. The cells themselves run in less than half a minute.
#
# **Builds on**: NumPy, and nothing else.
#
# This course follows one paper: *An intriguing failing of convolutional neural networks and the CoordConv solution*
# (Liu et al., NeurIPS 2018). You will write convolution, its gradients and CoordConv yourself, see a plain network fail at
# a task that a child can do, and see a tiny change mend it.

# %% [markdown]
# ## Predict first
#
# A network is given two numbers, x and y. It has to light the pixel at column x and row y of a picture of 64 x 64
# pixels, and leave all others dark. It is shown about 2,500 places with the right answer, again and again, for more than
# an hour. Then it is asked about places that lie *between* those it was shown.
#
# How often does a good convolutional network light the right pixel? Write down a number before you read on.
#
# <details><summary>What the paper found</summary>
#
# The best of 324 networks got about 86 % right. Asked about a quarter of the picture that it had never been shown, it got
# about 0 %. If you guessed far higher: the task does look as if nothing in it were left to learn.
#
# </details>

# %% [markdown]
# ## Is everything there?
#
# Click on the cell below and press **Shift + Enter**: that runs a cell and goes on to the next. It looks at your
# installation. Some seconds may pass while it compiles a first convolution. A line on red that begins with
# `minicoord: compiling` is no error; it says what you are waiting for, and comes only the first time.

# %%
from minicoord.app.doctor import doctor
from minicoord.learn import check, hint, solution, yours_or_ours
from minicoord.learn.lessons import page

page.table(
    [
        {"looked at": found.name, "status": found.status, "what to do": found.advice}
        for found in doctor()
        if not found.name.startswith("extra")
    ]
)

# %% [markdown]
# **ok** needs nothing. A **note** is worth knowing, and you can go on. A **problem** must be put right first: do what the
# last column says, then choose *Restart kernel* in the menu and run the cells again. In a terminal, `minicoord doctor` tells
# more.

# %% [markdown]
# ## How a lesson works
#
# 1. **Predict.** Where a question stands before a cell, answer it for yourself. A wrong guess is how you find out what you
#    did not know.
# 2. **Run** the cell, and look.
# 3. **Explain** to yourself what you saw. Answers are folded away under questions: click on them.
# 4. **Write.** An exercise is a function with a description and an empty body. Write the body, run the cell, then run the
#    `check` below it.
#
# | you type | you get |
# |---|---|
# | `check(pixel_index)` | one sentence: passed, or what is wrong and where. Try as often as you like |
# | `hint("pixel_index")` | a hint; each time you ask, the next one |
# | `solution("pixel_index")` | our solution, once yours has passed; `solution("pixel_index", now=True)` shows it at once |
# | `yours_or_ours("pixel_index")` | your function if it has passed, else ours: so every lesson runs to its end |
#
# **Nothing is locked.** Leave an exercise, read on, come back. What you passed is noted in the file
# `minicoord-progress.json` beside this notebook; `minicoord learn progress` in a terminal shows it.
#
# **If you are stuck in the machinery** and not in the thinking: *Restart kernel and run up to selected cell* puts things
# in order. Sliders do not outlive a kernel: where a page that you open again says *model not found*, run that cell anew.

# %% [markdown]
# ## The paper in three pictures
#
# ### One: the task
#
# A white square of 9 x 9 pixels on a black canvas of 64 x 64. Its centre is at (x, y): x counts the columns from the left,
# y the rows **from the top**, both from 0. The paper makes three tasks of it.

# %%
from minicoord.datasets import not_so_clevr
from minicoord.learn.lessons import lesson00

data = not_so_clevr()
page.show(lesson00.three_tasks(data, index=2088))

# %% [markdown]
# Look at the first and the second: they are each other's inverse. Both only exchange two ways of writing down the
# same place, as two numbers or as a picture.

# %% [markdown]
# ### Two: the failure, and what mends it
#
# The bars are what the paper reports for the first task. The rings on them are recorded runs of this library.

# %%
from minicoord import lessons_folder
from minicoord.experiments.records.reproduce import load_records

runs = {}
for record in load_records(lessons_folder() / "results"):
    ours = record["preset"] == "quick" or record["model"] == "conv"
    if record["experiment"] == "classification" and ours:
        which = record["model"], record["split"]
        runs.setdefault(which, []).append(record["metrics"]["test_accuracy"])

page.show(lesson00.reported_accuracies(runs))
for (model, split), accuracies in runs.items():
    perfect = sum(accuracy == 1 for accuracy in accuracies)
    band = f"{min(accuracies):.0%} to {max(accuracies):.0%}"
    print(f"{model}, {split} split: {perfect} of {len(accuracies)} runs reach 100 %; all: {band}")

# %% [markdown]
# See two things. The network on the left is some 27 times as large and trained for hundreds of times as long, and it is the one
# that fails. And in the quarter that it never saw it does not do badly: it hardly does the task at all.
#
# Between places that it saw, our convolution stays below the bar: the bar is the best of the paper's 324 networks, and ours are
# a handful, most of them trained for fewer epochs (`minicoord sweep classification --grid record`, lesson 04). Our runs of
# CoordConv have a recipe of our own, and most of them seeds that had no part in choosing it (`--grid fresh`). With the
# official recipe some seeds fail; lesson 05 counts them.

# %% [markdown]
# ### Three: the remedy
#
# CoordConv puts two channels beside the image before it convolves. One holds the row of each pixel, the other its
# column, both written as numbers from -1 to 1. That is all.

# %%
page.show(lesson00.coordinate_channels())

# %% [markdown]
# ## The task by hand
#
# Now play the network. You are one pixel of a small canvas. You are told (x, y), and have to decide: am I white or black?
# Every pixel has to decide **by the same rule**, for that is what a convolution is: one small rule, used at every place.
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
# Right: *be white if the two pairs agree.* It is one line, it holds for every (x, y), and nobody has to have seen that
# place before.
#
# Left there is no rule. All pixels read the same, so by any rule they all decide the same. A larger window does not help:
# a window of 3 x 3 pixels reads the same pair nine times.
#
# </details>
#
# The network that the paper tries is more cunning than the one on the left: it grows its picture from one
# pixel, and so its pixels can differ. Lesson 04 is about how far that carries.

# %% [markdown]
# ## Your first exercise: the number of a pixel
#
# A classifier does not answer with (x, y). It answers with **one number for each class**, and here each pixel is a class: a
# long row of numbers, largest at the pixel that it chooses. So pixels need numbers of their own. They are counted as
# one reads: row by row from the top, each row from left to right, beginning with 0.
#
# 3 minutes, difficulty 1 (of 3). Before you write: on a canvas of 6 rows and 8 columns, what is the number of the pixel in
# column x = 3 and row y = 2?
#
# <details><summary>Answer</summary>
#
# 19. Two whole rows lie above it, with 8 pixels each; in its own row, 3 pixels lie before it.
#
# </details>
#
# Put your code in place of the line that begins with `raise`, and run the cell. Nothing appears: the function is made,
# and not yet called.

# %% tags=["exercise", "pixel_index"]
# exercise: pixel_index

# %%
check(pixel_index)

# %% [markdown]
# It says *not attempted* as long as the `raise` line is there. Then it tries your function on several canvases, which
# are wider than high or higher than wide on purpose: on a square canvas, half of all mistakes do not show.
#
# Stuck? Take away the `#` in front of a line below and run the cell. Each run of the first line gives one more hint.

# %%
# hint("pixel_index")
# solution("pixel_index", now=True)

# %% [markdown]
# ## See it at work
#
# The next cell takes your function if it has passed, and ours if not; it says which. Move x and y. Above, the canvas;
# below, the same pixels as one long row, which is what the network has to answer. (In books: *one-hot*.)

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
# See what happens in the long row when y grows by one: the white place leaps by 8. Two pixels that touch on the canvas
# are far apart in the row. A classifier is never told that pixel 21 and pixel 29 are neighbours; to it they are two
# classes like *cat* and *tractor*.

# %% [markdown]
# On the paper's canvas there are 64 x 64 = 4,096 classes, and one example for each place where the square fits:

# %%
x, y = data.centres.T
labels = number(x, y, 64, 64)
print(f"{len(labels):,} examples; the first, at {data.centres[0]}, has label {labels[0]}")
print("no label occurs twice:", len(set(labels.tolist())) == len(labels))

# %% [markdown]
# One example for each class. What that means for training and testing is half of the next lesson.

# %% [markdown]
# ## What you now know
#
# - The paper's task: from (x, y) to a pixel, back, or to a square. Nothing is hidden in it; it only changes how a place is
#   written down.
# - A plain convolution uses one rule at every place and is not told the place. CoordConv tells it, by two more channels.
# - Classes are pixel numbers, counted as one reads, and neighbours on the canvas need not be neighbours as classes.
#
# ## Three questions to think about
#
# <details><summary>1. A convolution with padding does not see the same at every place. Where does it differ, and could that
# be enough?</summary>
#
# At the border its window holds zeros from outside. So it can know *that* it is near a border, and in a deep network
# that knowledge can travel inwards, some pixels a layer. It is a roundabout and blurry way to learn a place; CoordConv
# writes the place down in every pixel at once.
#
# </details>
#
# <details><summary>2. That a convolution does the same everywhere is usually called its great strength. For what is it one?
# </summary>
#
# For everything that looks the same wherever it is: an edge, an eye, a letter. Learned once, it is known everywhere.
# It is a weakness where the answer *is* the place. The two coordinate channels leave the choice to the network: with
# weights of zero on them it is the plain convolution again. Lesson 05 measures that.
#
# </details>
#
# <details><summary>3. Could a network do the task by learning a table of 4,096 entries, one for each pixel?</summary>
#
# For the places in its training, yes: it could learn them by heart. For the others its table has no entry. So a score on
# places that were never shown tells whether it learned a rule or a table. Keep this in mind for the two splits of lesson 01.
#
# </details>
#
# ## Where the paper says it
#
# The tasks are its Figure 1, the accuracies and times its Figure 4, the coordinate channels its Figure 3 and section 3.
#
# **Next:** [01 · Not-so-Clevr](01_not_so_clevr.ipynb). **All lessons:**
#
# | | lesson | the heart of it |
# |---|---|---|
# | 01 | [Not-so-Clevr](01_not_so_clevr.ipynb) | the data, the two splits, what counts as an answer |
# | 02 | [Convolution from nothing](02_convolution.ipynb) | loops, then im2col, then one product |
# | 03 | [Backprop by hand](03_backprop.ipynb) | every gradient yourself, and how to test it |
# | 04 | [The failure](04_the_failure.ipynb) | the network that cannot find a pixel, live |
# | 05 | [CoordConv](05_coordconv.ipynb) | two channels, and it takes seconds |
# | 06 | [Regression](06_regression.ipynb) | from the picture back to the numbers |
# | 07 | [Rendering](07_rendering.ipynb) | squares, and what is drawn where none was seen |
# | 08 | [Fast](08_fast.ipynb) | how loops in Python come to beat a framework |
