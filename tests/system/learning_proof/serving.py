"""`python -m tests.system.learning_proof.serving`: how fast every core reads while this host learns.

One reader a core works without a pause, as workers do that are never idle. A learner at lowest priority trains beside
them, stopped and continued by turns, so that both rates are measured in the same minutes.
"""

import argparse
import multiprocessing
import os
import signal
import sys
import time
from multiprocessing.sharedctypes import Synchronized

import numpy as np

from captchad.domain.recognition import Hints
from captchad.recognition.captchad_engine import load_captchad_engine
from captchad.recognition.model import find_packaged_weights
from captchad.runtime.clock import Clock
from captchad.training.fine_tuning import TuningOptions, train_through
from captchad.training.weights import load_starting_point
from tests.unit.training.plain_pictures import draw_many

LEAST_SHARE = 0.9
WINDOW_SECONDS, WINDOWS = 2.0, 20
SETTLE_SECONDS = 0.5
LOWEST_PRIORITY = 19
PASSES_WITHOUT_END = 100_000


def learn_always() -> None:
    """Train until this process is ended, as `captchad learn` does."""
    os.nice(LOWEST_PRIORITY)
    network = load_starting_point(find_packaged_weights()).network
    train_through(network, draw_many(64), TuningOptions(passes=PASSES_WITHOUT_END), Clock())


def read_always(count: "Synchronized[int]") -> None:
    """Read pictures until this process is ended, and count them."""
    engine, pictures = load_captchad_engine(), [sample.picture for sample in draw_many(16)]
    hints = [Hints()] * len(pictures)
    while True:
        engine.recognise(pictures, hints)
        with count.get_lock():
            count.value += len(pictures)


def main() -> int:
    """Print both rates; return 1 where reading beside the learner is slower than it may be."""
    argparse.ArgumentParser(prog="python -m tests.system.learning_proof.serving", description=__doc__).parse_args()
    count = multiprocessing.Value("q", 0)
    readers = [multiprocessing.Process(target=read_always, args=(count,)) for _ in range(os.cpu_count() or 1)]
    learner = multiprocessing.Process(target=learn_always)
    for process in (*readers, learner):
        process.start()
    try:
        time.sleep(10 * WINDOW_SECONDS)
        rates = _measure(count, learner.pid or 0)
    finally:
        for process in (*readers, learner):
            process.kill()
            process.join()
    alone, beside = float(np.median(rates[False])), float(np.median(rates[True]))
    sys.stdout.write(f"{alone:.0f} pictures/s alone, {beside:.0f} beside the learner: {beside / alone:.1%}\n")
    return int(beside < LEAST_SHARE * alone)


def _measure(count: "Synchronized[int]", learner: int) -> dict[bool, list[float]]:
    rates: dict[bool, list[float]] = {False: [], True: []}
    for number in range(WINDOWS):
        is_learning = number % 2 == 1
        os.kill(learner, signal.SIGCONT if is_learning else signal.SIGSTOP)
        time.sleep(SETTLE_SECONDS)
        first, began = count.value, time.monotonic()
        time.sleep(WINDOW_SECONDS)
        rates[is_learning].append((count.value - first) / (time.monotonic() - began))
    return rates


if __name__ == "__main__":
    sys.exit(main())
