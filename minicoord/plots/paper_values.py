"""Numbers that the paper reports and that figures draw as reference lines and marks."""

from __future__ import annotations

CONV_ACCURACY_UNIFORM = 86
"""Per cent: the best test accuracy of any convolutional network on the uniform split (Figure 4)."""

SECONDS_TO_ACCURACY = {"conv": (4000, 4000, 80), "conv-no-bn": (4000, 4000, 80), "coordconv": (10, 20, 100)}
"""For each classifier the first and the last second at which it reaches a test accuracy in per cent (Figure 4)."""

CONVOLUTIONS = ("conv", "conv-no-bn")
"""The models that stand for the paper's convolutional classifier; the paper leaves open whether it had batch norm."""

CONV_IOU = {"uniform": 0.83, "quadrant": 0.36}
"""For each split the best test overlap (IOU) of any convolutional network (Figure 6)."""
