"""What every kernel rests on: how loops are compiled and started, and what guards them. No loop stands here.

=======================  ===================================================================================
``runtime.py``           ``@kernel`` and ``@helper`` compile a loop, ``launch`` starts one, forks wait for it
``threading_layer.py``   which thread pool runs kernels, and with how many threads
``vectors.py``           the vectors of this processor, and LLVM's instructions for them
``denormals.py``         numbers too small to be normal count as zero in a kernel
``memory.py``            results in memory that was used before; scratch memory for each thread
``checks.py``            the checks of arguments before a kernel is launched
=======================  ===================================================================================

Begin with ``runtime.py``. A file of kernels has the same three steps throughout: its public function checks the
arguments with ``checks.py``, takes its result from ``memory.py``, and launches a loop that ``@kernel`` compiled.
"""
