"""Training: one step of the discriminator, then one or two of the generator, on the same images and random vectors."""

from __future__ import annotations

from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.images.photos import Photos
from minicoord.experiments.frame.plan import Plan
from minicoord.experiments.gan.data import training_images
from minicoord.experiments.gan.evaluation import generate, random_vectors
from minicoord.experiments.gan.losses import LOSSES
from minicoord.experiments.gan.networks import conv_generator, coordconv_generator, discriminator
from minicoord.experiments.gan.settings import ARMS, GanSettings
from minicoord.experiments.two_objects.counted_trainer import CountedTrainer, finite
from minicoord.experiments.two_objects.passes import Passes
from minicoord.experiments.two_objects.pictures import as_bytes
from minicoord.train.optim import Adam
from minicoord.train.part_state import check_slots
from minicoord.train.run_settings import data_fingerprint

STRIP = 8  # random vectors whose images are kept at every report
STRIP_SEED = 0


class GanTrainer(CountedTrainer):
    """Trains a generator and a discriminator; counted in steps of the discriminator.

    Parameters
    ----------
    plan : Plan
        The run. Its seed decides the initial weights, the order of the images and the random vectors.

    Attributes
    ----------
    generator, discriminator : Sequential
        The two networks.
    adam_g, adam_d : Adam
        Their optimisers.
    data : TwoObjects or Photos
        What there is to train on; the images of a step are drawn when they are needed.
    passes : Passes
        Which images a step is trained on.
    strip : ndarray (reports, 8, H, W, 3) of uint8
        What the generator made of the same random vectors at each report.
    strip_steps : list of int
        After how many steps each report was.
    """

    def __init__(self, plan: Plan) -> None:
        settings: GanSettings = plan.settings
        self.settings, self.recipe, arm = settings, settings.recipe(plan.variant), ARMS[plan.model]
        self.loss = LOSSES[self.recipe.loss]
        self.data = training_images(settings)
        self.passes = Passes(len(self.data), settings.batch, plan.seed)
        rng, sizes = np.random.default_rng(plan.seed), {"canvas": settings.canvas, "width": settings.width}
        if arm.generator:
            self.generator = coordconv_generator(settings.z, rng, normalised=self.recipe.normalised, **sizes)
        else:
            self.generator = conv_generator(settings.z, rng, **sizes)
        self.discriminator = discriminator(arm.discriminator, rng, spectral=self.recipe.spectral, **sizes)
        rates = self.recipe.beta1, self.recipe.beta2
        self.adam_g, self.adam_d = Adam(self.recipe.lr_g, *rates), Adam(self.recipe.lr_d, *rates)
        self.vectors_rng = np.random.default_rng([plan.seed, 1])
        parts = {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "adam_g": self.adam_g,
            "adam_d": self.adam_d,
            "vectors": self.vectors_rng,
        }
        super().__init__(settings.steps, settings.every, "step", **parts)
        self.strip_vectors = random_vectors(np.random.default_rng(STRIP_SEED), STRIP, settings.z)
        self.strip = np.empty((0, STRIP, settings.canvas, settings.canvas, 3), np.uint8)
        self.strip_steps: list[int] = []

    def step(self) -> dict[str, float]:
        """Train both networks on the next images.

        Returns
        -------
        dict
            ``d_loss``, ``g_loss``, the latter on average over the steps of the generator, and ``d_real``, ``d_fake``:
            the shares of real and of generated images that the discriminator tells right.

        Raises
        ------
        FloatingPointError
            If a generated image or a loss is no longer finite.
        """
        vectors = random_vectors(self.vectors_rng, self.settings.batch, self.settings.z)
        images = self.data.draw(self.passes.indices(self.done))
        self.done += 1
        # The generator does not change before its own first step, so its images serve for both.
        fakes = self.generator.forward(vectors, training=True)
        numbers, losses = self.train_discriminator(images, fakes), []
        for k in range(self.recipe.generator_steps):
            if k > 0:
                fakes = self.generator.forward(vectors, training=True)
            losses.append(self.train_generator(fakes))
        return {**numbers, "g_loss": sum(losses) / len(losses)}

    def train_discriminator(self, images: NDArray, fakes: NDArray) -> dict[str, float]:
        """Take a step on images (N, H, W, 3) and fakes of the same shape, each a batch with statistics of its own."""
        if not np.isfinite(fakes).all():
            raise FloatingPointError("a generated image is no longer finite: try a lower learning rate")
        net, numbers = self.discriminator, {"d_loss": 0.0}
        sums: dict[str, NDArray] = {}
        for name, x, loss, sign in (("d_real", images, self.loss.real, 1), ("d_fake", fakes, self.loss.fake, -1)):
            logits = net.forward(x, training=True)  # (N, 1)
            value, dlogits = loss(logits)
            net.backward(dlogits, need_dx=False)
            for key, gradient in net.grads.items():
                if key in sums:
                    gradient += sums[key]
                else:
                    sums[key] = gradient.copy()
            numbers["d_loss"] += finite(value)
            numbers[name] = float((sign * logits > 0).mean())
        self.adam_d.step(net)
        return numbers

    def train_generator(self, fakes: NDArray) -> float:
        """Take a step of the generator, whose last images are `fakes` (N, H, W, 3); return its loss."""
        value, dlogits = self.loss.generator(self.discriminator.forward(fakes, training=True))
        self.generator.backward(self.discriminator.backward(dlogits), need_dx=False)
        self.adam_g.step(self.generator)
        return finite(value)

    def columns(self) -> dict[str, float]:
        """Keep images of the same random vectors as ever; there are no further columns.

        Raises
        ------
        FloatingPointError
            If a parameter is no longer finite.
        """
        self.check_finite()
        images = as_bytes(generate(self.generator, self.strip_vectors))
        self.strip = np.concatenate([self.strip, images[np.newaxis]])
        self.strip_steps = [*self.strip_steps, self.done]
        return {}

    def state(self) -> dict[str, Any]:
        """Return the state between two steps."""
        state = super().state()
        state["progress"] |= {"strip": self.strip.copy(), "strip_steps": list(self.strip_steps)}
        if isinstance(self.data, Photos):
            state["progress"]["photos"] = data_fingerprint(self.data.images)
        return state

    def restore(self, state: dict[str, Any]) -> None:
        """Return to a state between two steps."""
        super().restore(state)
        progress = state["progress"]
        self.strip_steps = [int(step) for step in progress["strip_steps"]]
        self.strip = progress["strip"].copy()

    def check(self, state: dict[str, Any]) -> None:
        """Raise ValueError if a state is missing or does not fit."""
        super().check(state)
        check_slots("adam_g", state["adam_g"], self.generator)
        check_slots("adam_d", state["adam_d"], self.discriminator)
        progress = state["progress"]
        if isinstance(self.data, Photos) and progress.get("photos") != data_fingerprint(self.data.images):
            raise ValueError("it belongs to other photos: files of the folder were added, removed or changed")
        strip, steps = progress.get("strip"), progress.get("strip_steps")
        if not self._fits(strip) or not isinstance(steps, list) or len(steps) != len(strip):
            raise ValueError("it is damaged: its strip of samples does not fit the images of this run")

    def _fits(self, strip: object) -> TypeGuard[NDArray[np.uint8]]:
        """Whether an array may be the strip of this run after some reports."""
        return isinstance(strip, np.ndarray) and strip.dtype == np.uint8 and strip.shape[1:] == self.strip.shape[1:]
