"""The benchmark: minicoord against PyTorch, against plain NumPy, and against the matrix product of the machine."""
