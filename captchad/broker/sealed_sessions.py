"""Sealed sessions: opened for whoever is given a result; for a worker, what can't be opened fails the attempt."""

import logging
from dataclasses import replace

from captchad.broker.session_cipher import Direction, SessionCipher, SessionUnreadable, Unsealed
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.page import SESSION_LIMIT_BYTES, replace_typed_values
from captchad.domain.task import TaskRecord, TaskRequest, TaskResult

_logger = logging.getLogger(__name__)

NOT_KEPT = "what is typed into its form is not kept after a task has ended; submit it anew instead of replaying it"


def add_returned_session(record: TaskRecord, sealed: bytes, cipher: SessionCipher | None) -> TaskRecord:
    """Return the record with the session its page left; without, where there is no key, or another."""
    if cipher is None or record.result is None:
        return record
    try:
        session = cipher.open(sealed, record.task_id, Direction.RETURNED).session
    except SessionUnreadable as error:
        _logger.warning("%s is returned without its session: %s", record.task_id, error)
        return record
    return replace(record, result=replace(record.result, session=session))


class SealedSessions:
    """Opens what came with a task and seals what its page leaves; AttemptFailed where the key is missing or another."""

    def __init__(self, cipher: SessionCipher | None) -> None:
        self._cipher = cipher

    def open_given(self, request: TaskRequest, task_id: str, sealed: bytes) -> TaskRequest:
        """Return the request with its session and its typed values."""
        needed = len(request.typed_values)
        if not sealed and not needed and not request.return_session:
            return request
        cipher = self._need_cipher()
        try:
            opened = cipher.open(sealed, task_id, Direction.GIVEN) if sealed else Unsealed(None)
        except SessionUnreadable as error:
            raise AttemptFailed(TaskErrorCode.UNREADABLE_RECORD, str(error)) from None
        if len(opened.typed) != needed:
            raise AttemptFailed(TaskErrorCode.UNREADABLE_RECORD, NOT_KEPT, is_final=True)
        steps, fill = replace_typed_values(request.steps, request.fill, opened.typed)
        return replace(request, session=opened.session, steps=steps, fill=fill)

    def seal_returned(self, result: TaskResult | None, task_id: str) -> bytes:
        """Return the session of a result, sealed; empty where it has none."""
        if result is None or result.session is None:
            return b""
        try:
            sealed = self._need_cipher().seal(result.session, task_id, Direction.RETURNED)
        except ValueError:
            raise AttemptFailed(TaskErrorCode.INTERNAL_ERROR, "the page's session can't be serialised") from None
        if len(sealed) > SESSION_LIMIT_BYTES:
            message = f"the page's session has {len(sealed)} bytes, more than the limit of {SESSION_LIMIT_BYTES}"
            raise AttemptFailed(TaskErrorCode.SESSION_TOO_LARGE, message)
        return sealed

    def _need_cipher(self) -> SessionCipher:
        if self._cipher is None:
            message = (
                "this worker lacks security.session_key, which the task's session or form needs; set it on every worker"
            )
            raise AttemptFailed(TaskErrorCode.UNREADABLE_RECORD, message)
        return self._cipher
