"""Training: encode a batch of images, draw a code for each, decode them, and send both gradients back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.two_objects import two_objects
from minicoord.experiments.frame.plan import Plan
from minicoord.experiments.two_objects.counted_trainer import CountedTrainer, finite
from minicoord.experiments.two_objects.passes import Passes
from minicoord.experiments.vae.losses import kl_divergence, reparametrise, reparametrise_backward, squared_error
from minicoord.experiments.vae.networks import decoder, encoder
from minicoord.experiments.vae.settings import ARMS, VaeSettings
from minicoord.train.optim import Adam
from minicoord.train.part_state import check_slots

DATA_SEED = 0  # the images are the same for every run


class VaeTrainer(CountedTrainer):
    """Trains an encoder and a decoder together.

    Parameters
    ----------
    plan : Plan
        The run. Its seed decides the initial weights, the order of the images and the noise.

    Attributes
    ----------
    encoder, decoder : Sequential
        The two networks.
    adam_e, adam_d : Adam
        Their optimisers. As Adam treats each number on its own, they do what one for both would.
    data : TwoObjects
        The arrangements of all images; those of a step are drawn when they are needed.
    passes : Passes
        Which images a step is trained on.
    """

    def __init__(self, plan: Plan) -> None:
        settings: VaeSettings = plan.settings
        self.settings, coordconv = settings, ARMS[plan.model]
        self.data = two_objects(settings.images, settings.canvas, DATA_SEED)
        self.passes = Passes(settings.images, settings.batch, plan.seed)
        rng, sizes = np.random.default_rng(plan.seed), {"canvas": settings.canvas, "width": settings.width}
        self.encoder = encoder(coordconv, settings.z, rng, **sizes)
        self.decoder = decoder(coordconv, settings.z, rng, **sizes)
        self.adam_e, self.adam_d = Adam(settings.lr), Adam(settings.lr)
        self.noise_rng = np.random.default_rng([plan.seed, 1])
        parts = {
            "encoder": self.encoder,
            "decoder": self.decoder,
            "adam_e": self.adam_e,
            "adam_d": self.adam_d,
            "noise": self.noise_rng,
        }
        super().__init__(settings.steps, settings.every, "step", **parts)

    def step(self) -> dict[str, float]:
        """Train both networks on the next images.

        Returns
        -------
        dict
            ``loss``, and its parts ``squared_error`` and ``kl``, the divergence without its weight.

        Raises
        ------
        FloatingPointError
            If a code or the loss is no longer finite.
        """
        images = self.data.draw(self.passes.indices(self.done))  # (N, H, W, 3)
        noise = self.noise_rng.standard_normal((len(images), self.settings.z), np.float32)
        self.done += 1
        numbers = self.loss_and_gradients(images, noise)
        self.adam_e.step(self.encoder)
        self.adam_d.step(self.decoder)
        return numbers

    def loss_and_gradients(self, images: NDArray, noise: NDArray) -> dict[str, float]:
        """Put the gradients of the loss into both networks, and return the loss and its parts.

        Parameters
        ----------
        images : ndarray (N, H, W, 3)
        noise : ndarray (N, z)
            What the codes are drawn with.
        """
        heads = self.encoder.forward(images, training=True)
        mean, log_variance = heads["mean"], heads["log_variance"]  # (N, z) each
        with np.errstate(over="ignore"):  # what becomes infinite is said in words
            codes = reparametrise(mean, log_variance, noise)  # (N, z)
        if not np.isfinite(codes).all():
            raise FloatingPointError("a code is no longer finite: try a lower learning rate")
        error, dmade = squared_error(self.decoder.forward(codes, training=True), images)
        kl, dmean, dlog_variance = kl_divergence(mean, log_variance)
        beta = self.settings.beta
        loss = finite(error + beta * kl)

        dcodes: Any = self.decoder.backward(dmade)  # (N, z)
        through_mean, through_variance = reparametrise_backward(dcodes, log_variance, noise)
        gradients = {
            "mean": through_mean + beta * dmean,
            "log_variance": through_variance + beta * dlog_variance,
        }
        self.encoder.backward(gradients, need_dx=False)
        return {"loss": loss, "squared_error": error, "kl": kl}

    def columns(self) -> dict[str, float]:
        """Return no further columns.

        Raises
        ------
        FloatingPointError
            If a parameter is no longer finite.
        """
        self.check_finite()
        return {}

    def check(self, state: dict[str, Any]) -> None:
        """Raise ValueError if a state is missing or does not fit."""
        super().check(state)
        check_slots("adam_e", state["adam_e"], self.encoder)
        check_slots("adam_d", state["adam_d"], self.decoder)
