"""2captcha-python, as its README shows it, with `server`; it speaks TLS alone."""

from base64 import b64encode
from pathlib import Path

from steps import BLANK, KEY, PICTURE, TLS_AUTHORITY, WRONG_KEY, run
from twocaptcha import TwoCaptcha


def connect(key: str, **options: object) -> TwoCaptcha:
    return TwoCaptcha(key, server=TLS_AUTHORITY, pollingInterval=1, **options)


def solve(key: str, picture: str, **options: object) -> str:
    return connect(key, **options).normal(picture, minLen=1, caseSensitive=0)["code"]


def report(is_right: bool) -> str:
    solver = connect(KEY)
    solved = solver.normal(b64encode(Path(PICTURE).read_bytes()).decode())
    return solver.report(solved["captchaId"], is_right)


run(
    solve=lambda: solve(KEY, PICTURE),
    solve_extended=lambda: solve(KEY, PICTURE, extendedResponse=True),
    wrong_key=lambda: solve(WRONG_KEY, PICTURE),
    unsolvable=lambda: solve(KEY, BLANK),
    report_right=lambda: report(True),
    report_wrong=lambda: report(False),
    balance=lambda: connect(KEY).balance(),
)
