"""What the audit log says of submitted tasks: hosts, ids and hashes of pictures, never an address or anything typed."""

import hashlib
from collections.abc import Sequence
from typing import Any

from captchad.domain.errors import TargetNotAllowed
from captchad.domain.target import normalise_pattern, parse_origin
from captchad.intake.draft import TaskDraft
from captchad.intake.intake import Submission


def describe_drafts(drafts: Sequence[TaskDraft]) -> dict[str, Any]:
    """Return what is asked for, admitted or not."""
    pictures = [hashlib.sha256(draft.picture).hexdigest() for draft in drafts if draft.picture is not None]
    hosts = sorted({host for draft in drafts if (host := _find_host(draft)) is not None})
    return {"hosts": hosts} | ({"pictures": pictures} if pictures else {})


def describe_submissions(submissions: Sequence[Submission]) -> dict[str, Any]:
    """Return which tasks were stored; `repeated` of them had been stored before."""
    repeated = sum(submission.is_repeated for submission in submissions)
    return {"task_ids": [one.task_id for one in submissions]} | ({"repeated": repeated} if repeated else {})


def _find_host(draft: TaskDraft) -> str | None:
    try:
        return parse_origin(draft.url).host if draft.url is not None else normalise_pattern(draft.target_host or "")
    except TargetNotAllowed:
        # What is no host may be anything.
        return None
