"""The ground floor: every Numba-compiled loop of minicoord lives in this package, and nowhere else.

Each file holds one operation. Its public functions take and return NumPy arrays, check them, allocate the result and
hand both to a private compiled loop, the *kernel*. Images are ``(N, H, W, C)``; float32 and float64 are kept as they
come. ``minicoord.reference`` has the same functions under the same names as plain loops, slow and obvious.

What all of them refuse, in one sentence and before anything is computed: with TypeError an array of a dtype other than
float32 and float64, or of another dtype than those beside it, a masked array, and an argument of the wrong kind; with
ValueError a shape, a size, a stride or a padding that does not fit. A docstring says what else is refused.

Begin with ``im2col.py``, which turns a convolution into a matrix product. Then come ``micro_kernel.py``, which
multiplies, ``bands.py``, where im2col's matrix lies without being built, and ``convolution.py``.

``backend/`` has no loops: it is how they are compiled, started and guarded. Of it, a reader of loops needs ``@kernel``
and ``launch``.
"""

from minicoord.system.environment import check_environment

check_environment()  # before any file of this package imports Numba, which reads the variables then
