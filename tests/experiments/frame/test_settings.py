"""Settings: which a network has, what values they may have, and what is refused before anything runs."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass
from typing import Any

import pytest

from minicoord.experiments.frame.settings import (
    Settings,
    as_kept,
    changed,
    check_change,
    fields_of,
    names_of,
    setting,
    type_of,
    values_of,
)


@dataclass(frozen=True, kw_only=True)
class Toy(Settings):
    steps: int = setting("how long to train")
    rate: float = setting("learning rate", 0.1)
    decay: float = setting("of the weights", 0.0)
    slope: float = setting("of the leaky ReLU", 0.2, models=["critic"])
    curve: str = setting("of the learning rate", "flat", choices=["flat", "steep"])
    noisy: bool = setting("add noise", False, models=("generator", "critic"))
    limit: int | None = setting("of the gradient", None)
    game: str | None = setting("its name", None, choices=["tag", "chess"])
    title: str = setting("of the figure", "toy")
    counted: int = 0

    def check(self) -> None:
        if self.decay and self.noisy:
            raise ValueError(f"decay {self.decay} and noise exclude each other")


ALL = ["steps", "rate", "decay", "slope", "curve", "noisy", "limit", "game", "title"]
USUAL = Toy(steps=10)


def test_a_network_has_the_settings_that_name_it_and_those_that_name_none():
    assert names_of(Toy) == ALL, "in their order, and nothing that is not a setting"
    assert names_of(Toy, "critic") == ALL
    assert names_of(Toy, "generator") == [name for name in ALL if name != "slope"]
    assert names_of(Toy, "third") == [name for name in ALL if name not in ("slope", "noisy")]
    assert [field.metadata["help"] for field in fields_of(Toy, "critic")][3] == "of the leaky ReLU"


def test_the_values_of_a_network_are_those_of_its_settings_alone():
    usual = {"steps": 10, "rate": 0.1, "decay": 0.0, "curve": "flat", "limit": None, "game": None, "title": "toy"}
    assert values_of(USUAL, "third") == usual
    assert values_of(USUAL, "critic") == usual | {"slope": 0.2, "noisy": False}


def test_a_setting_without_a_default_has_to_be_given():
    with pytest.raises(TypeError, match="steps"):
        Toy()  # pyright: ignore[reportCallIssue]


def test_a_subclass_has_the_settings_of_its_base_and_may_change_a_default():
    @dataclass(frozen=True, kw_only=True)
    class More(Toy):
        rate: float = setting("learning rate", 0.5)
        width: int = setting("of the layers", 8)

    assert names_of(More) == [*ALL, "width"]
    assert values_of(More(steps=1), "third")["rate"] == 0.5


@pytest.mark.parametrize(
    ("name", "kind"),
    [("steps", int), ("rate", float), ("noisy", bool), ("curve", str), ("limit", int), ("game", str)],
)
def test_the_type_of_a_setting_is_known_whether_or_not_it_may_be_none(name: str, kind: type):
    assert type_of(Toy, name) is kind


def test_changes_leave_the_settings_that_they_begin_from_alone():
    new = changed(USUAL, "toy, critic", "critic", {"rate": 0.3, "slope": 0.0, "noisy": True})
    assert (new.rate, new.slope, new.noisy, new.steps) == (0.3, 0.0, True, 10)
    assert Toy(steps=10) == USUAL
    with pytest.raises(FrozenInstanceError):
        new.rate = 1.0  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"step": 1}, "there is no setting 'step'; did you mean 'steps'?"),
        ({"counted": 1}, "there is no setting 'counted'; choose from steps, rate, "),
        ({"slope": 0.1}, "'slope' is not a setting of this network, wanted one of steps, rate, decay, curve, noisy, "),
        ({"steps": 0}, "steps was 0, wanted a whole number of at least 1"),
        ({"steps": -3}, "steps was -3, wanted a whole number of at least 1"),
        ({"steps": True}, "steps was True, wanted a whole number of at least 1"),
        ({"steps": 2.0}, "steps was 2.0, wanted a whole number of at least 1"),
        ({"steps": "2"}, "steps was '2', wanted a whole number of at least 1"),
        ({"steps": None}, "steps was None, wanted a whole number of at least 1"),
        ({"rate": -0.1}, "rate was -0.1, wanted a finite number of at least 0"),
        ({"rate": float("nan")}, "rate was nan, wanted a finite number of at least 0"),
        ({"rate": float("inf")}, "rate was inf, wanted a finite number of at least 0"),
        ({"rate": True}, "rate was True, wanted a finite number of at least 0"),
        ({"rate": "high"}, "rate was 'high', wanted a finite number of at least 0"),
        ({"rate": None}, "rate was None, wanted a finite number of at least 0"),
        ({"noisy": 1}, "noisy was 1, wanted true or false"),
        ({"noisy": "yes"}, "noisy was 'yes', wanted true or false"),
        ({"noisy": None}, "noisy was None, wanted true or false"),
        ({"curve": "step"}, "curve was 'step', wanted one of flat, steep"),
        ({"curve": None}, "curve was None, wanted one of flat, steep"),
        ({"curve": ["flat"]}, "curve was ['flat'], wanted one of flat, steep"),
        ({"game": "go"}, "game was 'go', wanted one of tag, chess"),
        ({"limit": 0}, "limit was 0, wanted a whole number of at least 1"),
        ({"limit": False}, "limit was False, wanted a whole number of at least 1"),
        ({"title": 3}, "title was 3, wanted text"),
        ({"title": None}, "title was None, wanted text"),
    ],
)
def test_what_cannot_be_is_named(change: dict[str, Any], words: str):
    with pytest.raises(ValueError) as caught:
        changed(USUAL, "toy, generator", "generator", change)
    assert str(caught.value).startswith(f"toy, generator: {words}")
    ((name, value),) = change.items()
    with pytest.raises(ValueError) as alone:
        check_change(Toy, "toy, generator", "generator", name, value)
    assert str(alone.value) == str(caught.value)


@pytest.mark.parametrize(
    "change",
    [{"limit": None}, {"limit": 1}, {"game": None}, {"game": "chess"}, {"rate": 0}, {"rate": 7}, {"title": ""}],
)
def test_what_may_be(change: dict[str, Any]):
    ((name, value),) = change.items()
    assert getattr(changed(USUAL, "toy, critic", "critic", change), name) == value


def test_settings_that_are_possible_alone_may_be_impossible_together():
    for change in ({"decay": 0.1}, {"noisy": True}):
        changed(USUAL, "toy, critic", "critic", change)
    with pytest.raises(ValueError, match=r"^toy, critic: decay 0\.1 and noise exclude each other$"):
        changed(USUAL, "toy, critic", "critic", {"decay": 0.1, "noisy": True})
    with pytest.raises(ValueError, match=r"^toy, critic: decay 0\.5 and noise exclude each other$"):
        changed(Toy(steps=10, noisy=True), "toy, critic", "critic", {"decay": 0.5})


def test_a_whole_number_is_kept_as_a_float_where_the_setting_is_one():
    kept = as_kept(Toy, "rate", 1)
    assert (kept, type(kept)) == (1.0, float)
    assert type(changed(USUAL, "toy", "critic", {"rate": 0}).rate) is float
    for name, value in (("steps", 3), ("limit", 3), ("limit", None), ("noisy", True), ("curve", "flat")):
        assert as_kept(Toy, name, value) is value
    assert as_kept(Toy, "rate", True) is True, "it is not a number, and refused as what it is"
