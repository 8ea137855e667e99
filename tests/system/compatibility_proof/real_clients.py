"""The clients that are out there, and what each is to find; what it finds is said in its own words."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parent / "clients"
TEXT = "(the picture's text)"
"""Instead of a pattern."""
REQUIREMENTS, MANIFEST = SCRIPTS / "requirements.txt", SCRIPTS / "package.json"


@dataclass(frozen=True)
class Client:
    """One client: its package, the script that uses it, and a pattern of what each step returns."""

    package: str
    script: str
    expected: Mapping[str, str]

    @property
    def is_python(self) -> bool:
        return self.script.endswith(".py")


ANTICAPTCHA = Client(
    "python-anticaptcha",
    "anticaptcha.py",
    {
        "solve": TEXT,
        "wrong_key": r"AnticaptchaException: \[ERROR_KEY_DOES_NOT_EXIST:1\].+",
        "unsolvable": r"AnticaptchaException: \[ERROR_CAPTCHA_UNSOLVABLE:12\].+",
        "report_wrong": "True",
        "balance": r"1000\.0",
    },
)
TWO_CAPTCHA = Client(
    "2captcha-python",
    "two_captcha.py",
    {
        "solve": TEXT,
        "solve_extended": TEXT,
        "wrong_key": "ApiException: ERROR_KEY_DOES_NOT_EXIST",
        "unsolvable": "ApiException: ERROR_CAPTCHA_UNSOLVABLE",
        "report_right": "OK_REPORT_RECORDED",
        "report_wrong": "OK_REPORT_RECORDED",
        "balance": r"1000\.0",
    },
)
RUCAPTCHA = Client(
    "python-rucaptcha",
    "rucaptcha.py",
    {
        "solve": TEXT,
        "solve_async": TEXT,
        "wrong_key": "ERROR_KEY_DOES_NOT_EXIST",
        "unsolvable": "ERROR_CAPTCHA_UNSOLVABLE",
        "report_right": "0 success",
        "report_wrong": "0 success",
        "balance": r"1000\.0",
    },
)
CAPMONSTER = Client(
    "capmonstercloudclient",
    "capmonster.py",
    {
        "solve": TEXT,
        "wrong_key": r"GetTaskError: \[ERROR_KEY_DOES_NOT_EXIST\].+",
        "unsolvable": r"GetResultError: \[ERROR_CAPTCHA_UNSOLVABLE\].+",
        "threshold": r"GetResultError: \[ERROR_CAPTCHA_UNSOLVABLE\].+",
        "balance": r"1000(\.0)?",
    },
)
UNICAPS = Client(
    "unicaps",
    "unicaps_client.py",
    {
        "solve": TEXT,
        "solve_by_tasks": TEXT,
        "wrong_key": "AccessDeniedError: ERROR_KEY_DOES_NOT_EXIST: .+",
        "unsolvable": "UnableToSolveError: ERROR_CAPTCHA_UNSOLVABLE: .+",
        "report_right": "True",
        "report_wrong": "True",
        "report_wrong_by_tasks": "True",
        "balance": r"1000\.0",
    },
)
CAPMONSTER_JS = Client(
    "@zennolab_com/capmonstercloud-client",
    "capmonster.cjs",
    {
        "solve": TEXT,
        "wrong_key": "KEY_DOES_NOT_EXIST",
        "unsolvable": "CAPTCHA_UNSOLVABLE",
        "threshold": "CAPTCHA_UNSOLVABLE",
        "balance": "1000",
    },
)
TWO_CAPTCHA_JS = Client(
    "@2captcha/captcha-solver",
    "two_captcha.cjs",
    {
        "solve": TEXT,
        "wrong_key": "APIError: ERROR_KEY_DOES_NOT_EXIST .+",
        "unsolvable": "APIError: ERROR_CAPTCHA_UNSOLVABLE .+",
        "unsupported": "APIError: ERROR_TASK_NOT_SUPPORTED .+",
        "report_right": "OK_REPORT_RECORDED",
        "report_wrong": "OK_REPORT_RECORDED",
        "balance": "1000",
    },
)
DDDDOCR = Client(
    "ddddocr's HTTP examples",
    "ddddocr_http.py",
    {"solve": TEXT, "solve_upload": TEXT, "wrong_key": "401 .+", "unsolvable": ""},
)
CLIENTS = (ANTICAPTCHA, CAPMONSTER, TWO_CAPTCHA, UNICAPS, RUCAPTCHA, CAPMONSTER_JS, TWO_CAPTCHA_JS, DDDDOCR)


async def run_client(client: Client, interpreter: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return what each step of a client's script returned."""
    process = await asyncio.create_subprocess_exec(
        interpreter,
        str(SCRIPTS / client.script),
        env=dict(environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, f"{client.package}: {err.decode()}"
    # A client may print words of its own first.
    found: dict[str, Any] = json.loads(out.decode().splitlines()[-1])
    return found


def find_faults(client: Client, found: Mapping[str, Any], text: str) -> list[str]:
    """Return what a client should not have found."""
    faults = [f"{client.package}: {name} is missing" for name in client.expected.keys() - found.keys()]
    for name, pattern in client.expected.items():
        wanted = re.escape(text) if pattern is TEXT else pattern
        if re.fullmatch(wanted, str(found.get(name)), re.DOTALL) is None:
            faults.append(f"{client.package}: {name} gave {found.get(name)!r} instead of {wanted}")
    return faults
