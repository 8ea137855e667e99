"""What a task may ask for at most: the API, the configuration's defaults and the command line hold it to the same."""

TIMEOUT_LIMIT_SECONDS = 600
RETRIES_LIMIT = 10
DEADLINE_LIMIT_SECONDS = 604_800
HOST_LENGTH_LIMIT = 253
TEXT_LENGTH_LIMIT = 64
BATCH_LIMIT = 100
WAIT_LIMIT_SECONDS = 60
LONGEST_WAIT_SECONDS = 58
"""After which a waiting call is answered at the latest: a proxy that gives up after a minute must have it by then."""
