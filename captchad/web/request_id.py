"""The id by which a caller and the log mean the same request."""

import secrets

REQUEST_ID_BYTES = 8
REQUEST_ID_LIMIT = 64
EXAMPLE_REQUEST_ID = "9c795a0d98877cac"


def make_request_id() -> str:
    """Return a new id."""
    return secrets.token_hex(REQUEST_ID_BYTES)


def choose_request_id(given: str) -> str:
    """Return the caller's own id where it is a proper one, else a new one."""
    is_proper = given.isascii() and all(character.isalnum() or character in "-_." for character in given)
    return given if 0 < len(given) <= REQUEST_ID_LIMIT and is_proper else make_request_id()
