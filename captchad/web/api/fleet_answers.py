"""Models of the answers about the whole fleet, for the OpenAPI document; the tests hold real answers against them."""

from typing import Any, Literal

from pydantic import Field

from captchad.web.answers import Answer, Time


class LoadAnswer(Answer):
    """Load of one host, or the mean of several."""

    cpu_usage: float = Field(description="percent of its processors in use")
    memory_usage: float = Field(description="percent of its memory in use")
    disk_usage: float = Field(description="percent of the disk with the state folder in use")


class SystemLoadAnswer(LoadAnswer):
    """The mean load over all hosts, and that of each."""

    hosts: dict[str, LoadAnswer] = Field(description="each host's load, by its name")


class CaptchaAnswer(Answer):
    """What is known of a target's captcha."""

    visits: int = Field(description="how many visits its baseline is made of")
    is_learning: bool = Field(description="whether these are too few to tell a change")
    changes: int = Field(description="how many times it was found to have changed")
    changed_at: Time | None = Field(description="when last; null where it never has")
    signals: list[Literal["size", "confidence", "verified"]] = Field(description="what the last change was seen by")


class FillClosureAnswer(Answer):
    """A target where no form is filled until an operator reopens it."""

    closed_at: Time = Field(description="since when")


class StatsAnswer(Answer):
    """Figures of the whole fleet, counted since its first start unless they say otherwise."""

    active_workers: int = Field(description="number of workers that are up or draining")
    pending_tasks: int = Field(description="number of tasks that wait now")
    processing_tasks: int = Field(description="number of tasks that are being solved now")
    completed_tasks: int = Field(description="number of tasks that were completed")
    failed_tasks: int = Field(description="number of tasks that failed")
    cancelled_tasks: int = Field(description="number of tasks that were cancelled")
    submitted_tasks: int = Field(description="number of tasks that were stored")
    retried_tasks: int = Field(description="number of attempts after a failed one")
    lost_workers: int = Field(description="number of times that a worker with tasks was lost")
    dead_letters: int = Field(description="number of dead letters that are kept now")
    average_processing_time: float = Field(
        description="mean seconds from the first attempt to completion, over the last hour; 0 where none was completed"
    )
    completed_last_hour: int = Field(description="number of tasks completed within the last hour")
    failed_last_hour: int = Field(description="number of tasks failed within the last hour")
    slots: int = Field(description="number of tasks that all workers can solve at once")
    busy_slots: int = Field(description="number of slots in use now")
    system_load: SystemLoadAnswer = Field(
        description="the mean over all hosts, 0 where none has reported, and each host's"
    )
    hosts: dict[str, LoadAnswer] = Field(description="each host's load, by its name")
    captchas: dict[str, CaptchaAnswer] = Field(description="by target, for each that was visited")
    fill_closures: dict[str, FillClosureAnswer] = Field(description="by target, for each where no form is filled")


class WorkerAnswer(Answer):
    """One worker; a figure that it has not reported is null."""

    name: str = Field(description="as logs and tasks name it")
    host: str = Field(description="the machine it runs on")
    state: Literal["up", "draining", "lost"] = Field(description="lost: not heard of for a lease")
    slots: int | None = Field(description="number of tasks it can solve at once")
    busy: int | None = Field(description="number of slots in use now")
    heartbeat_age_seconds: float = Field(description="seconds since it was last heard of")
    browser_version: str | None = Field(description="of its browser")
    pages_served: int | None = Field(description="number of pages that its browsers have opened")
    rss_bytes: int | None = Field(description="bytes of memory that its browsers hold")
    recycled: int | None = Field(description="number of browsers it has replaced as planned")
    tasks_done: int | None = Field(description="number of attempts that ended with an answer")
    tasks_failed: int | None = Field(description="number of attempts that failed")
    address: str = Field(description="where its own probes and metrics are, as HOST:PORT")
    pid: int = Field(description="number of its process on its host")
    version: str = Field(description="its release of captchad")
    details: dict[str, Any] = Field(description="every figure that it reports about itself, by name")


class WorkerList(Answer):
    """Every worker of the fleet."""

    workers: list[WorkerAnswer] = Field(description="those that are lost among them, until they are forgotten")


class TargetQueueAnswer(Answer):
    """Open tasks of one target."""

    pending: int = Field(description="number of tasks that wait")
    processing: int = Field(description="number of tasks that are being solved")
    deferred: int = Field(description="number of tasks among those pending that wait for the target's limits")


class CallbacksAnswer(Answer):
    """Callbacks of ended tasks."""

    waiting: int = Field(description="number of callbacks that wait to be sent")
    oldest_age_seconds: float | None = Field(description="seconds that the oldest has waited; null where none does")
    dead: int = Field(description="number of callbacks that were given up, and are kept")


class QueueAnswer(Answer):
    """What waits."""

    depth: dict[str, int] = Field(
        description="number of tasks by queue; `recovered` holds those of lost workers, which go first"
    )
    oldest_age_seconds: dict[str, float | None] = Field(
        description="seconds that the oldest task of each queue has waited; null where there is none"
    )
    pending: int = Field(description="number of tasks that wait, in a queue or for their time")
    processing: int = Field(description="number of tasks that are being solved")
    delayed: int = Field(description="number of tasks that wait for their next attempt, or for their target's limits")
    dead: int = Field(description="number of dead letters that are kept")
    dead_bytes: int = Field(description="bytes that the dead letters take")
    queued_bytes: int = Field(description="bytes that the open tasks take")
    callbacks: CallbacksAnswer = Field(description="what is still to be told to callers")
    per_target: dict[str, TargetQueueAnswer] = Field(description="open tasks by target")


class ReopenedTarget(Answer):
    """A target whose pages may be opened and whose forms may be filled again."""

    host: str = Field(description="as the configuration declares it")
    was_closed: bool = Field(description="whether the site had asked to be left alone")
    closed_seconds: float = Field(description="seconds for which it would still have been closed")
    waiting_tasks: int = Field(description="number of tasks that waited for it, and go on")
    was_fill_closed: bool = Field(description="whether its forms had been closed for too many rejections")
