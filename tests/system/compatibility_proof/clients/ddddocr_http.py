"""The HTTP examples of ddddocr's README, with the key as the password of the address."""

from base64 import b64encode
from pathlib import Path
from urllib.parse import urlsplit

import requests
from steps import BLANK, KEY, PICTURE, URL, WRONG_KEY, run


def locate(key: str, path: str) -> str:
    return f"http://:{key}@{urlsplit(URL).netloc}{path}"


def solve(key: str, picture: str) -> str:
    img_base64 = b64encode(Path(picture).read_bytes()).decode()
    response = requests.post(locate(key, "/ocr"), json={"image": img_base64}, timeout=60)
    return response.json()["result"] if response.ok else f"{response.status_code} {response.json()['detail']}"


def upload() -> str:
    with Path(PICTURE).open("rb") as file:
        return requests.post(locate(KEY, "/ocr/file"), files={"file": file}, timeout=60).json()["result"]


run(
    solve=lambda: solve(KEY, PICTURE),
    solve_upload=upload,
    wrong_key=lambda: solve(WRONG_KEY, PICTURE),
    unsolvable=lambda: solve(KEY, BLANK),
)
