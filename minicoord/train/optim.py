"""Optimisers: they change a model's parameters in place, from the gradients that its backward pass left.

The update rule of each stands in its docstring, and `minicoord.kernels.updates` computes it in one pass over memory.
``lr`` is an ordinary attribute: set it between steps, or let ``fit`` set it from a schedule.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.kernels.updates import adam_update, sgd_update
from minicoord.nn.layers.base import Layer
from minicoord.system.arguments import check_number, check_whole
from minicoord.train.schedules import ConstantSchedule, CosineSchedule, LinearSchedule, Schedule, StepSchedule

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "ConstantSchedule",
    "CosineSchedule",
    "LinearSchedule",
    "Optimizer",
    "Schedule",
    "StepSchedule",
]


class Optimizer:
    """What the optimisers share: the learning rate, the L2 penalty, and one array or more beside each parameter.

    An optimiser serves one model, the one of its first step: what it keeps belongs to that model's parameters. After
    `load_state_dict`, and as a copy, it serves the model that it is given next.

    Parameters
    ----------
    lr : float
        Learning rate, 0 or more.
    l2 : float
        Strength of the L2 penalty ``l2 * sum(w^2)``, without a factor of one half, on convolution kernels only
        (``l2_params`` of the layers): the rule of the paper's code. Its gradient is ``2 * l2 * w``.

    Attributes
    ----------
    lr : float
        May be changed between steps.
    t : int
        Steps taken.
    slots : dict of str to dict of str to ndarray
        What is kept beside each parameter, such as ``slots["velocity"]["0.w"]``; zeros before the first step.
    """

    slot_names: tuple[str, ...] = ()

    def __init__(self, lr: float, l2: float = 0.0) -> None:
        check_number(f"{type(self).__name__}: lr", lr, 0.0)
        check_number(f"{type(self).__name__}: l2", l2, 0.0)
        self.lr = float(lr)
        self.l2 = float(l2)
        self.t = 0
        self.slots: dict[str, dict[str, NDArray]] = {name: {} for name in self.slot_names}
        self._forget_model()

    def _forget_model(self) -> None:
        # Weak references: an optimiser keeps no model alive.
        self._model: weakref.ref[Layer] | None = None
        self._arrays: dict[str, weakref.ref[NDArray]] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Leave the model out of copies and pickles: the copy of an optimiser goes on with the copy of a model."""
        return {**self.__dict__, "_model": None, "_arrays": {}}

    def step(self, model: Layer) -> None:
        """Change ``model.params`` in place, from ``model.grads``. The gradients stay as they are.

        Parameters
        ----------
        model : Layer
            A model or a single layer, after its backward pass: the same one in each call, or one with the same arrays.

        Raises
        ------
        ValueError
            If the parameters are not those of the earlier steps; nothing is changed then.
        """
        params, grads, l2_params = model.params, model.grads, model.l2_params
        self._check_params(model, params)
        self._model = weakref.ref(model)
        self._arrays = {key: weakref.ref(w) for key, w in params.items()}
        if not self._has_slots():
            self.slots = {name: {key: np.zeros_like(w) for key, w in params.items()} for name in self.slot_names}
        self.t += 1
        for key, w in params.items():
            self._update(w, grads[key], key in l2_params, *(self.slots[name][key] for name in self.slot_names))

    def check_model(self, model: Layer) -> None:
        """Raise ValueError if `step` would refuse the model, because the earlier steps were taken on another one."""
        self._check_params(model, model.params)

    def _has_slots(self) -> bool:
        return self.t > 0 or any(self.slots.values())

    def _check_params(self, model: Layer, params: dict[str, NDArray]) -> None:
        known = self._model is None or self._model() is model
        if not known:
            known = params.keys() == self._arrays.keys() and all(self._arrays[key]() is w for key, w in params.items())
        wanted = {key: (w.shape, w.dtype) for key, w in params.items()}
        kept = [{key: (array.shape, array.dtype) for key, array in slot.items()} for slot in self.slots.values()]
        if not known or (self._has_slots() and any(shapes != wanted for shapes in kept)):
            raise ValueError(
                f"{type(self).__name__}: the model's parameters are not those of the earlier steps; "
                "make a new optimiser for each model, and after astype"
            )

    def _update(self, w: NDArray, g: NDArray, penalised: bool, *slots: NDArray) -> None:
        """Change one parameter and its slots in place, all of one shape; `penalised` is True for those in l2_params."""
        raise NotImplementedError(f"{type(self).__name__} has no _update")

    def l2_penalty(self, model: Layer) -> float:
        """Return ``l2 * sum(w^2)`` over the convolution kernels of the model, summed in float64."""
        if not self.l2:
            return 0.0
        params = model.params
        return self.l2 * sum(float(np.sum(np.square(params[key], dtype=np.float64))) for key in model.l2_params)

    def config(self) -> dict[str, Any]:
        """Return the name and the arguments, with the learning rate of this moment; fit for JSON."""
        return {"name": type(self).__name__, "lr": self.lr, "l2": self.l2}

    def state_dict(self) -> dict[str, Any]:
        """Return what the next step depends on, apart from the arguments: copies, in a flat dict.

        Returns
        -------
        dict
            ``name`` (str), ``lr`` (float), ``t`` (int), and the arrays under names such as ``"m/0.w"``.
        """
        arrays = {f"{name}/{key}": array.copy() for name, slot in self.slots.items() for key, array in slot.items()}
        return {"name": type(self).__name__, "lr": self.lr, "t": self.t, **arrays}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict` returned. Nothing is changed if it does not fit.

        Raises
        ------
        ValueError
            If it comes from an optimiser of another kind, or is not complete.
        TypeError
            If its learning rate is not a number.
        """
        self.check_state_dict(state)
        slots: dict[str, dict[str, NDArray]] = {name: {} for name in self.slot_names}
        for path, array in state.items():
            name, slash, key = path.partition("/")
            if slash:
                slots[name][key] = array.copy()
        self.lr, self.t, self.slots = float(state["lr"]), int(state["t"]), slots
        self._forget_model()

    def check_state_dict(self, state: dict[str, Any]) -> None:
        """Raise ValueError or TypeError if `load_state_dict` could not take `state` over."""
        kind = type(self).__name__
        if state.get("name") != kind:
            raise ValueError(f"{kind}: the state is that of {state.get('name')}")
        paths = [path.partition("/") for path in state if "/" in path]
        keys = [{key for name, _, key in paths if name == wanted} for wanted in self.slot_names]
        known = all(name in self.slot_names for name, _, _ in paths)
        if not (known and "lr" in state and "t" in state and all(k == keys[0] for k in keys)):
            raise ValueError(f"{kind}: the state is not complete; wanted lr, t and the same keys of {self.slot_names}")
        check_number(f"{kind}: lr of the state", state["lr"], 0.0)
        check_whole(f"{kind}: t of the state", state["t"], 0)


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
        How much of the velocity is kept, in [0, 1); 0 is plain gradient descent.
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
        # The two lines above, in one pass over memory. With L2, g is the gradient plus 2 * l2 * w.
        sgd_update(w, g, velocity, self.lr, self.momentum, self.l2 if penalised else 0.0)

    def config(self) -> dict[str, Any]:
        """Return the name and the arguments, with the learning rate of this moment; fit for JSON."""
        return {**super().config(), "momentum": self.momentum}


class Adam(Optimizer):
    """Adam (Kingma and Ba, 2015): steps of about `lr` for each parameter, whatever the size of its gradient.

    Step t = 1, 2, ... for a parameter ``w`` with gradient ``g``, all four arrays of the same shape::

        m = beta1 * m + (1 - beta1) * g                     # running mean of the gradient, 0 before the first step
        v = beta2 * v + (1 - beta2) * g**2                  # running mean of its square, 0 before the first step
        rate = lr * sqrt(1 - beta2**t) / (1 - beta1**t)     # makes up for the zeros that m and v began with
        w = w - rate * m / (sqrt(v) + eps)

    Parameters
    ----------
    lr : float
        Learning rate, 0 or more.
    beta1, beta2 : float
        How much of the running means of the gradient and of its square is kept, in [0, 1). The paper's code used
        ``beta2 = 0.99``; the usual value is 0.999.
    eps : float
        Keeps the step finite where the gradient was always zero, above 0.
    l2 : float
        Strength of the L2 penalty, see `Optimizer`. It is part of the gradient, as in the paper's code.

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
        # The four lines above, in one pass over memory. With L2, g is the gradient plus 2 * l2 * w.
        adam_update(w, g, m, v, self.lr, self.beta1, self.beta2, self.eps, self.t, l2)

    def config(self) -> dict[str, Any]:
        """Return the name and the arguments, with the learning rate of this moment; fit for JSON."""
        return {**super().config(), "beta1": self.beta1, "beta2": self.beta2, "eps": self.eps}


class AdamW(Adam):
    """Adam with decoupled decay (Loshchilov and Hutter, 2019): ``w *= 1 - lr * decay``, then the step of Adam.

    An L2 penalty is part of the gradient, so Adam scales its pull like everything else: where the gradient of the loss
    is small, the penalty rules. Decay pulls every weight by the same share.

    Parameters
    ----------
    lr, beta1, beta2, eps : float
        Those of `Adam`.
    decay : float
        By what share of ``lr`` convolution kernels (``l2_params`` of the layers) shrink in each step, 0 or more.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a number, or outside its bounds.

    Examples
    --------
    >>> from minicoord import Conv2D
    >>> layer = Conv2D(1, 1, 1)
    >>> layer.params["w"][:] = 2
    >>> AdamW(0.1, decay=0.5).step(layer)  # without a gradient there is decay alone
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
        """Return the name and the arguments, with the learning rate of this moment; fit for JSON."""
        return {**super().config(), "decay": self.decay}
