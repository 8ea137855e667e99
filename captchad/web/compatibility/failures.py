"""What can go wrong, in the words of every dialect."""

from enum import Enum
from http import HTTPStatus

from captchad.domain.errors import CaptchadError


class Failure(Enum):
    """The number and the code of the createTask family, the older code of 2captcha, and ddddocr's HTTP status.

    Numbers and codes are those that Anti-Captcha and 2captcha publish; from 200 on are ours. Never 11: a client of
    Anti-Captcha asks a foreign site for its own address then.
    """

    KEY = 1, "ERROR_KEY_DOES_NOT_EXIST", "ERROR_KEY_DOES_NOT_EXIST", HTTPStatus.UNAUTHORIZED
    NO_SLOT = 2, "ERROR_NO_SLOT_AVAILABLE", "ERROR_NO_SLOT_AVAILABLE", HTTPStatus.TOO_MANY_REQUESTS
    EMPTY_PICTURE = 3, "ERROR_ZERO_CAPTCHA_FILESIZE", "ERROR_ZERO_CAPTCHA_FILESIZE", HTTPStatus.BAD_REQUEST
    LARGE_PICTURE = 4, "ERROR_TOO_BIG_CAPTCHA_FILESIZE", "ERROR_TOO_BIG_CAPTCHA_FILESIZE", HTTPStatus.BAD_REQUEST
    UNSOLVABLE = 12, "ERROR_CAPTCHA_UNSOLVABLE", "ERROR_CAPTCHA_UNSOLVABLE", HTTPStatus.SERVICE_UNAVAILABLE
    ACTION = 14, "ERROR_NO_SUCH_METHOD", "ERROR_EMPTY_ACTION", HTTPStatus.BAD_REQUEST
    PICTURE_FORMAT = 15, "ERROR_IMAGE_TYPE_NOT_SUPPORTED", "ERROR_IMAGE_TYPE_NOT_SUPPORTED", HTTPStatus.BAD_REQUEST
    UNKNOWN_TASK = 16, "ERROR_NO_SUCH_CAPCHA_ID", "ERROR_WRONG_CAPTCHA_ID", HTTPStatus.NOT_FOUND
    TASK_ABSENT = 22, "ERROR_TASK_ABSENT", "ERROR_BAD_PARAMETERS", HTTPStatus.BAD_REQUEST
    TASK_KIND = 23, "ERROR_TASK_NOT_SUPPORTED", "ERROR_TASK_NOT_SUPPORTED", HTTPStatus.BAD_REQUEST
    PARAMETERS = 110, "ERROR_BAD_PARAMETERS", "ERROR_BAD_PARAMETERS", HTTPStatus.BAD_REQUEST
    TARGET = 200, "ERROR_DOMAIN_NOT_ALLOWED", "ERROR_DOMAIN_NOT_ALLOWED", HTTPStatus.FORBIDDEN
    REPORT = 201, "ERROR_REPORT_NOT_RECORDED", "ERROR_REPORT_NOT_RECORDED", HTTPStatus.CONFLICT
    INTERNAL = 202, "ERROR_INTERNAL_SERVER_ERROR", "ERROR_INTERNAL_SERVER_ERROR", HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, error_id: int, code: str, form_code: str, status: HTTPStatus) -> None:
        self.error_id = error_id
        self.code = code
        self.form_code = form_code
        self.status = status


class SolverRefusal(CaptchadError):
    """A request that a dialect has words of its own for."""

    code = "invalid_request"

    def __init__(self, failure: Failure, message: str) -> None:
        super().__init__(message)
        self.failure = failure


_FAILURES = {
    "unauthorized": Failure.KEY,
    "forbidden": Failure.KEY,
    "rate_limited": Failure.NO_SLOT,
    "quota_exceeded": Failure.NO_SLOT,
    "queue_full": Failure.NO_SLOT,
    "overloaded": Failure.NO_SLOT,
    "broker_unavailable": Failure.NO_SLOT,
    "body_too_large": Failure.LARGE_PICTURE,
    "target_not_allowed": Failure.TARGET,
    "task_not_found": Failure.UNKNOWN_TASK,
    "no_answer": Failure.REPORT,
    "internal_error": Failure.INTERNAL,
}
"""What the rest of captchad refuses with; whatever is not here is a matter of parameters."""


def find_failure(error: CaptchadError) -> Failure:
    """Return what a failure is called."""
    if isinstance(error, SolverRefusal):
        return error.failure
    return _FAILURES.get(error.code, Failure.PARAMETERS)
