"""python-anticaptcha, as its README shows it, with `host` and `use_ssl`."""

from urllib.parse import urlsplit

from python_anticaptcha import AnticaptchaClient, ImageToTextTask
from steps import BLANK, KEY, PICTURE, URL, WRONG_KEY, run


def connect(key: str) -> AnticaptchaClient:
    return AnticaptchaClient(key, host=urlsplit(URL).netloc, use_ssl=False)


def solve(key: str, picture: str) -> str:
    job = connect(key).create_task(ImageToTextTask(picture))
    job.join(backoff=True)
    return job.get_captcha_text()


def report_wrong() -> bool:
    job = connect(KEY).create_task(ImageToTextTask(PICTURE, comment="the captcha of our own page", case=False))
    job.join(backoff=True)
    return job.report_incorrect_image()


run(
    solve=lambda: solve(KEY, PICTURE),
    wrong_key=lambda: solve(WRONG_KEY, PICTURE),
    unsolvable=lambda: solve(KEY, BLANK),
    report_wrong=report_wrong,
    balance=lambda: connect(KEY).get_balance(),
)
