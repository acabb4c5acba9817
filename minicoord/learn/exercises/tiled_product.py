"""Lesson 08: a matrix product in tiles that stay in the cache."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numba import prange

from minicoord.learn.checking.bytecode import CodeTraits
from minicoord.learn.definition.exercise import Case, Exercise


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """Yield sizes that are and are not multiples of the tile, tiles larger than the matrices, and a single row."""

    def sizes(*shape: int, tile: int, dtype: type = np.float64) -> tuple:
        n, depth, m = shape
        return rng.normal(size=(n, depth)).astype(dtype), rng.normal(size=(depth, m)).astype(dtype), tile

    tile = int(rng.integers(3, 5))
    yield Case(f"all sizes multiples of the tile of {tile}", sizes(2 * tile, 3 * tile, 4 * tile, tile=tile))
    yield Case("the inner size is not a multiple of the tile", sizes(2 * tile, 2 * tile + 1, 3 * tile, tile=tile))
    yield Case(
        "the rows and the columns are not multiples of the tile", sizes(2 * tile + 1, 2 * tile, 3 * tile + 2, tile=tile)
    )
    yield Case("one row, and a tile larger than all", sizes(1, 5, int(rng.integers(6, 9)), tile=16))
    yield Case("a tile of 1", sizes(3, 4, 5, tile=1))
    yield Case("float32", sizes(2 * tile - 1, tile + 2, 2 * tile + 1, tile=tile, dtype=np.float32))
    yield Case("32 x 40 by 40 x 48, tiles of 5", sizes(32, 40, 48, tile=5))
    yield Case("2 x 70 by 70 x 3, tiles larger than the rows and columns", sizes(2, 70, 3, tile=32))
    yield Case("70 x 2 by 2 x 1, a tile larger than the inner size", sizes(70, 2, 1, tile=8))


def code_check(traits: CodeTraits) -> str | None:
    """Say what is missing where NumPy multiplies, or nothing is done tile by tile."""
    if traits.products or not traits.loops:
        return "NumPy computes the product; write loops over single numbers"
    if traits.unused:
        return "the argument tile is not used; go through a and b tile by tile"
    if traits.whole_arrays:
        return "NumPy computes several products at once; write loops over single numbers"
    if any(_changes_of_tile(traits, number) > 2 * TILES_OF_PRODUCT for number in (0, 1)):
        return (
            "a and b are not read tile by tile: cut all three loops in two, those of rows, columns and the inner size"
        )
    return None


TILE = 3
ROWS, INNER, COLUMNS = 2, 3, 4  # in tiles
TILES_OF_PRODUCT = ROWS * INNER * COLUMNS
"""How many times a tile of a meets one of b. Tile by tile, the tile that is read changes no more often than that; with
one loop uncut it changes at least three times as often, once for each number along the side of a tile.
"""


def traced() -> tuple[np.ndarray, np.ndarray, int]:
    """Return matrices of a few tiles each, to see in which order an answer reads them."""
    rows, inner, columns = TILE * ROWS, TILE * INNER, TILE * COLUMNS
    a, b = np.arange(float(rows * inner)), np.arange(float(inner * columns))
    return a.reshape(rows, inner), b.reshape(inner, columns), TILE


def _changes_of_tile(traits: CodeTraits, argument: int) -> int:
    """Return how often a number of this argument was read that lies in another tile than the one before."""
    places = [read[1:] for read in traits.reads if len(read) == 3 and read[0] == argument]
    tiles = [(i // TILE, j // TILE) for i, j in places]
    return sum(before != after for before, after in pairwise(tiles))


exercise = Exercise(
    id="tiled_product",
    lesson=8,
    title="A product in tiles",
    minutes=25,
    difficulty=3,
    builds_on=("find_race",),
    compiled=True,
    axes=("rows of a", "columns of b"),
    cases=cases,
    code_check=code_check,
    traced=traced,
    hints=(
        "Write the plain product first: c starts as zeros, then loops over i, k, j and c[i, j] += a[i, k] * b[k, j].",
        "Cut each loop in two: an outer one from tile to tile, range(0, size, tile), and an inner one within a tile.",
        "The inner loop from start stops at min(start + tile, size): the last tile may be smaller.",
        "The order of the six: tiles of rows, tiles of columns, tiles of the inner size; then i, k, j within them.",
        "For threads: prange over the number of tiles of rows, (n + tile - 1) // tile; each task owns its rows of c.",
    ),
    imports=("import numpy as np", "from numba import prange"),
)


@exercise.solved_by
def tiled_product(a, b, tile):
    """Return the matrix product a @ b, computed tile by tile with loops over single numbers.

    a: shape (n, depth). b: shape (depth, m). tile: the side of a tile, at least 1; a tile of a and
    one of b contribute to a tile of the result. The sizes need not be multiples of it.

    Returns shape (n, m), in the dtype of a. A loop over tiles may be a prange, if no two tasks
    write the same cell.
    """
    n, depth = a.shape
    m = b.shape[1]
    c = np.zeros((n, m), a.dtype)
    for block in prange((n + tile - 1) // tile):
        top = block * tile
        for left in range(0, m, tile):
            for start in range(0, depth, tile):
                for i in range(top, min(top + tile, n)):
                    for k in range(start, min(start + tile, depth)):
                        for j in range(left, min(left + tile, m)):
                            c[i, j] += a[i, k] * b[k, j]
    return c


@exercise.mistake("the last tile is left out where it is not full; count it too: (size + tile - 1) // tile tiles")
def full_tiles_only(a, b, tile):
    n, depth, m = (size // tile * tile for size in (*a.shape, b.shape[1]))
    c = np.zeros((len(a), b.shape[1]), a.dtype)
    c[:n, :m] = a[:n, :depth] @ b[:depth, :m]
    return c


@exercise.mistake("the last tile of the inner size is left out, so each sum stops too early")
def sum_too_short(a, b, tile):
    depth = a.shape[1] // tile * tile
    return a[:, :depth] @ b[:depth]


@exercise.mistake("each tile of the inner size overwrites what the one before it computed; add to it")
def overwritten(a, b, tile):
    last = (a.shape[1] - 1) // tile * tile
    return a[:, last:] @ b[last:]


@exercise.mistake("the last tile reaches beyond the edge; stop at min(start + tile, size)")
def beyond_the_edge(a, b, tile):
    n, depth = a.shape
    if n % tile or depth % tile or b.shape[1] % tile:
        raise IndexError("index 8 is out of bounds for axis 1 with size 8")
    return a @ b


@exercise.mistake("a tile starts at its number times tile, not at its number")
def number_for_start(a, b, tile):
    c = np.zeros((len(a), b.shape[1]), a.dtype)
    for top in range((len(a) + tile - 1) // tile):
        c[top : top + tile] += a[top : top + tile] @ b
    return c


@exercise.mistake("np.zeros makes float64 by default; give it the dtype of a")
def always_float64(a, b, tile):
    return (a @ b).astype(np.float64)


@exercise.mistake(
    "the prange runs over tiles of the inner size, and all of them add to the same c; let each task own rows of c",
    races=True,
)
def tasks_share_the_sum(a, b, tile):
    n, depth = a.shape
    m = b.shape[1]
    c = np.zeros((n, m), a.dtype)
    for block in prange((depth + tile - 1) // tile):
        start = block * tile
        for top in range(0, n, tile):
            for left in range(0, m, tile):
                for i in range(top, min(top + tile, n)):
                    for k in range(start, min(start + tile, depth)):
                        for j in range(left, min(left + tile, m)):
                            c[i, j] += a[i, k] * b[k, j]
    return c


@exercise.mistake("c[i, j] keeps only its last product: with = it replaces those before it; add them up with +=")
def last_product_alone(a, b, tile):
    return a[:, -1:] @ b[-1:]


@exercise.mistake(
    "the last number of each tile of the inner size is left out: range(start, stop) does not reach stop anyway"
)
def tile_too_short(a, b, tile):
    kept = [k for k in range(a.shape[1]) if k % tile != tile - 1]
    return a[:, kept] @ b[kept]


@exercise.mistake("the rows of the last tile are left out where it is not full; stop at min(top + tile, n)")
def last_rows_left_out(a, b, tile):
    c = a @ b
    c[len(a) // tile * tile :] = 0
    return c


@exercise.mistake("the columns of the last tile are left out where it is not full; stop at min(left + tile, m)")
def last_columns_left_out(a, b, tile):
    c = a @ b
    c[:, b.shape[1] // tile * tile :] = 0
    return c


@exercise.mistake("all tiles of the result were added into the first; its rows begin at `top`, its columns at `left`")
def all_in_the_first_tile(a, b, tile):
    product, c = a @ b, np.zeros((len(a), b.shape[1]), a.dtype)
    for i, j in np.ndindex(product.shape):
        c[i % tile, j % tile] += product[i, j]
    return c


@exercise.mistake("the result is transposed: the rows of a go down it, the columns of b across")
def turned_round(a, b, tile):
    return (a @ b).T
