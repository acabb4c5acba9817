"""The loss functions: each takes a prediction and the truth, and returns the loss and its gradient with respect to the
prediction.

- `softmax_cross_entropy`, of logits (N, ...) and a label per image, (N,): which one of all classes, or of all pixels?
  The paper's coordinate classification, section 3.
- `sigmoid_cross_entropy`, of logits and targets in [0, 1] of the same shape: is this pixel lit, asked of each pixel
  separately? The paper's rendering.
- `mean_squared_error`, of two arrays of the same shape: how far off is the prediction? The paper's coordinate
  regression.

The gradient has the shape of the prediction. The first two take *logits*, the raw output of the last layer, and apply
softmax or sigmoid themselves: after a model that ends in ``Sigmoid`` it would be applied twice. `softmax` turns logits
into probabilities, to look at.

A loss of your own gets the output of the model, which is read-only because the backward pass needs it: it computes
``prediction - target``, a new array, where ``prediction -= target`` raises an error.

Examples
--------
>>> import numpy as np
>>> logits = np.zeros((2, 4, 4, 1), np.float32)
>>> loss, dlogits = softmax_cross_entropy(logits, np.array([0, 15]))
>>> round(loss, 4), dlogits.shape  # ln 16
(2.7726, (2, 4, 4, 1))
"""

from minicoord.kernels.losses import mean_squared_error, sigmoid_cross_entropy
from minicoord.kernels.softmax import softmax, softmax_cross_entropy

__all__ = ["mean_squared_error", "sigmoid_cross_entropy", "softmax", "softmax_cross_entropy"]
