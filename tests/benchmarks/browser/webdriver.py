"""Selenium with chromedriver, a thread for each page at once: `reused` keeps a session, `each` starts one a page."""

import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from tests.benchmarks.browser.reading import Reader
from tests.benchmarks.browser.visiting import CAPTCHA_SELECTOR, Journal, Orders

FLAGS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage")


@contextmanager
def open_session(executable: str) -> Iterator[webdriver.Chrome]:
    """Return a browser of its own, and end it afterwards."""
    options = webdriver.ChromeOptions()
    options.binary_location = executable
    for flag in FLAGS:
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


def solve(driver: webdriver.Chrome, reader: Reader, url: str) -> str:
    """Open a page and read its captcha."""
    driver.get(url)
    return reader.read_now(driver.find_element(By.CSS_SELECTOR, CAPTCHA_SELECTOR).screenshot_as_png)


def visit_with_one_session(orders: Orders, journal: Journal, reader: Reader) -> None:
    """Keep a session for all pages of this thread."""
    with open_session(orders.executable) as driver:
        for visit, url in journal.visits():
            started_seconds = time.monotonic()
            journal.note(visit, started_seconds, solve(driver, reader, url))


def visit_with_a_session_each(orders: Orders, journal: Journal, reader: Reader) -> None:
    """Start and end a session for each page."""
    for visit, url in journal.visits():
        started_seconds = time.monotonic()
        with open_session(orders.executable) as driver:
            text = solve(driver, reader, url)
        journal.note(visit, started_seconds, text)


def main() -> None:
    """Visit until told to end."""
    orders = Orders.parse()
    journal, reader = Journal(orders), Reader(orders.recogniser)
    visit = visit_with_one_session if orders.mode == "reused" else visit_with_a_session_each
    with ThreadPoolExecutor(orders.concurrency) as threads:
        running = [threads.submit(visit, orders, journal, reader) for _ in range(orders.concurrency)]
    for one in running:
        one.result()


if __name__ == "__main__":
    main()
