"""The browser: launched or joined for real, in a child process that ends whatever happens."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from typing import Any

from captchad.cli.doctor.finding import Finding, bad, doubtful, good
from captchad.cli.doctor.mends import install
from captchad.config.browser_choice import choose_browser
from captchad.config.settings import Configuration

TRIAL_MODULE = "captchad.browser.trial"
TRIAL_LIMIT_SECONDS = 60
HOW_TO_INSTALL = (
    "playwright install --with-deps chromium-headless-shell, or apt-get install chromium-headless-shell libatomic1, "
    "or name one in browser.executable"
)
HOW_TO_REACH = "see docs/browsers.md for what a browser elsewhere must be"


def check_browser(configuration: Configuration) -> list[Finding]:
    """Launch the browser the worker would launch; return what came of it, and of its sandbox."""
    outcome = _run_trial([sys.executable, "-m", TRIAL_MODULE], _reveal(configuration))
    if "error" in outcome:
        is_here = choose_browser(configuration).backend == "launch"
        # Of a named program that does not work no package makes another.
        is_missing = is_here and configuration.browser.executable is None and outcome.get("is_missing", False)
        mend = install("chromium-headless-shell", "libatomic1") if is_missing else None
        return [bad("browser", str(outcome["error"]), HOW_TO_INSTALL if is_here else HOW_TO_REACH, mend)]
    place = outcome["where"] if choose_browser(configuration).backend != "launch" else "here"
    found = f"Chromium {outcome['version']} {place}, a page drawn in {outcome['milliseconds']} ms"
    if not outcome["draws_text"]:
        found, fonts = f"Chromium {outcome['version']} draws no text", "fonts-liberation"
        drawn = bad("browser", found, f"apt-get install {fonts}", install(fonts))
        return [drawn, _judge_sandbox(outcome, configuration)]
    return [good("browser", found), _judge_sandbox(outcome, configuration)]


def _judge_sandbox(outcome: dict[str, Any], configuration: Configuration) -> Finding:
    if outcome["has_sandbox"]:
        return good("sandbox", str(outcome["sandbox"]))
    judge = bad if configuration.environment == "prod" else doubtful
    return judge("sandbox", "off, and production does not start without it", str(outcome["sandbox_problem"]))


def _reveal(configuration: Configuration) -> str:
    """Return the settings a browser is got by as JSON, secrets included, for the child's standard input."""
    sections = configuration.model_dump(mode="json", include={"browser", "selenium", "worker", "environment"})
    sections["browser"]["urls"] = [url.get_secret_value() for url in configuration.browser.urls]
    return json.dumps(sections)


def _run_trial(command: list[str], settings: str) -> dict[str, Any]:
    # A session of its own: whatever hangs is killed together with all its children.
    with subprocess.Popen(  # noqa: S603 - this interpreter with a fixed module
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.PIPE, start_new_session=True
    ) as child:
        try:
            output, complaints = child.communicate(settings.encode(), timeout=TRIAL_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            return {"error": f"the browser did not come up within {TRIAL_LIMIT_SECONDS} s"}
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
    try:
        outcome: dict[str, Any] = json.loads(output)
    except ValueError:
        lines = complaints.decode(errors="replace").strip().splitlines()
        return {"error": f"the trial failed: {lines[-1] if lines else 'no answer'}"}
    return outcome
