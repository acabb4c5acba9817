"""Names that stand for two things, and types that no option can have, are refused when an experiment is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import make_dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from entry_points import forget, make_visible
from tiny_experiment import POINT, Tiny, TinySettings

from minicoord import experiments
from minicoord.experiments.frame.names import check_names
from minicoord.experiments.frame.settings import setting


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    make_visible(monkeypatch, tmp_path / "installed", POINT)
    yield
    forget()


def settings_with(**kinds: Any) -> type:
    """Return the settings of the tiny experiment with others beside them."""
    more = [(name, kind, setting("of a test", None)) for name, kind in kinds.items()]
    return make_dataclass("More", more, bases=(TinySettings,), frozen=True, kw_only=True)


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ({"variant_name": "lr"}, "a setting is called 'lr', as are the variants"),
        *(
            ({"variant_name": word}, f"the variants are called {word!r}, which has a meaning for every run")
            for word in ("seed", "model", "out", "json", "help", "command", "preset", "first_seed", "experiment")
        ),
        *(
            (
                {"Settings": settings_with(**{name: int})},
                f"a setting is called {name!r}, which is an option of every run",
            )
            for name in ("json", "help", "model", "seed", "as_json", "preset", "resume")
        ),
        *(
            (
                {"Settings": settings_with(**{name: int})},
                f"a setting is called {name!r}, which has a meaning for every run",
            )
            for name in ("variant", "self", "command", "progress", "experiment")
        ),
        (
            {"Settings": settings_with(no_shuffle=bool)},
            "the settings 'shuffle' and 'no_shuffle' share the option --no-sh",
        ),
        (
            {"Settings": settings_with(kind=Literal["a", "b"])},
            "the setting 'kind' is a typing.Literal['a', 'b'], wanted int",
        ),
        ({"Settings": settings_with(sizes=tuple)}, "the setting 'sizes' is a tuple, wanted int, float, bool or str"),
        ({"Settings": settings_with(sizes=list[int])}, "the setting 'sizes' is a list"),
        ({"Settings": settings_with(place=Path)}, "the setting 'place' is a Path, wanted int"),
        ({"Settings": settings_with(size=int | str)}, "the setting 'size' is a int | str, wanted int"),
        ({"models": ("line", "a/b")}, "the model 'a/b' cannot be part of the name of a folder"),
        ({"more_models": ("..",)}, "the model '..' cannot be part of the name of a folder"),
        ({"variants": ("slope", "up/down")}, "the target 'up/down' cannot be part of the name of a folder"),
        ({"more_variants": ("both",)}, "a target is called 'both', which stands for several"),
    ],
)
def test_a_name_or_type_that_cannot_be_is_one_sentence(monkeypatch, attributes, sentence):
    for name, value in attributes.items():
        monkeypatch.setattr(Tiny, name, value)
    with pytest.raises(experiments.ExperimentError) as caught:
        experiments.get("tiny")
    assert str(caught.value).startswith(f"tiny cannot be loaded from tiny_experiment:Tiny: {sentence}")
    assert "\n" not in str(caught.value)


def test_what_may_be(monkeypatch):
    monkeypatch.setattr(Tiny, "Settings", settings_with(size=int | None, note=str | None, no_width=bool))
    monkeypatch.setattr(Tiny, "variant_name", "variant")
    check_names(Tiny())
    monkeypatch.setattr(Tiny, "variants", ("",))
    monkeypatch.setattr(Tiny, "variant_name", "lr")
    check_names(Tiny())
