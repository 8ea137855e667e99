"""How every network is run: on one CPU thread, so that a worker's engines never fight over its cores."""

from pathlib import Path

import onnxruntime

_LOG_ERRORS_ONLY = 3


def open_session(path: Path) -> onnxruntime.InferenceSession:
    """Load an ONNX file; onnxruntime's own exceptions say why it can't be."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _LOG_ERRORS_ONLY
    # Every picture has a width of its own: remembered memory plans and arenas would only grow.
    options.enable_mem_pattern = False
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
