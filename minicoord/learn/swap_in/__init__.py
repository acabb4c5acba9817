"""Running the library with a learner's functions in place of its kernels.

Begin with ``swap.py``; ``teaching_path.py`` says which kernels can be replaced.
"""
