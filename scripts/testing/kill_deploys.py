"""Kills `captchad deploy` after each of several steps, and sees that the next one completes it."""

import re
import subprocess
import sys

AFTER_STEPS = (0, 1, 4, 17, 30, 31, 35, 40, 44)
ARGUMENTS = ("deploy", "-e", "prod", "-n", "2")


def deploy_until(program: str, limit: int) -> int:
    """Deploy, and kill it once it announces the step after `limit`; return how many it had to do in all."""
    with subprocess.Popen([program, *ARGUMENTS], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        assert child.stdout is not None
        total = 0
        for line in child.stdout:
            found = re.match(r"\[(\d+)/(\d+)\]", line)
            total = int(found[2]) if found else total
            if found and int(found[1]) > limit:
                child.kill()
        return total


def main() -> int:
    """Return 0 where a deploy after the kills completes, and the one after that finds nothing to do."""
    program = sys.argv[1]
    for number, limit in enumerate(AFTER_STEPS):
        if number > 0:
            subprocess.run([program, "undeploy", "--purge"], check=True, stdout=subprocess.DEVNULL)
        total = deploy_until(program, limit)
        left = deploy_until(program, total)
        after = deploy_until(program, total)
        active = subprocess.run(["systemctl", "is-active", "captchad-gateway", "captchad-worker@2"], check=False)
        print(
            f"killed after {limit} of {total} steps: the next one did {left}, and the one after that {after}",
            flush=True,
        )
        if after or active.returncode:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
