"""Submits pages to a gateway while its services are scaled, killed and restarted, and says what became of each."""

import argparse
import sys
import time
from collections import Counter

from captchad.client import GatewayClient
from captchad.domain.errors import CaptchadError

ANSWER_LIMIT_SECONDS = 300.0


def main() -> int:
    """Return 0 where every request was answered, and every task that was accepted was solved."""
    parser = argparse.ArgumentParser()
    parser.add_argument("key")
    parser.add_argument("--tasks", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--url", default="http://127.0.0.1:8090/login")
    options = parser.parse_args()
    client = GatewayClient("http://127.0.0.1:8080", options.key)
    accepted, refused = [], Counter[str]()
    for _ in range(options.tasks):
        try:
            accepted.append(client.submit({"url": options.url})["task_id"])
        except CaptchadError as error:
            refused[error.message] += 1
        time.sleep(options.seconds / options.tasks)
    ends = Counter(str(client.wait(task, ANSWER_LIMIT_SECONDS)["status"]) for task in accepted)
    print(f"accepted {len(accepted)}, refused {dict(refused)}, ended {dict(ends)}")
    return 0 if not refused and ends == {"completed": options.tasks} else 1


if __name__ == "__main__":
    sys.exit(main())
