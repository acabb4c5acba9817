import numpy as np
import pytest

from minicoord import SGD, Adam, Dense, Sequential, fit, mean_squared_error
from minicoord.train.archive import CheckpointError, read_archive, write_archive
from minicoord.train.checkpoint import load_checkpoint, read_checkpoint, save_checkpoint
from minicoord.train.loop import train
from minicoord.train.part_state import generator_from
from minicoord.train.trainer import Trainer
from minicoord.train.weights import load_weights

X = np.linspace(-1, 1, 8, dtype=np.float32)[:, None]


def network(seed, c_in=1, c_out=1):
    return Sequential([Dense(c_in, c_out, rng=seed)])


def update(model, optimizer):
    loss, dprediction = mean_squared_error(model.forward(X, training=True), 2 * X)
    model.backward(dprediction)
    optimizer.step(model)
    return {"loss": loss}


def resumed_and_straight(tmp_path, make, steps=4):
    """Return the trainer of a run resumed half-way, and that of a run that was never stopped."""
    path = tmp_path / "c"
    train(make(), steps // 2, checkpoint=path, progress=False)
    resumed, straight = make(), make()
    train(resumed, steps, checkpoint=path, resume=True, progress=False)
    train(straight, steps, progress=False)
    return resumed, straight


def weights(trainer):
    return {(name, key): w.tobytes() for name, net in trainer.networks.items() for key, w in net.params.items()}


class EncoderDecoder(Trainer):
    """One optimiser over two parts, through a network that is not a part."""

    def __init__(self):
        encoder, decoder = network(0, 1, 2), network(1, 2, 1)
        self.whole, self.optimizer = Sequential([encoder, decoder]), Adam(0.1)
        super().__init__(4, encoder=encoder, decoder=decoder, optimizer=self.optimizer)

    def step(self):
        return update(self.whole, self.optimizer)


class Inner(Trainer):
    def __init__(self):
        super().__init__(4, net=network(2))


class Outer(Trainer):
    """An optimiser of a network that belongs to a trainer inside."""

    def __init__(self):
        super().__init__(4, own=network(3, 1, 2), inner=Inner(), optimizer=Adam(0.1))

    def step(self):
        return update(self.parts["inner"].parts["net"], self.parts["optimizer"])


@pytest.mark.parametrize("make", [EncoderDecoder, Outer])
def test_an_optimiser_of_several_parts_or_of_a_part_inside_can_be_resumed(tmp_path, make):
    resumed, straight = resumed_and_straight(tmp_path, make)
    assert weights(resumed) == weights(straight)


def test_networks_of_a_trainer_inside_have_both_names(tmp_path):
    outer = Outer()
    assert list(outer.networks) == ["own", "inner.net"]
    train(outer, 1, checkpoint=tmp_path / "c", progress=False)
    loaded = load_weights(tmp_path / "c", network(9), part="inner.net")
    np.testing.assert_array_equal(loaded.params["0.w"], outer.networks["inner.net"].params["0.w"])
    with pytest.raises(CheckpointError, match=r"holds no network called 'inner\.other'"):
        load_weights(tmp_path / "c", network(9), part="inner.other")


def test_a_trainer_inside_is_checked_before_anything_changes(tmp_path):
    train(Outer(), 1, checkpoint=tmp_path / "c", progress=False)
    arrays, facts = read_archive(tmp_path / "c")
    arrays["inner/net/params/0.w"] = np.ones(5, np.float32)
    write_archive(tmp_path / "c", "checkpoint", arrays, facts)
    outer = Outer()
    before = weights(outer)
    with pytest.raises(CheckpointError, match=r"'params/0\.w' is missing or has another shape"):
        train(outer, 2, checkpoint=tmp_path / "c", resume=True, progress=False)
    assert weights(outer) == before


def test_slots_that_differ_in_shape_are_refused():
    trainer = Trainer(1, net=network(0), optimizer=Adam(0.1))
    update(trainer.parts["net"], trainer.parts["optimizer"])
    state = trainer.state()
    state["optimizer"]["m"]["0.w"] = np.ones(2, np.float32)
    with pytest.raises(ValueError, match="the state is not complete; wanted lr, t and the same keys and shapes"):
        trainer.restore(state)


class Fussy:
    """A part with a state of its own, which fails where its key is missing."""

    count = 0

    def step(self):
        return {}

    def state(self):
        return {"count": self.count}

    def restore(self, state):
        self.count = state["count"]


def test_after_an_error_inside_a_part_all_parts_are_as_before(tmp_path):
    train(Trainer(0, net=network(0), fussy=Fussy()), 0, checkpoint=tmp_path / "c", progress=False)
    arrays, facts = read_archive(tmp_path / "c")
    facts["state"]["fussy"] = {}
    write_archive(tmp_path / "c", "checkpoint", arrays, facts)
    trainer = Trainer(0, net=network(1), fussy=Fussy())
    before = weights(trainer)
    with pytest.raises(CheckpointError, match=r"c does not fit the trainer: KeyError\('count'\)"):
        train(trainer, 0, checkpoint=tmp_path / "c", resume=True, progress=False)
    assert weights(trainer) == before


class Dice(Trainer):
    """The part called rng may have any bit generator."""

    def __init__(self, kind):
        super().__init__(4, rng=np.random.Generator(kind(5)))
        self.drawn = []

    def step(self):
        self.drawn.append(self.parts["rng"].integers(1, 7, dtype=np.uint32))
        return {"points": float(self.drawn[-1])}


BIT_GENERATORS = [np.random.MT19937, np.random.PCG64, np.random.PCG64DXSM, np.random.Philox, np.random.SFC64]


@pytest.mark.parametrize("kind", BIT_GENERATORS)
def test_a_part_called_rng_may_have_any_bit_generator(tmp_path, kind):
    resumed, straight = resumed_and_straight(tmp_path, lambda: Dice(kind), steps=6)
    assert resumed.drawn == straight.drawn[3:]


@pytest.mark.parametrize("kind", BIT_GENERATORS)
def test_your_own_loop_may_use_any_bit_generator(tmp_path, kind):
    rng = np.random.Generator(kind(5))
    rng.integers(9, size=3, dtype=np.uint32)
    save_checkpoint(tmp_path / "c", network(0), rng=rng)
    continued = load_checkpoint(tmp_path / "c", network(0)).generator()
    assert continued.integers(9, size=9, dtype=np.uint32).tolist() == rng.integers(9, size=9, dtype=np.uint32).tolist()


def test_without_a_generator_there_is_none_to_continue(tmp_path):
    save_checkpoint(tmp_path / "c", network(0))
    with pytest.raises(ValueError, match="no state of a random generator called 'rng'"):
        read_checkpoint(tmp_path / "c").generator()


class OddRng(Fussy):
    def state(self):
        return {"rng": self.count}

    def restore(self, state):
        self.count = state["rng"]


def test_a_state_may_use_the_name_rng_for_something_else(tmp_path):
    first, again = OddRng(), OddRng()
    first.count = 7
    train(first, 1, checkpoint=tmp_path / "c", progress=False)
    train(again, 2, checkpoint=tmp_path / "c", resume=True, progress=False)
    assert again.count == 7


@pytest.mark.parametrize("damage", [{"state": -1, "inc": 1}, {"state": 1e300, "inc": 1}, {"inc": 1}, {"state": "x"}])
def test_a_damaged_random_state_is_refused(tmp_path, damage):
    train(Dice(np.random.PCG64), 1, checkpoint=tmp_path / "c", progress=False)
    arrays, facts = read_archive(tmp_path / "c")
    facts["state"]["rng"]["state"] = damage
    write_archive(tmp_path / "c", "checkpoint", arrays, facts)
    with pytest.raises(CheckpointError, match="is damaged: the random state 'rng' is not one of PCG64"):
        train(Dice(np.random.PCG64), 2, checkpoint=tmp_path / "c", resume=True, progress=False)
    with pytest.raises(CheckpointError, match="does not say"):
        load_weights(tmp_path / "c", network(0), part="rng")


@pytest.mark.parametrize("kind, key, value", [
    (np.random.MT19937, "pos", 625),
    (np.random.MT19937, "pos", -1),
    (np.random.MT19937, "pos", 10**6),
    (np.random.MT19937, "pos", 1.5),
    (np.random.Philox, "buffer_pos", 5),
    (np.random.Philox, "buffer_pos", -1),
    (np.random.PCG64, "has_uint32", 2),
    (np.random.SFC64, "has_uint32", -1),
])  # fmt: skip
def test_a_random_state_that_points_outside_of_its_buffer_is_refused(tmp_path, kind, key, value):
    save_checkpoint(tmp_path / "c", network(0), rng=np.random.Generator(kind(5)))
    arrays, facts = read_archive(tmp_path / "c")
    state = facts["state"]["rng"]
    (state["state"] if key == "pos" else state)[key] = value
    write_archive(tmp_path / "c", "checkpoint", arrays, facts)
    wanted = f"is damaged: the random state 'rng' is not one of {kind.__name__}: its {key!r} is {value}, wanted a whole"
    with pytest.raises(CheckpointError, match=wanted) as caught:
        load_checkpoint(tmp_path / "c", network(0))
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match=f"its {key!r} is {value}"):
        read_checkpoint(tmp_path / "c").generator()


@pytest.mark.parametrize("kind", BIT_GENERATORS)
def test_a_random_state_is_kept_wherever_it_is_in_its_buffer(tmp_path, kind):
    rng = np.random.Generator(kind(5))
    for _ in range(700):  # MT19937 has 624 numbers in its buffer
        assert generator_from(dict(rng.bit_generator.state)).bit_generator.state["bit_generator"] == kind.__name__
        rng.integers(9, dtype=np.uint32)


def fit_to(path, epochs, optimizer=None):
    model = network(0)
    options = {"batch_size": 3, "seed": 1, "schedule": lambda epoch: 0.1 / (epoch + 1), "progress": False}
    history = fit(
        model,
        mean_squared_error,
        optimizer or Adam(0.5),
        X,
        2 * X,
        epochs=epochs,
        checkpoint=path,
        resume=True,
        **options,
    )
    return history, {key: w.tobytes() for key, w in model.params.items()}


def write_in_the_first_layout(path):
    """Rewrite a checkpoint of `fit` as version 0.1 wrote it."""
    arrays, facts = read_archive(path)
    state = facts.pop("state")
    del facts["steps"]
    architecture = {key: state["model"][key] for key in ("architecture", "fingerprint")}
    facts |= {**architecture, "optimizer": state["optimizer"], "rng": state["rng"]}
    write_archive(path, "checkpoint", {name.removeprefix("model/"): a for name, a in arrays.items()}, facts)


def test_a_checkpoint_of_the_first_layout_continues_its_schedule(tmp_path):
    fit_to(tmp_path / "c", 3)
    write_in_the_first_layout(tmp_path / "c")
    history, params = fit_to(tmp_path / "c", 5)
    straight, straight_params = fit_to(tmp_path / "straight", 5)
    assert history["lr"] == straight["lr"]
    assert params == straight_params


@pytest.mark.parametrize("epoch", [None, {}, {"done": None}, {"done": "3"}, {"done": -1}, {"done": True}])
def test_a_checkpoint_of_fit_must_say_how_many_epochs_are_done(tmp_path, epoch):
    fit_to(tmp_path / "c", 3)
    arrays, facts = read_archive(tmp_path / "c")
    facts["state"]["epoch"] = epoch
    write_archive(tmp_path / "c", "checkpoint", arrays, facts)
    with pytest.raises(CheckpointError, match=r"is damaged: it says .* epochs are done, wanted a whole number"):
        fit_to(tmp_path / "c", 5)


def test_slots_of_another_network_are_refused_by_fit(tmp_path):
    optimizer = SGD(0.1, momentum=0.9)
    fit_to(tmp_path / "c", 1, optimizer)
    arrays, facts = read_archive(tmp_path / "c")
    arrays["optimizer/velocity/0.w"] = np.ones(9, np.float32)
    write_archive(tmp_path / "c", "checkpoint", arrays, facts)
    with pytest.raises(CheckpointError, match="'optimizer/velocity' do not fit the parameters of the network"):
        fit_to(tmp_path / "c", 2, SGD(0.1, momentum=0.9))
