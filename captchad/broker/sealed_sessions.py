"""The worker's side of sealed sessions: what can't be opened or sealed fails the attempt, and says what to do."""

from dataclasses import replace

from captchad.broker.session_cipher import Direction, SessionCipher, SessionUnreadable
from captchad.domain.errors import AttemptFailed, TaskErrorCode
from captchad.domain.page import SESSION_LIMIT_BYTES
from captchad.domain.task import TaskRequest, TaskResult


class SealedSessions:
    """Opens what came with a task and seals what its page leaves; AttemptFailed where the key is missing or another."""

    def __init__(self, cipher: SessionCipher | None) -> None:
        self._cipher = cipher

    def open_given(self, request: TaskRequest, task_id: str, sealed: bytes) -> TaskRequest:
        """Return the request with its session."""
        if not sealed and not request.return_session:
            return request
        cipher = self._need_cipher()
        try:
            return replace(request, session=cipher.open(sealed, task_id, Direction.GIVEN) if sealed else None)
        except SessionUnreadable as error:
            raise AttemptFailed(TaskErrorCode.UNREADABLE_RECORD, str(error)) from None

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
            message = "this worker has no security.session_key, which the task's session needs; set it on every worker"
            raise AttemptFailed(TaskErrorCode.UNREADABLE_RECORD, message)
        return self._cipher
