# %% [markdown]
# # 13 · An agent that knows where it is
#
# Until now somebody knew the right answer. Here nobody does: a network looks at a picture, presses one of a few buttons, and
# is told now and then that it did well. That is **reinforcement learning**. The paper's last application is one of its
# algorithms, A2C, on nine Atari games, with coordinates in the first layer of the network. On six games it was better.
# In this lesson you write A2C, let it learn in a world where position matters and in one where it does not, and find
# out how much a learning curve can be trusted.
#
# **After this lesson you can**
# - say what an action was worth, also where an episode ends or is cut off;
# - derive the gradient that makes good actions more probable, and the one that keeps a policy from being sure too early;
# - keep a step from being too long;
# - say what a network with global pooling cannot know, and which other layer knows it without coordinates;
# - read a learning curve, and say what it hides.
#
# **Minutes**: 60 for the five exercises, 45 for the rest. The cells themselves run for about a minute on two idle
# cores with our functions, and hardly longer with plain loops of your own; most of that is training.
#
# **Builds on**: [03b](03b_pooling_softmax_adam.ipynb) (softmax, Adam), [05](05_coordconv.ipynb) (CoordConv),
# [06](06_regression.ipynb) (global pooling).

# %%
import tempfile
from pathlib import Path

import numpy as np

from minicoord import experiments
from minicoord.datasets.worlds.position import PositionWorld
from minicoord.experiments.a2c.evaluation import success_at_random
from minicoord.experiments.frame.report import maps_of
from minicoord.learn import check, hint, solution, using, yours_or_ours
from minicoord.learn.lessons import animation, lesson13, lesson13_drawings as drawings, page
from minicoord.plots import learning_curves, visit_maps

page.show(
    drawings.worlds(
        {
            "position matters": PositionWorld(4, seed=3).look(),
            "position does not matter": PositionWorld(4, seed=3, control=True).look(),
        }
    ),
    alt="Two rows of four black canvases of 19 x 19 pixels. Above, each has one white pixel, somewhere near "
    "the middle. Below, each has a white pixel and, a few pixels away, a red one.",
)

# %% [markdown]
# This world is ours, and it is called `PositionWorld`. The white dot moves by one pixel up, down, left or right. When it reaches
# its goal, the agent gains 1 and the episode is over; after 20 moves without that it is cut off. There are two versions, and
# seen from the goal they are the same game:
#
# - **Position matters.** The goal is the middle of the canvas, and nothing shows it.
# - **Position does not matter**, the control. The goal is the red dot, which may be anywhere.
#
# In both, the dot begins at most 3 rows and 3 columns from the goal, and cannot go further away.
#
# ## Predict first
#
# Four networks learn to play, two by two: plain convolution or **CoordConv** in the first layer, and after the convolutions
# either **global pooling**, which keeps the maximum over all positions, or a **dense** layer with weights for every position. What
# share of its episodes will each win in the end? A walk at random wins a quarter.

# %%
predicted = {  # in percent: where position matters, and where it does not; replace None with your guesses
    "conv-pool": (None, None),
    "coordconv-pool": (None, None),
    "conv-dense": (None, None),
    "coordconv-dense": (None, None),
}

# %% [markdown]
# ## Actor and critic
#
# The network has two outputs for a picture. The **actor** gives a number for each action, and their softmax is the
# **policy**: the probabilities with which the agent draws its next action. The **critic** gives one number, the **value**: how
# much it expects to gain from here on. The agent plays 16 episodes side by side for 5 actions, then it looks back, takes one
# step of the optimiser, and plays on.
#
# Looking back means: *was this action better than expected?* "Expected" is what the critic said. What came of the action
# is its **return**: the reward that followed at once, and what followed later, each step multiplied by gamma = .99, so that an
# early reward is better than a late one. After five actions the episode is usually not over. Then the critic is asked once
# more, what it expects from there on. So a guess is corrected by a guess that has seen five steps more.
#
# An episode can be over for two reasons, and they must not be confused. Where it **ended**, the goal was reached and
# nothing more could be gained. Where it was **cut** off by the time limit, more could have been gained: an agent that takes a cut
# for an end learns that being near the goal is worth nothing if the clock, which it cannot see, runs out.

# %%
from minicoord.experiments.a2c.returns import n_step_returns as returns_of_ours

page.table(
    lesson13.five_actions(returns_of_ours),
    caption="Five actions of three episodes, gamma = .5 so that it can be done in the head; the critic always expects .8",
)

# %% [markdown]
# Read each column from below. The first episode goes on: its last return is 0 + .5 · .8. The second reaches the goal with the
# third action, so a return of 1 and no more, and a new episode begins in the next row. The third is cut off there: 0 + .5 · .8.
#
# ### Your turn: `n_step_returns`
#
# 15 minutes, difficulty 2 of 3.

# %% tags=["exercise", "n_step_returns"]
# exercise: n_step_returns

# %%
check(n_step_returns)

# %%
# hint("n_step_returns")
# solution("n_step_returns", now=True)

# %% [markdown]
# ## Make good actions more probable
#
# The **advantage** of an action is its return minus the value that the critic expected. Where it is above 0 the action was
# better than expected, and should be more probable from now on; where it is below 0, less. So we minimise
#
# > policy loss = - mean of (advantage · log p(action)).
#
# You have met this before: with an advantage of 1 it is the cross-entropy of lesson 03b, and the action that was taken is the
# label. There the label was right. Here it is merely what the agent did, and the advantage says how right that was.
#
# ### Your turn: `policy_gradient`
#
# 12 minutes, difficulty 2.

# %% tags=["exercise", "policy_gradient"]
# exercise: policy_gradient

# %%
check(policy_gradient)

# %%
# hint("policy_gradient")
# solution("policy_gradient", now=True)

# %% [markdown]
# ## Not sure too early
#
# An agent only learns about actions that it takes. If it is sure after three lucky episodes, it never finds out what the other
# buttons do. So it is rewarded a little for being unsure. How unsure is measured by the **entropy** of its policy. Move the first
# of four logits:

# %%
page.interact(
    drawings.policy_of,
    lambda first: (
        f"Bars for the probabilities of four actions, with logits {first:g}, 0, 0 and 0, and their entropy."
    ),
    states=[{"first": 0.0}, {"first": 4.0}],
    first=(-6.0, 6.0, 0.5),
)

# %% [markdown]
# ### Your turn: `policy_entropy`
#
# 10 minutes, difficulty 2. A policy that is almost sure has probabilities that float32 rounds to 0. Take care of them.

# %% tags=["exercise", "policy_entropy"]
# exercise: policy_entropy

# %%
check(policy_entropy)

# %%
# hint("policy_entropy")
# solution("policy_entropy", now=True)

# %% [markdown]
# ### Your turn: `policy_entropy_dx`
#
# 15 minutes, difficulty 3. Take one row. Each probability depends on all logits of the row, and what you need is
# dp[k]/dz[j] = p[k] · ((1 if k = j, else 0) - p[j]).

# %% tags=["exercise", "policy_entropy_dx"]
# exercise: policy_entropy_dx

# %%
check(policy_entropy_dx)

# %%
# hint("policy_entropy_dx")
# solution("policy_entropy_dx", now=True)

# %% [markdown]
# As always, a gradient is believed when a difference quotient agrees.

# %%
entropy_here, slope_here = yours_or_ours("policy_entropy"), yours_or_ours("policy_entropy_dx")
gradient_here = yours_or_ours("policy_gradient")
rng = np.random.default_rng(0)
logits, actions, gains = rng.normal(size=(6, 4)), rng.integers(0, 4, 6), rng.normal(size=6)
step = 1e-5
more, less = logits.copy(), logits.copy()
more[2, 1] += step
less[2, 1] -= step
for name, slope, quotient in (
    (
        "policy loss",
        gradient_here(logits, actions, gains),
        lesson13.policy_loss(more, actions, gains) - lesson13.policy_loss(less, actions, gains),
    ),
    ("entropy", slope_here(logits), entropy_here(more) - entropy_here(less)),
):
    print(f"{name}: {slope[2, 1]:.8f}, by differences {quotient / (2 * step):.8f}")

# %% [markdown]
# ## Not too far at once
#
# One surprising return among 80 can make a gradient a hundred times as long as usual. A step that long may ruin the policy, and
# a ruined policy collects worthless episodes, from which nothing can be learned. A classifier that takes a bad step gets the
# same images again; an agent makes its own data. So the gradient is shortened where it is longer than .5, and its direction
# is kept.
#
# ### Your turn: `clip_norm`
#
# 8 minutes, difficulty 1.

# %% tags=["exercise", "clip_norm"]
# exercise: clip_norm

# %%
check(clip_norm)

# %%
# hint("clip_norm")
# solution("clip_norm", now=True)

# %% [markdown]
# ## Let them learn
#
# What is minimised in the end is *policy loss - .01 · entropy + .5 · value loss*. The last is the squared error of the critic, as
# in lesson 06.
#
# | | |
# |---|---|
# | **the paper** | A2C on nine Atari games, coordinates in the first layer: better on six, about equal on two, slightly worse on one. Curves without numbers, eight of the nine games without a name in the text, no code, and the number of seeds is not known to us |
# | **here** | a world of ours in two versions; two convolutions that see 7 x 7 pixels together, then 64 units; 16 episodes side by side, 5 actions an update, 80,000 actions; Adam with a learning rate of .002 falling to 0; seed 0 |
# | **what is lost** | the games. A world in which position alone matters says what coordinates *can* do, and nothing of how often a real game needs them |
# | **minutes** | one to three for all eight networks, on two idle cores |
# | **what failure looks like** | the return stays at .25 where coordinates or a dense layer should make it rise; or the policy becomes sure of one action, and the return falls to 0 |
#
# The agent never sees the episodes that it is judged by: 100 and more on other seeds, with its most probable action each time.

# %%
a2c = experiments.get("a2c")
folder = Path(tempfile.mkdtemp())  # each run writes its weights and its record there


def train(model, game, seed=0, **changes):
    """Do what ``minicoord run a2c`` does; return the record."""
    options = {"seed": seed, "out": folder, "progress": False, "overwrite": True}
    record = a2c.run(model, game, preset="quick", **changes, **options)
    speed = record["env_steps"] / record["train_seconds"]
    print(f"{model}, {game}, seed {seed}: {speed:,.0f} actions a second")
    return record


games = {"position": "position matters", "control": "position does not matter"}
runs = {game: {model: train(model, game) for model in a2c.models} for game in games}

# %%
for game, title in games.items():
    page.show(
        learning_curves(list(runs[game].values()), title),
        alt=f"Learning curves of four networks over 80,000 actions, {title}: the mean return of the "
        "episodes during training, and how many moves they took.",
    )

# %%
page.table(lesson13.rows(runs, predicted), caption="Won episodes, with the most probable actions")
print(f"a walk at random wins {100 * success_at_random():.0f} %")

# %% [markdown]
# (In the legends, the number of runs is in brackets.) What to see, where position matters: convolution with pooling learns nothing at all, however long it trains. Move the dot, and
# all maps before the pooling move along; the maximum stays the same. So its policy is the same everywhere, and the best of those
# is a walk at random. Its *most probable* action alone is worse than that, for it goes straight to a wall. Coordinates mend
# it. So does a dense layer without coordinates: it has weights of its own for every position.
#
# Where position does not matter it is the other way round. Both networks with pooling learn the game, for "the goal is further up"
# looks alike everywhere. With a dense layer the same has to be learned again for every position of the goal, and with this seed 80,000
# actions are hardly a beginning.
#
# The paper's agent had a dense layer. So it knew positions without coordinates, and the question which a comparison on Atari
# answers is a smaller one than it seems: does the agent find them *faster*?
#
# ## Look into their heads
#
# Choose a position of the dot, in pixels from the goal, and see what both networks with pooling want to do there, and what they
# expect. In the control you can move goal and dot together, too.

# %%
agents = {game: {model: lesson13.agent_of(record) for model, record in of_game.items()} for game, of_game in runs.items()}
shown = ("conv-pool", "coordconv-pool")


def ask(version, down, right, goal):
    game = next(name for name, title in games.items() if title == version)
    picture = lesson13.picture(down, right, game == "control", goal)
    answers = {model: lesson13.asked(agents[game][model], picture) for model in shown}
    return drawings.state_and_answers(picture[0], answers)


page.interact(
    ask,
    lambda version, down, right, goal: (
        f"The canvas with the dot {down} rows below and {right} columns to the right of its goal, "
        f"{version}; and for each network bars with the probabilities of up, down, left and right, and the value."
    ),
    states=[
        {"version": "position matters", "down": -3, "right": 2, "goal": 9},
        {"version": "position matters", "down": 2, "right": -1, "goal": 9},
        {"version": "position does not matter", "down": -3, "right": 2, "goal": 7},
    ],
    version=list(games.values()),
    down=(-3, 3),
    right=(-3, 3),
    goal=(6, 12),
)

# %% [markdown]
# And all positions at once, where position matters: an arrow is the mean direction of the actions, its length how sure the network is;
# the colour is what the critic expects.

# %%
page.show(
    drawings.policy_fields({model: lesson13.field_of(net) for model, net in agents["position"].items()}),
    alt="For each of four networks a grid of 7 x 7 positions with an arrow at each. For convolution with pooling "
    "all arrows and colours are alike; for the other three the arrows point to the middle.",
)

# %% [markdown]
# The critic of convolution with pooling expects more than the quarter that it wins. It is not wrong: a cut episode counts as
# if it went on, so what it expects is the return of a walk at random *without* a clock, which finds the goal sooner or later.
#
# How each network plays, from the same beginning:

# %%
films = {model: maps_of(record)["film"] for model, record in runs["position"].items()}
animation.play(
    lambda k: drawings.frames(films, k),
    range(max(len(film) for film in films.values())),
    "Four canvases, one for each network. In three of them the white dot goes to the middle within a few "
    "moves; with convolution and pooling it walks to an edge and stays there.",
    seconds=0.4,
)

# %%
page.show(
    visit_maps({model: maps_of(record) for model, record in runs["position"].items()}, "position matters"),
    alt="Maps of where each agent spends its time while it is judged: convolution with pooling at one edge "
    "of the 7 x 7 positions, the others around the middle.",
)

# %% [markdown]
# ## What a learning curve hides
#
# Curves like those above are the usual evidence of this field. Five things are not on them.
#
# 1. **The luck of one seed.** The same code with other random numbers gives a different curve. The cell trains one network with two
#    more seeds.
# 2. **What is measured.** During training actions are drawn, so a policy that is right and unsure loses some episodes. The most
#    probable actions alone may be better, or, as you saw, much worse.
# 3. **Who is counted.** Each point is a mean over the episodes that *were over* since the last point. Short episodes come to
#    their end more often. Where good ones are short, the curve looks better than the agent is; where good ones are long, as in
#    Breakout, it looks worse.
# 4. **The middle of a band.** If half of the seeds learn and the others do not, the median is at one of the two, and no seed
#    need look like the mean.
# 5. **The axis.** The same curve over actions, over updates or over seconds can make one method or the other look faster.

# %%
several = [runs["position"]["coordconv-pool"]]
several += [train("coordconv-pool", "position", seed=seed) for seed in (1, 2)]
page.show(
    drawings.one_line_a_seed(several),
    alt="Three learning curves of the same network, one for each seed, which rise at different times. At the "
    "right edge a mark for each: the share of episodes won with the most probable actions.",
)
print(lesson13.spread_in_words(several))

# %% [markdown]
# Why do seeds matter more here than in any other lesson? A classifier sees the same images, whatever it has learned. An agent
# collects its own: who finds the goal early learns from it early, and who does not learns from nothing. Small differences grow.
# Where position does not matter, the convolution with a dense layer won 16 % in the end with seed 0, and 75 to 100 % with each of
# ten other seeds: the same code, the same settings. Whoever had run seed 0 alone would have told the wrong story.
# Two public programs for A2C differ fifteen-fold after a million steps of the same Atari game, which is more than any effect
# of coordinates that the paper shows. So the question "is it better?" needs many seeds, and an answer with an interval.
#
# ## More seeds
#
# `minicoord sweep a2c --grid places` trains each network on both versions with ten seeds, which chose none of the
# settings. The **probability of improvement** says in how many of all pairs, a run of one network and a run of the other, the first
# is better. It is .5 if nothing differs. An *arm* is one network on one version; *greedy* means with the
# most probable action each time. The cell shows what is recorded in this copy.

# %%
from minicoord import lessons_folder
from minicoord.experiments.a2c.comparison import comparisons, in_papers_form
from minicoord.experiments.records.reading import KeptRuns
from minicoord.plots import game_curves, improvement_intervals

kept = KeptRuns(lessons_folder() / "results")
found = comparisons(lesson13.on_worlds_of_ours(kept.records))
if found:
    page.table([comparison.row() for comparison in found], caption="CoordConv minus convolution")
    page.show(
        improvement_intervals({comparison.label: comparison.improvement for comparison in found}),
        alt="For each game and head a dot with its interval, from 0 to 1: the probability that a run with "
        "coordinates is better than one without. A line marks .5.",
    )
print(lesson13.recorded_in_words(kept.records))

# %% [markdown]
# Say it in words before you read on: which of these differences could chance alone have made?
#
# <details><summary>What ten seeds say</summary>
#
# With pooling, where position matters, coordinates are better with every seed: without them nothing can be learned. In the three
# other rows they are *worse* with every seed. A dense layer knows positions already, in the control nobody needs them, and two
# more channels slow the agent down. In each row all ten seeds agree, which chance alone makes in 2 of 1,024 cases.
# </details>
#
# Ten seeds that all agree are the easy case. Five seeds an arm can tell
# "always" from "never". They cannot tell a tenth more from a tenth less: with five against five even two networks that are
# alike show a probability of improvement of .8 or more, or of .2 or less, in about one comparison of seven.
#
# ## MinAtar and Atari
#
# [MinAtar](https://github.com/kenjyoung/MinAtar) has five Atari games on 10 x 10 pixels; `minicoord run a2c --game minatar-breakout`
# plays one of them, after `pip install "minicoord[rl]"`. Real Atari is `--game atari-breakout`: the picture is made
# grey and scaled to 84 x 84 pixels, an action is held for four frames, the last four pictures are seen together so that motion is
# visible, and a game that waits for the FIRE button has it pressed. Each of these steps is explained where it is done,
# in `minicoord/datasets/worlds/atari.py`. A million actions take one to four minutes of a core on MinAtar and some half an hour on
# Atari, so none of it runs here. What is recorded of it:

# %%
recorded = lesson13.on_games(kept.records)
if recorded:
    page.show(
        game_curves(recorded),
        alt="Learning curves of each recorded game, a line with a band for each network over a million actions; the "
        "table and the lines below say the same in numbers.",
    )
    of_games = comparisons([run for runs in recorded.values() for run in runs])
    page.table([comparison.row() for comparison in of_games], caption="CoordConv minus convolution")
    print("\n".join(in_papers_form(of_games)))
print(lesson13.games_in_words(kept.records))

# %% [markdown]
# Which games of MinAtar does an agent learn at all within a million actions? And what does that say of the rows in which the
# verdict is "not known"? Then the two games of Atari: what does the curve of Breakout say that its row in the table does not?
#
# <details><summary>What seven games say</summary>
#
# Of MinAtar's five, two are learned, Breakout and Space Invaders: their curves rise. There coordinates are behind in three of the four rows, clearly
# in two. In Asterix, Freeway and Seaquest no network comes far, so these rows say nothing of coordinates, for or against. In the
# paper, six of nine games of full size became better; how long its runs were we do not know.
#
# Space Invaders with a dense layer is the clearest: all five seeds with coordinates are behind all five without. Two networks
# that are alike would show that in 2 of 252 cases. With five seeds an arm, "better" or "worse" comes up in one of ten comparisons
# of networks that are alike, so one of the ten rows may well be chance.
#
# On Atari, where a dense layer follows the convolutions, coordinates are behind in both games, with each of three seeds. In Breakout the
# curves end together: with coordinates the agent learns later, and no less. The end of the curves alone would not show that. In Seaquest the
# distance is still there at the end of the million. Three seeds say little: of two networks that are alike, one is
# behind with all of its seeds in one comparison of ten.
# </details>

# %%
if films := lesson13.films_of_games(kept, recorded):
    animation.play(
        lambda k: drawings.frames_of_games(films, k),
        range(0, min(120, max(len(film) for film in films.values())), 2),
        "The beginning of an episode of each recorded game, as CoordConv with a dense layer plays it.",
        seconds=0.2,
    )

# %% [markdown]
# ## Your code in the library
#
# The last agent learns from your functions: returns, both gradients and the clipping are yours where they have passed, ours
# otherwise. It is the convolution with a dense layer, which learned fastest where position matters, for fewer actions.

# %%
ids = ("n_step_returns", "policy_gradient", "policy_entropy", "policy_entropy_dx", "clip_norm")
with using(**{id: yours_or_ours(id) for id in ids}) as calls:
    by_you = train("conv-dense", "position", env_steps=24_000)
print("calls:", dict(calls))
print(f"won: {100 * by_you['metrics']['test_return']:.0f} % of its episodes")

# %% [markdown]
# ## What you now know
#
# - A return looks ahead. Where an episode ended nothing follows; where it was cut off, the critic is asked.
# - The policy gradient is a cross-entropy in which the agent's own action is the label and the advantage its weight.
# - The entropy keeps an agent trying; clipping keeps one surprise from ruining what makes its data.
# - Global pooling forgets positions, and coordinates bring them back. A dense layer knows them anyway, and pays with learning
#   each of them apart.
# - A curve of one seed is an anecdote. Say how many seeds, which of them, what is measured, and how sure you are.
#
# ## To think about
#
# <details><summary>1. The convolution with pooling wins a quarter of its episodes during training, and far fewer when it is
# judged. It is the same network. How can that be?</summary>
#
# During training its actions are drawn: a walk at random, which finds the goal now and then. When it is judged it takes the most
# probable action, which is the same at every position. So it walks to a wall, and only wins where the goal happens to lie
# on the way.
# </details>
#
# <details><summary>2. Why does a dense layer have such a hard time in the control?</summary>
#
# Its weights belong to positions. That the goal is above the dot looks different to it at each of the 49 positions of the goal, and what it
# has learned at one of them says nothing of the next. A convolution with pooling has seen all of them when it has seen one.
# </details>
#
# <details><summary>3. What would happen without the critic, with returns in place of advantages?</summary>
#
# It would still learn, slowly. Here all returns are 0 or above, so every action that was taken on a way to the goal would become
# more probable, the useless ones, too, and only by the differences between them does the policy move the right way on
# average. The critic takes off what was to be expected anyway, and the noise with it.
# </details>
#
# <details><summary>4. The paper found six games better, two equal, one slightly worse. What would chance alone make
# of nine games if coordinates did nothing?</summary>
#
# Without the two equal ones there are seven, of which six or seven are better by chance in 8 of 128 cases, about 6 %. So the
# count hints at something, and does not prove it; and who calls a game "equal", and with how many seeds, decides the
# rest.
# </details>
#
# ## A challenge
#
# Harder than an exercise, optional and unmarked.
#
# **The clock.** An agent cannot see how many moves are left. Take the cut for an end: `ended | cut` and no cut at all, in a copy of
# your `n_step_returns`. It does not pass the check, so rebind `minicoord.experiments.a2c.agent.n_step_returns` to it yourself.
# Predict first: what happens to the values that the critic gives, and does the policy get worse? Then train `coordconv-pool`
# on `position` with three seeds each way. 40 minutes.
#
# <details><summary>A direction</summary>
#
# Compare the colours of the policy field. With 20 moves and at most 6 needed, a good agent is hardly ever cut off, so the
# mistake cures itself as it learns. Now think of a game whose episodes *always* end by the clock.
#
# </details>
#
# ## Where the paper says it
#
# The main text has a paragraph on A2C; the nine curves are in its supplement. Whether the coordinates were in the trunk
# that actor and critic share, and how many seeds were run, is not said. No code was released.
#
# **To go on**: `minicoord/experiments/a2c/` can be read in one sitting; begin with `agent.py`, then `losses.py`.
#
# **Next**: [14 · In your own network](14_in_your_own_network.ipynb), on when and how to use coordinates yourself.
