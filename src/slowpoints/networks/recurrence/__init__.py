"""The recurrence of an ensemble over the frames of its trials.

`unroll` uses `numba_unroll` on a CPU in float32 for units with passes in `kernels/`, and otherwise PyTorch frame by
frame, on a GPU with units compiled by `torch_compiled`.
"""
