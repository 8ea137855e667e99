"""unicaps, as its README shows it, for both families; the address is an attribute of its service."""

from pathlib import Path

from steps import BLANK, KEY, PICTURE, URL, WRONG_KEY, run
from unicaps import CaptchaSolver, CaptchaSolvingService
from unicaps.common import CaptchaCharType

TWO_CAPTCHA, ANTI_CAPTCHA = CaptchaSolvingService.TWOCAPTCHA, CaptchaSolvingService.ANTI_CAPTCHA


def solve(key: str, picture: str, service: CaptchaSolvingService = TWO_CAPTCHA):
    solver = CaptchaSolver(service, key)
    solver._service.BASE_URL = URL
    return solver.solve_image_captcha(
        Path(picture), char_type=CaptchaCharType.ALPHANUMERIC, is_case_sensitive=False, min_len=3, comment="our own"
    )


def find_balance() -> float:
    solver = CaptchaSolver(TWO_CAPTCHA, KEY)
    solver._service.BASE_URL = URL
    return solver.get_balance()


run(
    solve=lambda: str(solve(KEY, PICTURE).solution),
    solve_by_tasks=lambda: str(solve(KEY, PICTURE, ANTI_CAPTCHA).solution),
    wrong_key=lambda: str(solve(WRONG_KEY, PICTURE).solution),
    unsolvable=lambda: str(solve(KEY, BLANK).solution),
    report_right=lambda: solve(KEY, PICTURE).report_good(raise_exc=True),
    report_wrong=lambda: solve(KEY, PICTURE).report_bad(raise_exc=True),
    report_wrong_by_tasks=lambda: solve(KEY, PICTURE, ANTI_CAPTCHA).report_bad(raise_exc=True),
    balance=find_balance,
)
