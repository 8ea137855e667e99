"""capmonstercloudclient, as its README shows it, with `service_url`; it has no reports."""

import asyncio
from pathlib import Path

from capmonstercloudclient import CapMonsterClient, ClientOptions
from capmonstercloudclient.requests import ImageToTextRequest
from steps import BLANK, KEY, PICTURE, URL, WRONG_KEY, run


def connect(key: str) -> CapMonsterClient:
    return CapMonsterClient(options=ClientOptions(api_key=key, service_url=URL))


def solve(key: str, picture: str, **options: object) -> str:
    request = ImageToTextRequest(image_bytes=Path(picture).read_bytes(), case=True, **options)
    solution = asyncio.run(connect(key).solve_captcha(request))
    return solution["text"]


run(
    solve=lambda: solve(KEY, PICTURE),
    wrong_key=lambda: solve(WRONG_KEY, PICTURE),
    unsolvable=lambda: solve(KEY, BLANK),
    threshold=lambda: solve(KEY, PICTURE, threshold=100),
    balance=lambda: asyncio.run(connect(KEY).get_balance())["balance"],
)
