"""The recurrence of an ensemble over the frames of its trials.

`unroll` chooses: `numba_unroll` on a CPU in float32, for units with passes in `kernels/`; otherwise frame by frame with
PyTorch, on a GPU with units that `torch_compiled` has compiled.
"""
