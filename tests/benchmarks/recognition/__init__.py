"""The parts of bench_recognition."""
