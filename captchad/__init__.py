"""Distributed recognition of text captchas on sites you run or are authorised to test."""

import os

__version__ = "0.3.0.dev0"

# Since 1.29 onnxruntime's wheels for Linux report models and sessions to their maker unless told not to, and they look
# once, when the library is loaded. captchad sends nothing anywhere that nobody asked for.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
