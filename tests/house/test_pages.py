"""The pages that people read: short where they promise to be, links that lead somewhere, numbers that were recorded."""

from __future__ import annotations

import functools
import json
import re
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest

from minicoord import experiments
from minicoord.experiments.a2c.comparison import area, comparisons, in_papers_form
from minicoord.experiments.a2c.games import MINATAR
from minicoord.experiments.detection.comparison import changes
from minicoord.experiments.image_classification.paired import bootstrap_interval
from minicoord.experiments.two_objects.judge import is_collapsed

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(page for room in ("minicoord", "lessons", "tests") for page in (ROOT / room).rglob("*.md"))]
)
ROOM_PAGES = [page for page in PAGES if ROOT / "minicoord" in page.parents]

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|<img\s[^>]*?src=\"([^\"]+)\"")
OUR_PATH = re.compile(r"`((?:minicoord|lessons|tests)/[^`\s]*)`")
FILE_BESIDE = re.compile(r"`(\w+\.py)`")

README_LINES = 140
RESULT_SECTIONS = ("Results", "Applications", "Speed")
RESULT_PARAGRAPH_LINES = 3
LINE_WIDTH = 130  # characters of a line of prose: three lines of any width would be no limit


def page_id(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@functools.cache
def without_code_blocks(page: Path) -> str:
    return re.sub(r"^ *```.*?^ *```$", "", read(page), flags=re.MULTILINE | re.DOTALL)


@functools.cache
def anchors(page: Path) -> frozenset[str]:
    """The anchors that GitHub gives to the headings of a page."""
    found: list[str] = []
    for heading in re.findall(r"^#+ +(.+?) *$", without_code_blocks(page), flags=re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        again = found.count(slug)
        found.append(slug if not again else f"{slug}-{again}")
    return frozenset(found)


def broken_links(page: Path) -> list[str]:
    """The relative links of a page that lead to no file, or to no heading of it."""
    broken = []
    for groups in LINK.findall(without_code_blocks(page)):
        link = "".join(groups)
        if re.match(r"[a-z]+:", link):  # another site
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


def section(page: Path, heading: str) -> str:
    """What stands below a heading, as far as the next one of its level."""
    _, _, rest = read(page).partition(f"\n## {heading}\n")
    assert rest, f"{page_id(page)} has no section {heading!r}"
    return rest.split("\n## ")[0]


def paragraphs(text: str) -> list[list[str]]:
    """The lines of each paragraph of prose: no tables, code, pictures or headings."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    blocks = [block.strip("\n").split("\n") for block in re.split(r"\n\s*\n", prose)]
    return [lines for lines in blocks if lines[0] and not lines[0].startswith(("|", "#", "<img"))]


def table(text: str) -> list[list[str]]:
    """The cells of the first table, below its head; in the first two columns an empty cell repeats the one above it."""
    lines = [line for line in text.split("\n") if line.startswith("|")][2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    for above, row in pairwise(rows):
        row[:2] = [cell or upper for cell, upper in zip(row[:2], above[:2], strict=True)]
    return rows


# Links and paths


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_link_leads_somewhere(page: Path):
    assert broken_links(page) == []


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_path_of_ours_exists(page: Path):
    # The recipes name files that are to be made; test_recipes.py follows them.
    text = without_code_blocks(page).split("\n## Recipes\n")[0]
    assert [path for path in OUR_PATH.findall(text) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", ROOM_PAGES, ids=page_id)
def test_the_files_that_a_room_names_lie_in_it(page: Path):
    named = FILE_BESIDE.findall(without_code_blocks(page))
    assert [name for name in named if not (page.parent / name).exists()] == []


def test_links_are_checked_with_their_anchors(tmp_path: Path):
    (tmp_path / "other.md").write_text("# Title\n\n## Two `words`, here\n\n## Twice\n\n## Twice\n", encoding="utf-8")
    page = tmp_path / "page.md"
    lines = [
        "## Here",
        "[a](other.md) [b](other.md#two-words-here) [over two\nlines](#here) [c](other.md#twice-1) <https://a.b/c>",
        "[gone](gone.md) [none](other.md#three) [not here](#there) [site](https://a.b/c.md) [e](other.md#twice-2)",
        '<img width="4"\n src="gone.png">',
        "```\n[code](gone.md)\n## In code\n```",
        "[code](#in-code)",
    ]
    page.write_text("\n".join(lines), encoding="utf-8")
    assert broken_links(page) == ["gone.md", "other.md#three", "#there", "other.md#twice-2", "gone.png", "#in-code"]


# The README


def test_the_readme_is_short():
    assert len(read(ROOT / "README.md").splitlines()) < README_LINES


@pytest.mark.parametrize("heading", RESULT_SECTIONS)
def test_no_paragraph_of_results_is_long(heading: str):
    for lines in paragraphs(section(ROOT / "README.md", heading)):
        assert len(lines) <= RESULT_PARAGRAPH_LINES, lines
        assert max(map(len, lines)) <= LINE_WIDTH, lines


def test_the_readmes_two_commands():
    assert "pip install . && minicoord run classification  " in section(ROOT / "README.md", "Two commands")
    assert 'pip install ".[test]" && pytest  ' in section(ROOT / "README.md", "Two commands")


@pytest.mark.compiled
def test_the_readmes_network_trains():
    (code,) = re.findall(r"```python\n(.*?)```", read(ROOT / "README.md"), flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), names)
    assert names["model"].forward(names["x"][:2]).shape == (2, 64, 64, 1)


# The metric that a row of the results shows: its name in a record, a factor, and the digits shown.
SHOWN = {"accuracy": ("test_accuracy", 100, 1), "error": ("test_distance", 1, 2), "(IOU)": ("test_iou", 1, 3)}


def recorded_groups(file: Path, parameters: int, split: str, metric: str) -> list[tuple[str, list[float]]]:
    """For each setting of a network: how many of its runs are solved, and what was measured."""
    groups: dict[str, list[Any]] = defaultdict(list)
    for run in json.loads(read(file)):
        if (run["parameters"], run["variant"]) == (parameters, split):
            groups[json.dumps(run["settings"], sort_keys=True)].append(run)
    return [
        (f"{sum(run['solved'] for run in runs)} of {len(runs)}", [run["metrics"][metric] for run in runs])
        for runs in groups.values()
    ]


RESULTS = table(section(ROOT / "README.md", "Results"))


@pytest.mark.parametrize("row", RESULTS, ids=lambda row: "-".join(row[:3]))
def test_results_are_those_of_the_record(row: list[str]):
    experiment, split, network, _, ours, solved, record = row
    (link,) = LINK.findall(record)
    parameters = int(network.rpartition(" ")[2].replace(",", ""))
    metric, factor, digits = SHOWN[experiment.rpartition(" ")[2]]
    groups = recorded_groups(ROOT / link[0], parameters, split, metric)
    found = [values for count, values in groups if count == solved]
    assert found, f"the record has {[count for count, _ in groups]} solved"
    (number,) = re.findall(r"[\d.]+", ours)[:1]
    if ours.startswith("at most"):
        assert any(max(values) <= float(number) for values in found)
    elif ours.startswith("above"):  # and one seed that is not, if the row names one
        lowest = float(re.findall(r"[\d.]+", ours)[-1])
        assert any(min(values) >= lowest - 0.005 and sorted(values)[1] > float(number) for values in found)
    else:
        assert float(number) in {round(factor * median(values), digits) for values in found}


@pytest.mark.parametrize("images, shown", [("centred", "-.27 points"), ("shifted", "-1.18")])
def test_the_difference_of_image_classification_is_that_of_the_record(images: str, shown: str):
    records = json.loads(read(ROOT / "lessons/results/image-classification-full.json"))
    accuracy = {(r["model"], r["seed"]): r["metrics"]["test_accuracy"] for r in records if r["variant"] == images}
    seeds = sorted({seed for _, seed in accuracy})
    differences = [100 * (accuracy["coordconv", seed] - accuracy["conv", seed]) for seed in seeds]
    assert len(seeds) == 10 and shown in section(ROOT / "README.md", "Applications")
    assert float(shown.split()[0]) == pytest.approx(sum(differences) / 10, abs=0.005)


@pytest.mark.parametrize("anchors, shown", [(True, "+30.2 % (+24.0 to +37.0)"), (False, "-3.3 % (-3.8 to -2.9)")])
def test_the_change_of_detection_is_that_of_the_record(anchors: bool, shown: str):
    detection = experiments.get("detection")
    records = json.loads(read(ROOT / "lessons/results/detection-fresh.json"))
    (found,) = (
        change
        for change in changes(records, detection.differences)
        if change.model == "coordconv" and ("official_anchors" in change.settings) == anchors
    )
    assert len(found.before) == 5 and shown in section(ROOT / "README.md", "Applications")
    numbers = [100 * number for number in (found.change, found.low, found.high)]
    assert [float(number) for number in re.findall(r"[+-][\d.]+", shown)] == pytest.approx(numbers, abs=0.05)


def test_the_table_of_the_vae_is_that_of_the_record():
    vae = experiments.get("vae")
    records = json.loads(read(ROOT / "lessons/results/vae-record.json"))
    runs = {model: sorted((r for r in records if r["model"] == model), key=lambda r: r["seed"]) for model in vae.models}
    seeds = {tuple(r["seed"] for r in of_model) for of_model in runs.values()}
    assert len(seeds) == 1 and len(seeds.pop()) >= 5, "the same seeds for both networks"
    assert {r["preset"] for r in records} == {"record"} and not any(map(vae.differences, records))
    lines = table(section(ROOT / "lessons/results/README.md", "VAE on two coloured objects"))
    shown = {row[0]: row[1:] for row in lines}
    assert shown.pop("parameters")[:2] == [f"{of_model[0]['parameters']:,}" for of_model in runs.values()]
    assert list(shown) == [metric.title for metric in vae.metrics]
    for metric in vae.metrics:
        *bands, difference = shown[metric.title]
        assert bands == [metric.band(of_model) for of_model in runs.values()], metric.name
        values = [np.array([r["metrics"][metric.name] for r in runs[model]]) for model in ("coordconv", "conv")]
        differences = metric.factor * (values[0] - values[1])
        numbers = [differences.mean(), *bootstrap_interval(differences)]
        digits = max(metric.digits, 1)
        assert difference == "{} ({} to {})".format(*(f"{number:+.{digits}f}" for number in numbers)), metric.name


def test_the_table_of_the_gan_is_that_of_the_record():
    gan = experiments.get("gan")
    metrics = {metric.title: metric for metric in gan.metrics}
    records = json.loads(read(ROOT / "lessons/results/gan-record.json"))
    assert {r["preset"] for r in records} == {"record"} and not any(map(gan.differences, records))
    recipes = {*gan.variants, *gan.more_variants}
    models = {"convolution": "conv", "CoordConv in both": "coordconv", "CoordConv in the generator": "coordconv-g"}
    lines = table(section(ROOT / "lessons/results/README.md", "GAN on two coloured objects"))
    head = next(line for line in lines if line[0] == "recipe")
    shown = {(line[0], models[line[1]]): line[2:] for line in lines if line[1] in models and line[0] in recipes}
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for record in records:
        groups.setdefault((record["variant"], record["model"]), []).append(record)
    assert shown.keys() == groups.keys()
    assert {tuple(sorted(run["seed"] for run in runs)) for runs in groups.values()} == {(1, 2, 3, 4, 5)}
    for key, runs in groups.items():
        *bands, collapsed = shown[key]
        assert bands == [metrics[title].band(runs) for title in head[2:-1]], key
        assert collapsed == f"{sum(is_collapsed(run['metrics']) for run in runs)} of {len(runs)}"


COUNTED = ("coverage", "missed", "fade")


def test_the_table_of_the_gan_at_the_papers_size_is_that_of_the_record():
    gan = experiments.get("gan")
    metrics = {metric.title: metric for metric in gan.metrics}
    records = json.loads(read(ROOT / "lessons/results/gan-paper.json"))
    assert {(r["preset"], r["variant"], r["settings"]["canvas"], r["settings"]["width"]) for r in records} == {
        ("paper", "stable", 64, 64)
    }
    lines = table(section(ROOT / "lessons/results/README.md", "GAN on two coloured objects"))
    titles, *shown = [line for line in lines if len(line) == 8 and not line[0].startswith("-")]
    named = {"convolution": "conv", "CoordConv in both": "coordconv", "CoordConv in the generator": "coordconv-g"}
    found = {(r["model"], row["step"]): (r, row) for r in records for row in r["history"]}
    assert {named[line[0]] for line in shown} == {r["model"] for r in records} == set(named.values())
    for name, parameters, steps, *values in shown:
        record, row = found[named[name], int(steps.replace(",", ""))]
        assert parameters == f"{record['network_parameters']['generator']:,}"
        for title, value in zip(titles[3:], values, strict=True):
            metric = metrics[title]
            assert value == metric.band([{"metrics": row}]), (name, steps, title)
    last = {(r["model"], r["history"][-1]["step"]) for r in records}
    assert last <= {(named[line[0]], int(line[2].replace(",", ""))) for line in shown}
    ends = {r["model"]: {name: f"{100 * r['metrics'][name]:.0f} %" for name in COUNTED} for r in records}
    conv, both = ends["conv"], ends["coordconv"]
    text = " ".join(section(ROOT / "lessons/results/README.md", "GAN on two coloured objects").split())
    assert f"**convolution covers more**, {conv['coverage']}" in text
    for name in ("missed", "fade"):
        assert f"({both[name]} against {conv[name]})" in text
    lesson = " ".join(read(ROOT / "lessons/sources/11_the_ring.py").replace("\n#", "").split())
    assert f"convolution covers {conv['coverage']} of what the data cover, CoordConv {both['coverage']}" in lesson


def test_the_tables_of_the_agent_are_those_of_the_record():
    a2c = experiments.get("a2c")
    records = json.loads(read(ROOT / "lessons/results/a2c-places.json"))
    assert {r["preset"] for r in records} == {"quick"} and not any(map(a2c.differences, records))
    lines = table(section(ROOT / "lessons/results/README.md", "Reinforcement learning"))
    models = {"convolution, pooling": "conv-pool", "CoordConv, pooling": "coordconv-pool"}
    models |= {"convolution, dense": "conv-dense", "CoordConv, dense": "coordconv-dense"}
    shown = {line[0]: line[1:] for line in lines if line[0] in models}
    assert shown.keys() == models.keys()
    for name, model in models.items():
        parameters, *bands = shown[name]
        found = []
        for game in a2c.variants:
            runs = [r for r in records if (r["model"], r["variant"]) == (model, game)]
            assert sorted(r["seed"] for r in runs) == list(range(100, 110))
            assert {f"{r['parameters']:,}" for r in runs} == {parameters}
            for values in ([r["metrics"]["test_return"] for r in runs], [area(r) for r in runs]):
                found.append(f"{np.median(values):.2f} ({min(values):.2f} to {max(values):.2f})")
        assert bands == found, name
    rows = {tuple(line) for line in lines}
    for comparison in comparisons(records):
        row = comparison.row()
        assert (row["game, head"], row["area under the curve"], row["better"], row["with coordinates"]) in rows


@pytest.mark.parametrize(
    "file, prefix, games, models, seeds",
    [
        ("a2c-minatar", "minatar-", MINATAR, ("conv-pool", "coordconv-pool", "conv-dense", "coordconv-dense"), 5),
        ("a2c-atari", "atari-", ("atari-breakout", "atari-seaquest"), ("conv-dense", "coordconv-dense"), 3),
    ],
)
def test_the_table_of_the_games_is_that_of_the_records(
    file: str, prefix: str, games: tuple[str, ...], models: tuple[str, ...], seeds: int
):
    a2c = experiments.get("a2c")
    lines = table(section(ROOT / "lessons/results/README.md", "Reinforcement learning"))
    rows = {tuple(line) for line in lines}
    text = " ".join(section(ROOT / "lessons/results/README.md", "Reinforcement learning").split())
    records = json.loads(read(ROOT / f"lessons/results/{file}.json"))
    assert {r["preset"] for r in records} == {"published"} and not any(map(a2c.differences, records))
    assert sorted((r["variant"], r["model"], r["seed"]) for r in records) == sorted(
        (game, model, seed) for game in games for model in models for seed in range(100, 100 + seeds)
    )
    for comparison in comparisons(records):
        row, bands = comparison.row(), []
        for kind in ("conv", "coordconv"):
            model = f"{kind}-{comparison.head}"
            areas = [area(r) for r in records if (r["variant"], r["model"]) == (comparison.game, model)]
            bands.append(f"{np.median(areas):.2f} ({min(areas):.2f} to {max(areas):.2f})")
        shown = (*bands, row["area under the curve"], row["better"], row["probability of improvement"])
        name = comparison.label.removeprefix(prefix)
        assert (name, *shown, row["with coordinates"]) in rows, comparison.label
    for line in in_papers_form(comparisons(records)):
        assert line.replace(prefix, "").partition(";")[0] in text


def test_the_applications_of_the_readme_are_those_of_the_records():
    shown = {row[0]: row[1:] for row in table(section(ROOT / "README.md", "Applications"))}
    for name, file, metric, chosen in (
        ("GAN at half the paper's size, stable recipe: coverage of the data", "gan-record", "coverage", "stable"),
        ("VAE, between two images: fading", "vae-record", "fade", ""),
    ):
        records = json.loads(read(ROOT / f"lessons/results/{file}.json"))
        found = {(r["model"], r["seed"]): r["metrics"][metric] for r in records if r["variant"] == chosen}
        seeds = sorted({seed for _, seed in found})
        differences = np.array([100 * (found["coordconv", seed] - found["conv", seed]) for seed in seeds])
        numbers = [differences.mean(), *bootstrap_interval(differences)]
        ours, count = shown[name][:2]
        assert int(count) == len(seeds)
        assert [float(number) for number in re.findall(r"[+-][\d.]+", ours)] == pytest.approx(numbers, abs=0.05)
    records = json.loads(read(ROOT / "lessons/results/a2c-places.json"))
    won = {(r["model"], r["seed"]): r["metrics"]["test_return"] > 0.9 for r in records if r["variant"] == "position"}
    solved = {name: sum(won[name, seed] for seed in range(100, 110)) for name in ("coordconv-pool", "conv-pool")}
    name = "agent, position alone matters, global pooling: solved"
    assert shown[name][0] == "{coordconv-pool} of 10 seeds in place of {conv-pool}".format(**solved)
    for name, file, seeds in (
        ("the same agent on games of MinAtar, dense layer", "a2c-minatar", "5"),
        ("an agent on games of Atari, the Nature network", "a2c-atari", "3"),
    ):
        games = comparisons(json.loads(read(ROOT / f"lessons/results/{file}.json")))
        verdicts = [game.verdict for game in games if game.head == "dense"]
        better, not_known, worse = map(verdicts.count, ("better", "not known", "worse"))
        assert shown[name][:2] == [f"{better} of {len(verdicts)} better, {not_known} not known, {worse} worse", seeds]


FILES = {
    names[0]: row
    for row in table(section(ROOT / "lessons/results/README.md", "The files"))
    if row[3] and (names := re.findall(r"`([\w-]+\.json)`", row[0]))
}


@pytest.mark.parametrize("name", FILES)
def test_the_table_of_files_names_the_seeds_and_commits_of_each_record(name: str):
    _, holds, _, seeds, commits = FILES[name]
    records = json.loads(read(ROOT / "lessons/results" / name))
    ranges = [(int(first), int(last or first)) for first, last in re.findall(r"\b(\d+)(?: to (\d+))?", seeds)]
    named = {seed for first, last in ranges for seed in range(first, last + 1)}
    assert named == {record["seed"] for record in records}
    assert set(commits.split(", ")) == {record["commit"][:7] for record in records}
    assert "unfinished" not in holds and not re.search(r"\d of \d+ runs", holds), "the text says what is missing"


def test_the_table_of_files_names_every_record():
    named = {
        name
        for row in table(section(ROOT / "lessons/results/README.md", "The files"))
        for name in re.findall(r"`([\w-]+\.json)`", row[0])
    }
    assert named == {file.name for file in (ROOT / "lessons/results").glob("*.json")}


SPEED_COLUMNS = {"ms": 1, "torch_ms": 1, "ratio": 2, "numpy_ratio": 1, "peak_ratio": 2}  # and the digits shown


def test_speed_is_that_of_the_record():
    rows = json.loads(read(ROOT / "lessons/results/bench.json"))["rows"]
    recorded = [
        [f"{r[key]:.{digits}f}" for key, digits in SPEED_COLUMNS.items()] for r in rows if r["name"].startswith("step/")
    ]
    shown = [row[1:] for row in table(section(ROOT / "README.md", "Speed"))]
    assert len(shown) == 8
    assert [row for row in shown if row not in recorded] == []


def test_the_speed_of_the_agents_networks_is_that_of_its_record():
    record = json.loads(read(ROOT / "lessons/results/bench-a2c.json"))
    columns = {"ms": 1, "torch_ms": 1, "ratio": 2, "one_thread_ratio": 2, "kept_ratio": 2, "peak_ratio": 2, "share": 2}
    recorded = [[f"{row[key]:.{digits}f}" for key, digits in columns.items()] for row in record["rows"]]
    lines = table(section(ROOT / "lessons/results/README.md", "Speed"))
    assert [line[1:] for line in lines if line[0].startswith("A2C")] == recorded
    assert [goal["wanted"] for goal in record["goals"] if "A2C" in goal["goal"]] == [1.5]


# The guide


def test_the_table_of_rooms_names_every_room():
    rooms = {f"minicoord/{path.parent.name}/" for path in (ROOT / "minicoord").glob("*/__init__.py")}
    named = {row[1].strip("`") for row in table(section(ROOT / "CONTRIBUTING.md", "The house"))}
    assert named == rooms
