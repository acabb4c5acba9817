"""A detector that runs with a learner's functions of boxes gives what it gives with the library's."""

from __future__ import annotations

import numpy as np
import pytest
from learners_functions import (
    kernels_are_restored,  # noqa: F401 (an autouse fixture)
    solutions,
)
from numpy.testing import assert_allclose

from minicoord.experiments.detection.detector import Detector
from minicoord.experiments.detection.losses import detection_loss
from minicoord.experiments.detection.metrics import recall
from minicoord.experiments.detection.networks import region_proposal_network
from minicoord.learn.definition.course import get
from minicoord.learn.swap_in.swap import using
from minicoord.learn.swap_in.teaching_path import TeachingPath

IDS = ("box_iou_pairs", "encode_boxes", "decode_boxes", "non_maximum_suppression", "assign_anchors")
RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(size=(3, 64, 64, 1)).astype(np.float32)
TRUTH = RNG.uniform((15, 15, 15, 15), (49, 49, 25, 25), (3, 5, 4)).astype(np.float32)


def detector() -> Detector:
    net = region_proposal_network(rng=0)
    net.params["5.box.1.w"][...] = 0.05 * np.random.default_rng(1).normal(size=net.params["5.box.1.w"].shape)
    return Detector(net, "valid")


def results() -> tuple:
    one = detector()
    transforms, logits = one.branches(IMAGES)
    boxes = one.boxes(transforms)
    samples = one.samples(boxes, TRUTH, np.random.default_rng(2))
    losses = detection_loss(transforms, logits, samples, one.anchors, TRUTH)
    found = one.detect(IMAGES, TRUTH)
    return boxes, samples, losses, found, recall(found, 0.3)


def test_a_detector_gives_the_same_with_the_solutions_and_calls_all_of_them():
    right_boxes, right_samples, right_losses, right_found, right_recall = results()
    with using(**solutions(*IDS)) as calls:
        boxes, samples, losses, found, share = results()
    assert all(calls[id] > 0 for id in IDS), calls
    assert_allclose(boxes, right_boxes, rtol=1e-6)
    for one, other in zip(samples, right_samples, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert_allclose([losses.box, losses.score], [right_losses.box, right_losses.score], rtol=1e-5)
    for one, other in zip(found, right_found, strict=True):
        assert_allclose(one.boxes, other.boxes, rtol=1e-6)
    assert share == right_recall


@pytest.mark.parametrize("id", IDS)
def test_each_function_can_take_part_alone(id: str):
    with using(**solutions(id)) as calls:
        results()
    assert set(calls) == {id} and calls[id] > 0


def test_images_without_boxes_have_an_overlap_of_their_shape():
    path = TeachingPath(solutions("box_iou_pairs"))
    nothing = np.zeros((0, 7, 4), np.float32)
    assert path.box_iou(lambda: None, nothing, np.zeros((0, 5, 4), np.float32)).shape == (0, 7, 5)


def test_what_is_not_an_array_of_indices_is_refused():
    path = TeachingPath({"non_maximum_suppression": lambda *_: [1, 2]})
    with pytest.raises(ValueError, match=r"returned list, expected an array \(K,\) of ints"):
        path.nms(lambda: None, np.zeros((3, 4)), np.zeros(3), 0.8, 10)


def test_the_assignment_has_the_digits_of_positive_boxes_only():
    iou = np.array([[0.6, 0.7, 0.0], [0.1, 0.8, 0.0], [0.02, 0.0, 0.01]])
    found = TeachingPath({"assign_anchors": get("assign_anchors").solution}).assign(lambda: None, iou, np.ones(3, bool))
    assert found.positive.tolist() == [True, True, True]
    assert found.digit.tolist() == [0, 1, 2]
    assert not found.negative.any()
