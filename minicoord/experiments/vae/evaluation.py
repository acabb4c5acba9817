"""What a trained autoencoder is judged by, and the arrays that the figures show.

All is measured on images that nobody is trained on, and on images of codes drawn from the standard normal distribution.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.two_objects import RED, TwoObjects, two_objects
from minicoord.experiments.two_objects.finder import find_centres, miss_rate
from minicoord.experiments.two_objects.judge import SAMPLES
from minicoord.experiments.two_objects.pictures import PATHS, as_bytes, judged_images, judged_paths
from minicoord.experiments.vae.disentanglement import factors, information_gap, read_linearly, shares_known
from minicoord.experiments.vae.losses import kl_of_each, reparametrise
from minicoord.nn.model import Sequential

SLICE = 100  # images that go through a network at a time
HELD_OUT, HELD_OUT_SEED = 2000, 1_000_003  # images that nobody is trained on
SAMPLES_SEED, CODES_SEED = 0, 1

SHOWN = 10  # images of a figure, with their reconstructions
LATENTS_SHOWN = 10
PLANE_CODES, PLANE_SIDE, PLANE_ENDS = 1000, 7, (-2.0, 2.0)  # dots and images of a map of the codes, and how far it goes


class Codes(NamedTuple):
    """The distributions of codes that an encoder gives for images: ``mean`` and ``log_variance``, both (N, z)."""

    mean: NDArray[np.floating]
    log_variance: NDArray[np.floating]


def held_out(canvas: int, count: int = HELD_OUT) -> TwoObjects:
    """Return arrangements that nobody is trained on."""
    return two_objects(count, canvas, HELD_OUT_SEED)


def encode(encoder: Sequential, data: TwoObjects) -> Codes:
    """Return the codes of images, which are drawn a slice at a time."""
    heads = [encoder.forward(data.draw(slice(k, k + SLICE))) for k in range(0, len(data), SLICE)]
    return Codes(*(np.concatenate([of_slice[name] for of_slice in heads]) for name in Codes._fields))


def decode(decoder: Sequential, codes: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the images (N, H, W, 3) of codes (N, z)."""
    return np.concatenate([decoder.forward(codes[k : k + SLICE]) for k in range(0, len(codes), SLICE)])


def judged_reconstructions(decoder: Sequential, data: TwoObjects, codes: Codes) -> dict[str, float]:
    """Return how near the images of mean codes are to the images that were encoded.

    Returns
    -------
    dict of str to float
        ``error``: squared error as a share of that of the average image. ``lost``: share of images that lack an object.
        ``offset``: distance in pixels from an object to where it is found, on average over those that are found.
        ``kl``: divergence of a code in nats.
    """
    squares, rest, centres = 0.0, 0.0, []
    total = np.zeros((data.canvas, data.canvas, 3))
    for k in range(0, len(data), SLICE):
        images = data.draw(slice(k, k + SLICE)).astype(np.float64)
        made = decode(decoder, codes.mean[k : k + SLICE])
        total += images.sum(axis=0)
        squares += float(np.square(images).sum())
        rest += float(np.square(images - made).sum())
        centres.append(find_centres(made))
    found = np.concatenate(centres)  # (N, 2, 2)
    distance = np.linalg.norm(found - data.centres, axis=2)  # (N, 2), NaN where an object is missing
    there = np.isfinite(distance)
    return {
        "error": rest / (squares - float(np.square(total).sum()) / len(data)),
        "lost": miss_rate(found),
        "offset": float(distance[there].mean()) if there.any() else float("nan"),
        "kl": float(kl_of_each(codes.mean, codes.log_variance).sum(axis=1, dtype=np.float64).mean()),
    }


def judged_latents(data: TwoObjects, codes: Codes) -> tuple[dict[str, float], NDArray[np.float64]]:
    """Return how the latents share the factors, as far as the images allow to say, and the shares known (6, z).

    Returns
    -------
    metrics : dict of str to float
        ``gap``: see `minicoord.experiments.vae.disentanglement.information_gap`. ``positions_read``, ``shapes_read``:
        share of the variance of the four coordinates, and of both shapes, that a linear map of the mean codes explains.
    known : ndarray (6, z)
    """
    values = factors(data)
    noise = np.random.default_rng(CODES_SEED).standard_normal(codes.mean.shape, np.float32)
    known = shares_known(reparametrise(codes.mean, codes.log_variance, noise), values)
    read = read_linearly(codes.mean, values)
    metrics = {"gap": information_gap(known), "positions_read": read[:4].mean(), "shapes_read": read[4:].mean()}
    return {name: float(value) for name, value in metrics.items()}, known


def map_arrays(decoder: Sequential, data: TwoObjects, codes: Codes, known: NDArray[np.float64]) -> dict[str, NDArray]:
    """Return what the map of the latent space shows, as `minicoord.plots.latent_map` wants it.

    The plane is that of the latent that knows most of the x of the red object, and of the one that knows most of its y.
    """
    latents = kl_of_each(codes.mean, codes.log_variance).mean(axis=0).argsort()[::-1][:LATENTS_SHOWN]
    of_x, of_y = known[2], known[3].copy()
    first = int(of_x.argmax())
    of_y[first] = -1.0
    plane = np.array([first, int(of_y.argmax())])
    along = np.linspace(*PLANE_ENDS, PLANE_SIDE, dtype=np.float32)
    vectors = np.zeros((PLANE_SIDE, PLANE_SIDE, codes.mean.shape[1]), np.float32)
    vectors[..., plane[0]] = along  # from left to right
    vectors[..., plane[1]] = along[:, np.newaxis]  # from top to bottom
    images = decode(decoder, vectors.reshape(PLANE_SIDE**2, -1))
    return {
        "information": known[:, latents],
        "latents": latents,
        "plane": plane,
        "plane_codes": codes.mean[:PLANE_CODES, plane],
        "plane_places": data.centres[:PLANE_CODES, RED],
        "plane_ends": np.array(PLANE_ENDS),
        "plane_images": as_bytes(images).reshape(PLANE_SIDE, PLANE_SIDE, *images.shape[1:]),
    }


def judged_samples(decoder: Sequential, z: int) -> tuple[dict[str, float], dict[str, NDArray]]:
    """Return what is measured of 1,000 images of random codes, and what figure 7 shows of them."""
    vectors = np.random.default_rng(SAMPLES_SEED).standard_normal((SAMPLES, z), np.float32)
    return judged_images(decode(decoder, vectors))


def judged_ways(decoder: Sequential, codes: Codes) -> tuple[dict[str, float], NDArray[np.uint8]]:
    """Return jump and fade on 30 ways between the mean codes of images, and some of the ways.

    Both ends of a way are codes of images, so that an object which is missing on the way was there at the ends.
    """
    ends = codes.mean[: 2 * PATHS].reshape(PATHS, 2, -1)
    return judged_paths(lambda vectors: decode(decoder, vectors), ends)


def all_of_it(encoder: Sequential, decoder: Sequential, canvas: int) -> tuple[dict[str, float], dict[str, Any]]:
    """Return all metrics of an autoencoder, and the arrays of its figures.

    Besides those of `judged_images` and `map_arrays` there are ``originals`` and ``reconstructions``
    (10, H, W, 3) and ``paths`` (4, 33, H, W, 3), all of uint8.
    """
    data = held_out(canvas)
    codes = encode(encoder, data)
    metrics = judged_reconstructions(decoder, data, codes)
    of_samples, arrays = judged_samples(decoder, codes.mean.shape[1])
    of_ways, paths = judged_ways(decoder, codes)
    of_latents, known = judged_latents(data, codes)
    pictures = {
        "originals": as_bytes(data.draw(slice(SHOWN))),
        "reconstructions": as_bytes(decode(decoder, codes.mean[:SHOWN])),
        "paths": paths,
    }
    metrics |= {**of_samples, **of_ways, **of_latents}
    return metrics, {**arrays, **pictures, **map_arrays(decoder, data, codes, known)}
