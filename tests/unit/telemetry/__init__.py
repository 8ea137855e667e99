"""Unit tests of captchad.telemetry."""
