"""What all optimisers share: the learning rate, the L2 penalty, the step over all parameters, and the state to save.

The update rules are in ``optim.py``.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.nn.layers.base import Layer
from minicoord.system.arguments import check_kind, check_number, check_whole, shown


class Optimizer:
    """The base class of the optimisers: the learning rate, the L2 penalty, and the arrays kept beside each parameter.

    An optimiser belongs to the model of its first step, because its slots belong to that model's parameters. After
    `load_state_dict`, or once it is copied, it belongs to the model of its next step.

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
        The arrays kept beside each parameter, of its shape and dtype, such as ``slots["velocity"]["0.w"]``; none before
        the first step.
    slot_start : float
        What every entry of a slot is before the first step.
    """

    slot_names: tuple[str, ...] = ()
    slot_start: float = 0.0

    def __init__(self, lr: float, l2: float = 0.0) -> None:
        check_number(f"{type(self).__name__}: lr", lr, 0.0)
        check_number(f"{type(self).__name__}: l2", l2, 0.0)
        self.lr = float(lr)
        self.l2 = float(l2)
        self.t = 0
        self.slots: dict[str, dict[str, NDArray]] = {name: {} for name in self.slot_names}
        self._forget_model()

    def _forget_model(self) -> None:
        # Weak references, so that an optimiser does not keep a model alive.
        self._model: weakref.ref[Layer] | None = None
        self._arrays: dict[str, weakref.ref[NDArray]] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Leave the model out of copies and pickles, so that a copied optimiser can go on with a copied model."""
        return {**self.__dict__, "_model": None, "_arrays": {}}

    def step(self, model: Layer) -> None:
        """Update ``model.params`` in place from ``model.grads``, which are left unchanged.

        Parameters
        ----------
        model : Layer
            A model or a single layer after its backward pass: the same in every call, or one with the same arrays.

        Raises
        ------
        ValueError
            If the parameters are not those of the earlier steps; nothing is changed.
        """
        self._check_type(model)
        params, grads, l2_params = model.params, model.grads, model.l2_params
        self._check_params(model, params)
        self._model = weakref.ref(model)
        self._arrays = {key: weakref.ref(w) for key, w in params.items()}
        if not self._has_slots():
            start = self.slot_start
            self.slots = {name: {key: np.full_like(w, start) for key, w in params.items()} for name in self.slot_names}
        self.t += 1
        for key, w in params.items():
            self._update(w, grads[key], key in l2_params, *(self.slots[name][key] for name in self.slot_names))

    def check_model(self, model: Layer) -> None:
        """Raise ValueError if the earlier steps were taken on another model, so that `step` would refuse this one."""
        self._check_type(model)
        self._check_params(model, model.params)

    def _check_type(self, model: object) -> None:
        if not isinstance(model, Layer):
            raise TypeError(
                f"{type(self).__name__}: model is of type {type(model).__name__}, wanted a model or a layer"
            )

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
        """Update one parameter `w` and its slots in place, from its gradient `g`; all have the same shape.

        `penalised` says whether the L2 penalty, or the decay, applies to it: whether it is in ``l2_params``.
        """
        raise NotImplementedError(f"{type(self).__name__} has no _update")

    def l2_penalty(self, model: Layer) -> float:
        """Return ``l2 * sum(w^2)`` over the convolution kernels of the model, summed in float64."""
        self._check_type(model)
        if not self.l2:
            return 0.0
        params = model.params
        return self.l2 * sum(float(np.sum(np.square(params[key], dtype=np.float64))) for key in model.l2_params)

    def config(self) -> dict[str, Any]:
        """Return the class name and the arguments, with the current learning rate; fit for JSON."""
        return {"name": type(self).__name__, "lr": self.lr, "l2": self.l2}

    def state_dict(self) -> dict[str, Any]:
        """Return what the next step depends on besides the arguments, as a flat dict of copies.

        Returns
        -------
        dict
            ``name`` (str), ``lr`` (float), ``t`` (int), and the slots under names such as ``"m/0.w"`` (ndarray).
        """
        arrays = {f"{name}/{key}": array.copy() for name, slot in self.slots.items() for key, array in slot.items()}
        return {"name": type(self).__name__, "lr": self.lr, "t": self.t, **arrays}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned; nothing is changed if it does not fit.

        Raises
        ------
        ValueError
            If it comes from another class of optimiser, or is incomplete.
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
        """Raise ValueError or TypeError if `load_state_dict` would refuse `state`."""
        kind = type(self).__name__
        check_kind(f"{kind}: state", state, dict, "a dict, as state_dict returns it")
        name, paths = state.get("name"), [path for path in state if not isinstance(path, str)]
        if not isinstance(name, str) or name != kind or paths:
            raise ValueError(f"{kind}: the state is that of {shown(paths or name)}, wanted that of {kind}")
        slots: dict[str, dict[str, Any]] = {name: {} for name in self.slot_names}
        complete = "lr" in state and "t" in state
        for path, array in state.items():
            name, slash, key = path.partition("/")
            if slash:
                complete = complete and name in slots and isinstance(array, np.ndarray)
                slots.setdefault(name, {})[key] = (getattr(array, "shape", None), getattr(array, "dtype", None))
        if not complete or any(slot != slots[self.slot_names[0]] for slot in slots.values()):
            raise ValueError(
                f"{kind}: the state is not complete; wanted lr, t and the same keys and shapes of {self.slot_names}"
            )
        check_number(f"{kind}: lr of the state", state["lr"], 0.0)
        check_whole(f"{kind}: t of the state", state["t"], 0)
