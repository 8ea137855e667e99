"""Submits pages at a steady pace to several gateways while hosts fail, and says what became of each task."""

import argparse
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from captchad.client import GatewayClient
from captchad.domain.errors import CaptchadError

CALL_LIMIT_SECONDS = 5.0
PAUSE_SECONDS = 1.0
WAIT_SECONDS = 30.0
PATIENCE_SECONDS = 300.0
SUBMITTERS = 16


class Fleet:
    """Some gateways of one fleet: whoever answers is as good as another."""

    def __init__(self, gateways: list[str], key: str) -> None:
        self._clients = [GatewayClient(url, key, CALL_LIMIT_SECONDS) for url in gateways]
        self._lock = threading.Lock()
        self.refusals = Counter[str]()

    def submit(self, number: int, url: str) -> tuple[str, float]:
        """Return a task's id and how long it took to have it accepted; the key makes a repeated call one task."""
        begun = time.monotonic()
        turn = number
        while True:
            client = self._clients[turn % len(self._clients)]
            try:
                task = client.submit({"url": url}, idempotency_key=f"hosts-{number}")
                return str(task["task_id"]), time.monotonic() - begun
            except CaptchadError as error:
                with self._lock:
                    self.refusals[error.code] += 1
                if time.monotonic() - begun > PATIENCE_SECONDS:
                    raise
            turn += 1
            time.sleep(PAUSE_SECONDS)

    def find_end(self, task: str, turn: int) -> str:
        """Return how a task has ended, as any of the gateways knows it."""
        begun = time.monotonic()
        while time.monotonic() - begun < PATIENCE_SECONDS:
            try:
                state = self._clients[turn % len(self._clients)].wait(task, WAIT_SECONDS)
            except CaptchadError:
                time.sleep(PAUSE_SECONDS)
            else:
                if state["status"] not in {"pending", "processing", "retrying"}:
                    return f"{state['status']} {(state.get('error') or {}).get('code', '')}".strip()
            turn += 1
        return "not ended"

    def count_ends(self) -> int:
        """Return how many tasks have ended since the first start, by the fleet's own counters."""
        stats = self._clients[0].stats()
        return int(stats["completed_tasks"]) + int(stats["failed_tasks"])


def main() -> int:
    """Return 0 where every task was accepted, and completed exactly once."""
    parser = argparse.ArgumentParser()
    parser.add_argument("key")
    parser.add_argument("--gateway", dest="gateways", action="append", required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--tasks", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    options = parser.parse_args()
    fleet = Fleet(options.gateways, options.key)
    before = fleet.count_ends()
    begun = time.monotonic()
    with ThreadPoolExecutor(SUBMITTERS) as pool:
        submitted = []
        for number in range(options.tasks):
            submitted.append(pool.submit(fleet.submit, number, options.url))
            time.sleep(max(0.0, begun + (number + 1) * options.seconds / options.tasks - time.monotonic()))
        accepted = [one.result() for one in submitted]
        ends = Counter(pool.map(fleet.find_end, (task for task, _ in accepted), range(len(accepted))))
    counted = fleet.count_ends() - before
    longest = max(seconds for _, seconds in accepted)
    print(
        f"accepted {len({task for task, _ in accepted})}, the longest after {longest:.1f} s; "
        f"ended {dict(ends)}, counted {counted}; calls made again {dict(fleet.refusals)}"
    )
    return 0 if ends == {"completed": options.tasks} and counted == options.tasks else 1


if __name__ == "__main__":
    sys.exit(main())
