"""python-rucaptcha, as its README shows it; addresses are attributes of what it sends, and of its result handler."""

import asyncio

from python_rucaptcha.core.result_handler import get_sync_result
from python_rucaptcha.core.serializer import GetTaskResultRequestSer
from python_rucaptcha.image_captcha import ImageCaptcha
from steps import BLANK, KEY, PICTURE, URL, WRONG_KEY, run


def prepare(key: str) -> ImageCaptcha:
    captcha = ImageCaptcha(rucaptcha_key=key, sleep_time=1, numeric=0, minLength=1)
    captcha.params.url_request, captcha.params.url_response = f"{URL}/createTask", f"{URL}/getTaskResult"
    return captcha


def solve(key: str, picture: str) -> dict[str, object]:
    return prepare(key).captcha_handler(captcha_file=picture)


def control(method: str, task_id: object = None) -> dict[str, object]:
    """Do what Control does, whose addresses can't be set."""
    return get_sync_result(GetTaskResultRequestSer(KEY, task_id), 1, f"{URL}/{method}")


def report(method: str) -> str:
    answer = control(method, solve(KEY, PICTURE)["taskId"])
    return f"{answer['errorId']} {answer['status']}"


run(
    solve=lambda: solve(KEY, PICTURE)["solution"]["text"],
    solve_async=lambda: asyncio.run(prepare(KEY).aio_captcha_handler(captcha_file=PICTURE))["solution"]["text"],
    wrong_key=lambda: solve(WRONG_KEY, PICTURE)["errorCode"],
    unsolvable=lambda: solve(KEY, BLANK)["errorCode"],
    report_right=lambda: report("reportCorrect"),
    report_wrong=lambda: report("reportIncorrect"),
    balance=lambda: control("getBalance")["balance"],
)
