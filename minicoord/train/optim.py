"""Optimisers: they change a model's parameters in place, from the gradients that its backward pass left.

The docstring of each has its update rule, which `minicoord.kernels.updates`, and for RMSprop
`minicoord.kernels.rmsprop`, computes in one pass over memory. What they share is in ``optimizer.py``. ``lr`` is an
ordinary attribute: set it between steps, or let ``fit`` set it from a schedule.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from minicoord.kernels.rmsprop import rmsprop_update
from minicoord.kernels.updates import adam_update, sgd_update
from minicoord.system.arguments import check_flag, check_number
from minicoord.train.optimizer import Optimizer


class SGD(Optimizer):
    """Gradient descent with momentum.

    A step for a parameter ``w`` with gradient ``g``, all three arrays of the same shape::

        velocity = momentum * velocity + g     # 0 before the first step
        w = w - lr * velocity

    Parameters
    ----------
    lr : float
        Learning rate, 0 or more.
    momentum : float
        Decay rate of the velocity, in [0, 1); 0 is plain gradient descent.
    l2 : float
        Strength of the L2 penalty, see `Optimizer`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a number, or outside its bounds.
    """

    slot_names = ("velocity",)

    def __init__(self, lr: float, momentum: float = 0.9, l2: float = 0.0) -> None:
        super().__init__(lr, l2)
        check_number("SGD: momentum", momentum, 0.0, below=1.0)
        self.momentum = float(momentum)

    def _update(self, w: NDArray, g: NDArray, penalised: bool, *slots: NDArray) -> None:
        (velocity,) = slots
        # The two lines of the docstring in one pass over memory, where g includes the L2 term 2 * l2 * w.
        sgd_update(w, g, velocity, self.lr, self.momentum, self.l2 if penalised else 0.0)

    def config(self) -> dict[str, Any]:
        """Return the class name and the arguments, with the current learning rate; fit for JSON."""
        return {**super().config(), "momentum": self.momentum}


class Adam(Optimizer):
    """Adam (Kingma and Ba, 2015): steps of about `lr` for each parameter, whatever the size of its gradient.

    Step t = 1, 2, ... for a parameter ``w`` with gradient ``g``, all four arrays of the same shape::

        m = beta1 * m + (1 - beta1) * g                     # running mean of the gradient, 0 before the first step
        v = beta2 * v + (1 - beta2) * g**2                  # running mean of its square, 0 before the first step
        rate = lr * sqrt(1 - beta2**t) / (1 - beta1**t)     # corrects the bias of m and v towards 0
        w = w - rate * m / (sqrt(v) + eps)

    Parameters
    ----------
    lr : float
        Learning rate, 0 or more.
    beta1, beta2 : float
        Decay rates of the running means of the gradient and of its square, in [0, 1). The paper's code used
        ``beta2 = 0.99``; the usual value is 0.999.
    eps : float
        Keeps the step finite where the gradient has always been zero; above 0.
    l2 : float
        Strength of the L2 penalty, see `Optimizer`. It is added to the gradient, as in the paper's code.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a number, or outside its bounds.
    """

    slot_names = ("m", "v")

    def __init__(self, lr: float, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, l2: float = 0.0) -> None:
        super().__init__(lr, l2)
        check_number("Adam: beta1", beta1, 0.0, below=1.0)
        check_number("Adam: beta2", beta2, 0.0, below=1.0)
        check_number("Adam: eps", eps, 0.0, above=True)
        self.beta1, self.beta2, self.eps = float(beta1), float(beta2), float(eps)

    def _update(self, w: NDArray, g: NDArray, penalised: bool, *slots: NDArray) -> None:
        m, v = slots
        l2 = self.l2 if penalised else 0.0
        # The four lines of the docstring in one pass over memory, where g includes the L2 term 2 * l2 * w.
        adam_update(w, g, m, v, self.lr, self.beta1, self.beta2, self.eps, self.t, l2)

    def config(self) -> dict[str, Any]:
        """Return the class name and the arguments, with the current learning rate; fit for JSON."""
        return {**super().config(), "beta1": self.beta1, "beta2": self.beta2, "eps": self.eps}


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019): ``w *= 1 - lr * decay``, then the step of Adam.

    Adam normalises the gradient of an L2 penalty along with that of the loss, so the penalty dominates wherever the
    gradient of the loss is small. Decoupled decay shrinks every weight by the same share.

    Parameters
    ----------
    lr, beta1, beta2, eps : float
        Those of `Adam`.
    decay : float
        Each step shrinks convolution kernels (``l2_params`` of the layers) by the share ``lr * decay``; 0 or more.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a number, or outside its bounds.

    Examples
    --------
    >>> from minicoord import Conv2D
    >>> layer = Conv2D(1, 1, 1)
    >>> layer.params["w"][:] = 2
    >>> AdamW(0.1, decay=0.5).step(layer)  # the gradient is zero: decay only
    >>> round(layer.params["w"].item(), 6)
    1.9
    """

    def __init__(
        self, lr: float, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, decay: float = 0.01
    ) -> None:
        super().__init__(lr, beta1, beta2, eps)
        check_number("AdamW: decay", decay, 0.0)
        self.decay = float(decay)

    def _update(self, w: NDArray, g: NDArray, penalised: bool, *slots: NDArray) -> None:
        if penalised:
            w *= w.dtype.type(1 - self.lr * self.decay)
        super()._update(w, g, penalised, *slots)

    def config(self) -> dict[str, Any]:
        """Return the class name and the arguments, with the current learning rate; fit for JSON."""
        return {**super().config(), "decay": self.decay}


class RMSprop(Optimizer):
    """RMSprop (Hinton, 2012), as the published A2C uses it: `eps` inside of the root, a running mean that starts at 1.

    A step for a parameter ``w`` with gradient ``g``, all three arrays of the same shape::

        v = alpha * v + (1 - alpha) * g**2     # running mean of the square, 1 before the first step
        w = w - lr * g / sqrt(v + eps)

    The textbook has other details, ``w - lr * g / (sqrt(v) + eps)`` and v = 0 before the first step, and they matter.
    With v = 0 the first step is ``lr / sqrt(1 - alpha)`` for every parameter, ten times the learning rate with
    ``alpha = .99``, however small its gradient. With v = 1 it is about ``lr * g``: the clipped gradients of an agent
    are far below 1, and the steps grow slowly, over some ``1 / (1 - alpha)`` of them, while v falls to the size of
    ``g**2``. And where gradients stay below ``sqrt(eps)``, eps inside of the root bounds the step by
    ``lr * g / sqrt(eps)``.

    Parameters
    ----------
    lr : float
        Learning rate, 0 or more.
    alpha : float
        Decay rate of the running mean, in [0, 1).
    eps : float
        Keeps the step finite where the gradient has always been zero; above 0.
    l2 : float
        Strength of the L2 penalty, see `Optimizer`.
    textbook : bool
        True for `eps` outside of the root, and a running mean that starts at 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a number, or outside its bounds.

    Examples
    --------
    >>> from minicoord import Dense
    >>> for textbook in (False, True):
    ...     layer = Dense(1, 1, init="zeros")
    ...     layer.grads["w"][:] = 0.125
    ...     RMSprop(1.0, textbook=textbook).step(layer)
    ...     print(round(layer.params["w"].item(), 3))
    -0.126
    -9.992
    """

    slot_names = ("v",)

    def __init__(
        self, lr: float, alpha: float = 0.99, eps: float = 1e-5, l2: float = 0.0, textbook: bool = False
    ) -> None:
        super().__init__(lr, l2)
        check_number("RMSprop: alpha", alpha, 0.0, below=1.0)
        check_number("RMSprop: eps", eps, 0.0, above=True)
        self.alpha, self.eps = float(alpha), float(eps)
        self.textbook = check_flag("RMSprop: textbook", textbook)
        self.slot_start = 0.0 if self.textbook else 1.0

    def _update(self, w: NDArray, g: NDArray, penalised: bool, *slots: NDArray) -> None:
        (v,) = slots
        # The two lines of the docstring in one pass over memory, where g includes the L2 term 2 * l2 * w.
        rmsprop_update(w, g, v, self.lr, self.alpha, self.eps, not self.textbook, self.l2 if penalised else 0.0)

    def config(self) -> dict[str, Any]:
        """Return the class name and the arguments, with the current learning rate; fit for JSON."""
        return {**super().config(), "alpha": self.alpha, "eps": self.eps, "textbook": self.textbook}
