"""Who takes part: how each is started, and why one is left out where it can't be."""

import shutil
import subprocess
import sys
from dataclasses import dataclass, field

FULL_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SHELLS = ("chromium-headless-shell",)
RIVALS_HINT = (
    "make one with `python -m venv build/rivals && build/rivals/bin/pip install 'crawlee[playwright]' selenium numpy "
    "onnxruntime pillow` and name build/rivals/bin/python in --rivals-python or CAPTCHAD_BENCH_RIVALS"
)


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to get a page's captcha; `package` is what it needs in the rivals' environment, None where in ours."""

    name: str
    module: str
    mode: str = ""
    is_full_browser: bool = False
    package: str | None = None
    programs: tuple[str, ...] = ()
    in_quick_run: bool = True
    measures_alone: bool = False
    """Whether it is timed with one page at a time on an idle system, too."""


CONTESTANTS = (
    Contestant("naive_full_chromium", "naive", is_full_browser=True),
    Contestant("naive_headless_shell", "naive"),
    Contestant("crawlee_incognito", "crawler", "incognito", package="crawlee", in_quick_run=False),
    Contestant("crawlee_shared", "crawler", "shared", package="crawlee"),
    Contestant("selenium_reused", "webdriver", "reused", True, "selenium", ("chromedriver",)),
    Contestant("selenium_session_a_task", "webdriver", "each", True, "selenium", ("chromedriver",), in_quick_run=False),
    Contestant("engine_same_target", "engine", "same_target", measures_alone=True),
    Contestant("engine_never", "engine", "never", measures_alone=True),
    Contestant("gateway_same_target", "gateway", "same_target", measures_alone=True),
    Contestant("gateway_never", "gateway", "never", in_quick_run=False, measures_alone=True),
)


@dataclass(frozen=True, slots=True)
class Field:
    """Those who take part, with interpreter and browser, and the reason for each who does not."""

    commands: dict[str, tuple[str, ...]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def choose(names: list[str], rivals_python: str | None, recogniser: str, *, is_quick: bool) -> Field:
    """See who can take part; `names` empty means all."""
    chosen = Field()
    for contestant in CONTESTANTS:
        if names and contestant.name not in names:
            chosen.left_out[contestant.name] = "not asked for"
        elif is_quick and not names and not contestant.in_quick_run:
            chosen.left_out[contestant.name] = "not part of a quick run"
        else:
            _admit(contestant, rivals_python, recogniser, chosen)
    return chosen


def _admit(contestant: Contestant, rivals_python: str | None, recogniser: str, chosen: Field) -> None:
    executable = find_program(FULL_BROWSERS if contestant.is_full_browser else SHELLS)
    obstacle = _find_obstacle(contestant, rivals_python, executable, recogniser)
    if obstacle or executable is None:
        chosen.left_out[contestant.name] = obstacle
        return
    interpreter = sys.executable if contestant.package is None else str(rivals_python)
    module = f"tests.benchmarks.browser.{contestant.module}"
    options = ("--mode", contestant.mode, "--executable", executable, "--recogniser", recogniser)
    chosen.commands[contestant.name] = (interpreter, "-m", module, *options)


def _find_obstacle(contestant: Contestant, rivals_python: str | None, executable: str | None, recogniser: str) -> str:
    if executable is None:
        wanted = FULL_BROWSERS if contestant.is_full_browser else SHELLS
        return f"there is no {wanted[0]}; apt-get install {wanted[0]}"
    for program in contestant.programs:
        if shutil.which(program) is None:
            return f"there is no {program}; apt-get install chromium-driver"
    if contestant.package is not None:
        return _find_missing_package(contestant.package, rivals_python)
    if contestant.module == "gateway" and recogniser == "none":
        return "the whole of captchad always reads its pictures"
    return ""


def _find_missing_package(package: str, rivals_python: str | None) -> str:
    if rivals_python is None:
        return f"no environment with {package} was named; {RIVALS_HINT}"
    wanted = f"import {package}, numpy, onnxruntime, PIL"
    try:
        tried = subprocess.run([rivals_python, "-c", wanted], capture_output=True, text=True, check=False)
    except OSError as error:
        return f"{rivals_python} can't be run: {error}"
    if tried.returncode != 0:
        return f"{rivals_python}: {tried.stderr.strip().splitlines()[-1]}; {RIVALS_HINT}"
    return ""


def find_program(names: tuple[str, ...]) -> str | None:
    """Return the path of the first that is installed."""
    return next((path for name in names if (path := shutil.which(name))), None)
