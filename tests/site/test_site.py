"""The built site in a real browser: pages, search, dark and light, and the playground, which computes what Python does.

Skipped without the extra ``site`` (Sphinx), without Playwright or without a browser. To run it::

    pip install -e ".[test,site]" playwright && pytest -n 0 tests/site

Screenshots at three widths are kept in the folder that MINICOORD_SCREENSHOTS names. MINICOORD_SITE names a site that is
built already.
"""

from __future__ import annotations

import base64
import functools
import http.server
import json
import os
import shutil
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from site_tools import ROOT, module

pytest.importorskip("sphinx", reason='the site is built with Sphinx: pip install -e ".[site]"')
pytest.importorskip("myst_nb", reason='the site is built with MyST-NB: pip install -e ".[site]"')

from minicoord.datasets import not_so_clevr
from minicoord.experiments.gan.evaluation import generate, random_vectors
from minicoord.experiments.records.half_weights import network_of
from minicoord.experiments.records.reading import KeptRuns
from minicoord.experiments.two_objects.finder import find_centres
from minicoord.system.paths import lessons_folder

pytestmark = [pytest.mark.timeout(1800), pytest.mark.compiled]

NOTEBOOKS = sorted((ROOT / "lessons").glob("[0-9]*.ipynb"))
FIRST_LESSON = f"lessons/{NOTEBOOKS[0].stem}"
WIDTHS = {"phone": 360, "tablet": 768, "laptop": 1280}
FRAMES_A_SECOND = 4  # a floor far below the 20 that a laptop should reach: the machines of the tests are shared
PLACES = 50
CLOSE = 1e-4


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built once for all tests of this file, in a folder whose name needs care in an address."""
    if "MINICOORD_SITE" in os.environ:
        return Path(os.environ["MINICOORD_SITE"]).resolve()
    out = tmp_path_factory.mktemp("built") / "a site"
    module("build").build(out)
    return out


class Visit:
    """A tab of the browser that notes what goes wrong and what is asked for."""

    def __init__(self, browser: Any, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.problems: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda m: m.type in ("error", "warning") and self.problems.append(m.text))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("requestfailed", lambda request: self.problems.append(f"failed: {request.url}"))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, address: str) -> Any:
        self.page.goto(address)
        return self.page


@pytest.fixture
def visit(browser: Any) -> Iterator[Any]:
    """A function that opens an address in a tab; at the end no tab may have met an error."""
    made: list[Visit] = []

    def start(**options: Any) -> Visit:
        made.append(Visit(browser, **options))
        return made[-1]

    yield start
    for one in made:
        one.context.close()
        assert one.problems == []


@pytest.fixture(scope="module")
def playground(site: Path, browser: Any) -> Iterator[Any]:
    """The playground in a tab, opened from its file."""
    tab = Visit(browser, viewport={"width": 1280, "height": 900})
    yield tab.open((site / "playground.html").as_uri())
    assert tab.problems == []
    tab.context.close()


# The pages


def test_every_lesson_is_there_as_it_is_committed(site: Path):
    assert NOTEBOOKS
    for path in NOTEBOOKS:
        page = (site / "lessons" / f"{path.stem}.html").read_text(encoding="utf-8")
        outputs = [o for cell in nbformat.read(path, as_version=4).cells for o in cell.get("outputs", [])]
        markup = [o.data["text/html"] for o in outputs if "text/html" in o.get("data", {})]
        assert [text[:200] for text in markup if text.strip() not in page] == [], path.name


def test_there_is_a_page_for_everything(site: Path):
    names = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    wanted = {"index", "playground", "README", "CONTRIBUTING", "CHANGELOG", "lessons/README", "lessons/TEACHING"}
    wanted |= {"lessons/results/README", "lessons/results/figures", "lessons/site/README", "search", "genindex"}
    wanted |= {path.relative_to(ROOT).with_suffix("").as_posix() for path in (ROOT / "minicoord").rglob("*.md")}
    assert {f"{name}.html" for name in wanted} <= names


def test_the_api_has_docstrings(site: Path):
    text = (site / "api" / "minicoord.nn.layers.html").read_text(encoding="utf-8")
    assert 'id="minicoord.nn.layers.coordconv.CoordConv2D"' in text
    assert "Convolution over the image and its coordinates" in text
    index = (site / "api" / "index.html").read_text(encoding="utf-8")
    assert 'href="minicoord.nn.layers.html#minicoord.nn.layers.coordconv.CoordConv2D"' in index


def test_every_figure_is_drawn_and_described(site: Path):
    figures = module("figure_pages").all_figures()
    page = module("site_checks").Page((site / "lessons/results/figures.html").read_text(encoding="utf-8"))
    drawn = [address for address in page.loads if "figure-" in address or "blog-" in address]
    assert len(figures) > 20 and len(drawn) >= 9 and page.without_alt == []


def test_the_checks_find_no_fault(site: Path):
    assert module("site_checks").faults(site) == []


@pytest.mark.parametrize("page", ["index", "playground", FIRST_LESSON, "lessons/results/figures", "api/index"])
def test_a_page_from_a_file_asks_for_nothing_elsewhere(site: Path, visit: Any, page: str):
    tab = visit()
    tab.open((site / f"{page}.html").as_uri()).wait_for_load_state("networkidle")
    assert [url for url in tab.asked if not url.startswith(("file:", "data:", "blob:"))] == []


@pytest.fixture(scope="module")
def address(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the site is served, under a sub-path."""
    root = tmp_path_factory.mktemp("served")
    shutil.copytree(site, root / "deep" / "down")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(root)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/deep/down/"
    server.shutdown()
    server.server_close()


def test_the_site_works_under_a_sub_path(address: str, visit: Any):
    tab = visit(viewport={"width": 1280, "height": 900})
    page = tab.open(f"{address}index.html")
    for words in ("Playground", "Lessons", "Results", "API", "For teachers", "How it is built"):
        page.locator(".bd-header").get_by_role("link", name=words, exact=True).first.click()
        page.wait_for_load_state("networkidle")
        assert page.url.startswith(address)
    page = tab.open(f"{address}playground.html")
    page.wait_for_function("document.querySelectorAll('canvas[data-pictures]').length >= 2")
    assert [url for url in tab.asked if not url.startswith((address, "data:", "blob:"))] == []


def test_search_works_from_a_file(site: Path, visit: Any):
    page = visit().open(f"{(site / 'search.html').as_uri()}?q=equivariant")
    page.wait_for_selector("#search-results li a")
    assert page.locator("#search-results li").count() >= 2


def test_dark_and_light(site: Path, visit: Any):
    page = visit(viewport={"width": 1280, "height": 900}).open((site / "index.html").as_uri())
    seen = set()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function("scheme => document.documentElement.dataset.theme === scheme", arg=scheme)
        seen.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(seen) == 2
    assert page.locator(".theme-switch-button:visible").count() == 1, "there is nothing to switch it with"


# The playground


@pytest.fixture(scope="module")
def kept() -> KeptRuns:
    """The records of this copy."""
    return KeptRuns(lessons_folder() / "results")


def entries(page: Any) -> list[dict[str, Any]]:
    return page.evaluate("minicoord.catalog.networks")


def test_the_catalogue_has_both_classifiers(playground: Any):
    found = {(e["experiment"], e["model"], e.get("split")) for e in entries(playground)}
    assert {("classification", m, s) for m in ("conv", "coordconv") for s in ("quadrant", "uniform")} <= found


NAMES = [
    f"{task}-{model}-{split}"
    for task, models in module("playground_data").TITLES.items()
    for model in models
    for split in module("playground_data").SPLITS
]


@pytest.mark.parametrize("name", NAMES)
def test_the_page_computes_what_python_computes(playground: Any, kept: KeptRuns, name: str):
    record = module("playground_data").chosen_runs(kept)[name]
    samples = not_so_clevr()
    some = np.random.default_rng(0).choice(len(samples), PLACES, replace=False)
    lit = record["experiment"] == "regression"
    inputs = samples.one_hot(some) if lit else samples.inputs(some)
    wanted = network_of(record, kept.weights(record)).forward(inputs)  # a drawing may have the pointer's map beside it
    wanted = wanted if lit else wanted[..., :1]
    ask = "([name, places, lit]) => Promise.all(places.map(([x, y]) => minicoord.ask(name, x, y, lit)))"
    got = np.array(playground.evaluate(ask, [name, samples.centres[some].tolist(), lit])).reshape(wanted.shape)
    assert np.abs(probabilities(got, record) - probabilities(wanted, record)).max() <= CLOSE
    assert np.abs(got - wanted).max() <= CLOSE * max(1.0, np.abs(wanted).max())


def probabilities(output: np.ndarray, record: Any) -> np.ndarray:
    """What the page shows: a softmax over the pixels, a sigmoid for each, or the coordinates as they are."""
    output = output.astype(np.float64)
    if record["experiment"] == "regression":
        return output
    if record["experiment"] == "rendering":
        return 1 / (1 + np.exp(-output))
    e = np.exp(output - output.max(axis=(1, 2), keepdims=True))
    return e / e.sum(axis=(1, 2), keepdims=True)


@pytest.mark.parametrize("name", [f"gan-{model}" for model in module("playground_data").GENERATORS])
def test_the_page_draws_what_python_draws(playground: Any, kept: KeptRuns, name: str):
    data = module("playground_data")
    record = data.chosen_runs(kept)[name]
    vectors = random_vectors(np.random.default_rng(3), 12, record["settings"]["z"])
    wanted = generate(data.network_on_the_page(record, kept), vectors)
    ask = "([name, vectors]) => Promise.all(vectors.map(z => minicoord.generate(name, z)))"
    got = playground.evaluate(ask, [name, vectors.tolist()])
    images = np.array([answer["image"] for answer in got]).reshape(wanted.shape)
    assert np.abs(images - wanted).max() <= CLOSE
    missing = [np.nan, np.nan]
    centres = np.array([[found or missing for found in answer["centres"]] for answer in got], float)
    np.testing.assert_array_equal(centres, find_centres(images))
    assert np.isfinite(centres).any(), "no object was found in any image, so nothing was compared"


def test_the_vectors_of_a_plane_are_spread_as_in_training(playground: Any):
    ask = "([seed, a, b]) => minicoord.vectorAt(seed, 64, a, b)"
    places = [(seed, a, b) for seed in range(1, 41) for a, b in ((0, 0), (1, 0), (0, -1), (1, 1))]
    vectors = np.array([playground.evaluate(ask, place) for place in places])  # (160, 64)
    assert np.abs(vectors).max() <= 1 and len({tuple(vector) for vector in vectors}) == len(places)
    counts = np.histogram(vectors, bins=10, range=(-1, 1))[0] / vectors.size
    assert np.abs(counts - 0.1).max() < 0.015, "each number is even over [-1, 1]"
    near = np.array([playground.evaluate(ask, (1, a, 0)) for a in (0, 0.01)])
    assert 0 < np.abs(near[1] - near[0]).max() <= 0.01 + 1e-9


def generators(page: Any) -> Any:
    """Scroll to the generators, and wait until both have drawn what was asked last."""
    root = page.locator("[data-task=gan]")
    root.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelectorAll('[data-task=gan] canvas[data-pictures]').length === 2")
    page.wait_for_function("document.querySelector('[data-task=gan]').task.answers.every(a => !a.busy && !a.wanted)")
    return root


def test_dragging_and_a_new_vector_change_the_images(playground: Any):
    root = generators(playground)
    canvases = [root.locator("canvas").nth(k) for k in range(3)]
    seen = [[picture(canvas) for canvas in canvases]]
    drag(playground, canvases[0], [(0.5, 0.5), (0.9, 0.2)])
    assert [root.locator("input[type=range]").nth(k).input_value() for k in (0, 1)] == ["57", "12"]
    generators(playground)
    seen.append([picture(canvas) for canvas in canvases])
    root.get_by_role("button", name="New z").click()
    generators(playground)
    seen.append([picture(canvas) for canvas in canvases])
    for before, after in pairwise(seen):
        assert all(was != now for was, now in zip(before, after, strict=True))
    assert root.locator("output").first.text_content() == "2"


def test_the_arrow_keys_and_sliders_move_the_vector(playground: Any):
    root = generators(playground)
    inputs = [root.locator("input[type=range]").nth(k) for k in (0, 1)]
    inputs[0].fill("0")
    inputs[1].fill("63")
    generators(playground)
    before = picture(root.locator("canvas").nth(2))
    root.locator("canvas").nth(0).focus()
    for key in ("ArrowLeft", "Shift+ArrowRight", "ArrowUp"):
        playground.keyboard.press(key)
    assert [one.input_value() for one in inputs] == ["8", "62"]
    generators(playground)
    assert picture(root.locator("canvas").nth(2)) != before


def test_a_finger_moves_the_vector_on_a_phone(site: Path, visit: Any):
    tab = visit(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    page = tab.open((site / "playground.html").as_uri())
    root = generators(page)
    pad = root.locator("canvas").first
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    page.touchscreen.tap(box["x"] + 0.25 * box["width"], box["y"] + 0.75 * box["height"])
    assert abs(int(root.locator("input[type=range]").nth(0).input_value()) - 16) <= 1
    assert abs(int(root.locator("input[type=range]").nth(1).input_value()) - 48) <= 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_page_without_generators_says_so(site: Path, visit: Any, tmp_path: Path):
    copy = tmp_path / "site"
    shutil.copytree(site, copy)
    catalog = copy / "_static" / "playground" / "catalog.js"
    head, _, rest = catalog.read_text(encoding="utf-8").partition("catalog: ")
    content = json.loads(rest.removesuffix(" };\n"))
    content["networks"] = [one for one in content["networks"] if one["experiment"] != "gan"]
    catalog.write_text(f"{head}catalog: {json.dumps(content)} }};\n", encoding="utf-8")
    page = visit().open((copy / "playground.html").as_uri())
    page.locator("[data-task=gan]").scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('[data-task=gan]').textContent.includes('No weights of generators')")


def task(page: Any, name: str) -> Any:
    """Scroll to a task, and wait until all of its networks have answered."""
    root = page.locator(f'[data-task="{name}"]')
    root.scroll_into_view_if_needed()
    page.wait_for_function(
        "name => { const words = [...document.querySelectorAll(`[data-task=${name}] .pg-words`)];"
        "return words.length && words.every((w) => /\\d/.test(w.textContent)) }",
        arg=name,
    )
    return root


def picture(canvas: Any) -> str:
    return canvas.evaluate("canvas => canvas.toDataURL()")


@pytest.mark.parametrize("name", ["classification", "regression", "rendering"])
def test_dragging_changes_the_pictures(playground: Any, name: str):
    root = task(playground, name)
    canvases = [root.locator("canvas").nth(k) for k in range(1 if name == "regression" else 3)]
    before = [picture(canvas) for canvas in canvases]
    drag(playground, canvases[0], [(0.3, 0.3), (0.4, 0.35)])
    assert [root.locator("input[type=range]").nth(k).input_value() for k in (0, 1)] == ["25", "22"]
    playground.wait_for_timeout(1500)
    assert all(was != picture(canvas) for was, canvas in zip(before, canvases, strict=True))


def drag(page: Any, canvas: Any, path: list[tuple[float, float]]) -> None:
    """Drag the mouse over a canvas, along places as shares of its width and height."""
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    points = [(box["x"] + a * box["width"], box["y"] + b * box["height"]) for a, b in path]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point)
    page.mouse.up()


def test_coordconv_follows_where_convolution_fails(playground: Any):
    root = task(playground, "classification")
    root.locator("input[type=range]").nth(0).fill("50")
    root.locator("input[type=range]").nth(1).fill("47")
    playground.wait_for_function(
        "() => document.querySelectorAll('[data-task=classification] .pg-words')[1]"
        ".textContent.includes('(50, 47), right on it')"
    )
    assert "pixels off" in root.locator(".pg-words").nth(0).text_content()


def test_dragging_is_smooth(playground: Any, record_property: Any):
    root = task(playground, "classification")
    canvas = root.locator("canvas").nth(2)
    pad = root.locator("canvas").nth(0)
    count = "canvas => Number(canvas.dataset.pictures)"
    box, began, before = pad.bounding_box(), time.perf_counter(), canvas.evaluate(count)
    playground.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.5 * box["height"])
    playground.mouse.down()
    k = 0
    while time.perf_counter() - began < 3:
        k += 1
        playground.mouse.move(box["x"] + (0.2 + 0.6 * (k % 50) / 50) * box["width"], box["y"] + 0.5 * box["height"])
    playground.mouse.up()
    frames = (canvas.evaluate(count) - before) / (time.perf_counter() - began)
    times = root.locator(".pg-time").all_text_contents()
    print(f"\n{frames:.1f} maps a second from CoordConv while dragging; {', '.join(times)}")
    assert frames >= FRAMES_A_SECOND


def test_the_arrow_keys_move_the_place(playground: Any):
    root = task(playground, "classification")
    inputs = [root.locator("input[type=range]").nth(k) for k in (0, 1)]
    inputs[0].fill("30")
    inputs[1].fill("30")
    root.locator("canvas").nth(0).focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "Shift+ArrowLeft"):
        playground.keyboard.press(key)
    assert [one.input_value() for one in inputs] == ["23", "32"]
    for _ in range(12):
        playground.keyboard.press("Shift+ArrowUp")
    assert inputs[1].input_value() == "4", "the place stays where a square fits"


def test_a_finger_drags(site: Path, visit: Any):
    tab = visit(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    page = tab.open((site / "playground.html").as_uri())
    root = task(page, "classification")
    pad = root.locator("canvas").nth(0)
    pad.scroll_into_view_if_needed()
    box, top = pad.bounding_box(), page.evaluate("scrollY")
    touch = tab.context.new_cdp_session(page)
    for kind, share in (("touchStart", 0.8), ("touchMove", 0.6), ("touchMove", 0.4), ("touchEnd", None)):
        points = [] if share is None else [{"x": box["x"] + 0.5 * box["width"], "y": box["y"] + share * box["height"]}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert root.locator("input[type=range]").nth(1).input_value() == "25"
    assert page.evaluate("scrollY") == top, "the page scrolled instead"


def test_the_other_split_has_other_networks(playground: Any):
    root = task(playground, "classification")
    before = root.locator(".pg-run").first.get_attribute("title")
    root.get_by_label("scattered places").check()
    task(playground, "classification")
    assert root.locator(".pg-run").first.get_attribute("title") != before
    root.get_by_role("button", name="A place never seen").click()
    x, y = (int(root.locator("input[type=range]").nth(k).input_value()) for k in (0, 1))
    bits = base64.b64decode(module("playground_data").trained_places("uniform"))
    assert not np.unpackbits(np.frombuffer(bits, np.uint8)).reshape(64, 64)[y, x]
    root.get_by_label("three quarters").check()
    task(playground, "classification")


def test_equivariance_is_kept_without_coordinates_and_broken_with_them(playground: Any):
    root = task(playground, "equivariance")
    root.locator("input[name=i]").fill("0")
    root.locator("input[name=j]").fill("0")
    assert "No difference" in root.locator(".pg-words").text_content()
    root.locator("input[name=i]").fill("0.5")
    assert "The largest difference is" in root.locator(".pg-words").text_content()


def test_a_missing_network_is_named_on_the_page(site: Path, browser: Any, tmp_path: Path):
    copy = tmp_path / "site"
    shutil.copytree(site, copy)
    (copy / "_static/playground/networks/classification-conv-quadrant.js").unlink()
    tab = Visit(browser)
    page = tab.open((copy / "playground.html").as_uri())
    page.wait_for_function("document.querySelector('.pg-words')?.textContent.includes('missing')")
    tab.context.close()
    assert all("classification-conv-quadrant" in words or "ERR_FILE_NOT_FOUND" in words for words in tab.problems)


def test_without_scripts_there_are_words(site: Path, browser: Any):
    tab = Visit(browser, java_script_enabled=False)  # which reports every script as a failed request
    page = tab.open((site / "playground.html").as_uri())
    assert "The playground needs JavaScript" in page.locator("article").inner_text()
    tab.context.close()


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS.keys())
def test_nothing_is_wider_than_the_screen(site: Path, visit: Any, tmp_path: Path, width: int):
    folder = Path(os.environ.get("MINICOORD_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    tab = visit(viewport={"width": width, "height": 900})
    for name in (
        "index",
        "playground",
        FIRST_LESSON,
        "lessons/README",
        "lessons/results/README",
        "lessons/results/figures",
        "api/minicoord.nn.layers",
    ):
        page = tab.open((site / f"{name}.html").as_uri())
        if name == "playground":
            for one in ("classification", "regression", "rendering", "equivariance"):
                task(page, one)
            generators(page)
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_timeout(300)  # the header slides back into its place
        page.screenshot(path=folder / f"{name.replace('/', '-')}-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        cut = "[...document.querySelectorAll('h1, h2, h3')].filter(h => h.scrollWidth > h.clientWidth + 1)"
        assert page.evaluate(f"{cut}.map(h => h.textContent)") == [], f"headings of {name} are cut off"
