"""What a call raises once the page, the browser or Playwright's driver that it is for has gone."""

import contextlib
import logging
from collections.abc import Iterator

from playwright.async_api import Error as PlaywrightError

DRIVER_ENDED = "the browser's driver has ended"

_logger = logging.getLogger(__name__)


def is_driver_gone(error: RuntimeError) -> bool:
    """Whether uvloop raised this on a write to a process that has ended; Playwright does not map it to its own."""
    return "the handler is closed" in str(error)


@contextlib.contextmanager
def tolerate_loss() -> Iterator[None]:
    """Go on where the page, its browser or the driver has gone: what was to be done there is not needed any more."""
    try:
        yield
    except PlaywrightError as error:
        _logger.debug("there is nothing left to do: %s", error)
    except RuntimeError as error:
        if not is_driver_gone(error):
            raise
