"""Every Redis key: its type, its life and who writes it. No other file spells a key.

Keys of one partition share the hash tag `{pNN}`, so that a script works on one node of a cluster.

Per partition (PREFIX = `captchad:{pNN}`)
    PREFIX:queue:recovered|high|normal|low   stream   entry: field `id`; submit, promote, reclaim write; finish deletes
    PREFIX:task:ID                hash      the record; submit makes it, every script changes it; expires
                                            redis.task_result_ttl after its end
    PREFIX:open                   zset      id -> deadline (ms) of every task that has not ended; +inf once its end is
                                            written, until `confirm` has made it final
    PREFIX:delayed                zset      id -> due time (ms) of tasks that wait for their retry
    PREFIX:deferred:QUEUE         zset      id -> rank (priority, then age) of tasks deferred by their target's limits;
                                            QUEUE is a target, or `TARGET pictures`
    PREFIX:deferred               zset      QUEUE -> when its next task is released (ms); settle, promote write
    PREFIX:deferred_paces         hash      QUEUE -> ms between releases
    PREFIX:deferred_reasons       hash      QUEUE -> the limit it waits for; the three go when the queue is empty
    PREFIX:free_slots             hash      consumer -> `until slots`: free slots of a worker that waits for tasks, and
                                            until when (ms) that is believed; take writes; expires with the last
    PREFIX:recent                 zset      id -> created (ms), for listing; pruned with the records
    PREFIX:dead                   zset      id -> time of death (ms); bounded by number and bytes, pruned
    PREFIX:dead:ID                hash      a dead letter: the record as it ended, with its picture, without its session
    PREFIX:evidence               zset      `id bytes` -> when it expires (ms); settle writes, settle and prune drop
    PREFIX:evidence:ID            hash      picture and screenshot of a task that asked for evidence; settle writes;
                                            expires with the record, or makes room for newer ones before
    PREFIX:answers                zset      `id bytes` -> when it expires (ms); like PREFIX:evidence
    PREFIX:answers:ID             hash      the picture of an answer that its caller may still report on, its target and
                                            number; only where labels are collected; settle writes; expires likewise
    PREFIX:labels                 stream    labels on their way to the learner: bytes, id, host, text, verdict, origin,
                                            task_id, who, at_ms, picture; settle, report write; forget_labels, called
                                            by the learner, deletes; bounded by bytes, the oldest is dropped
    PREFIX:callbacks              zset      id -> when its task ended (ms), +inf until then; submit writes,
                                            settle_callback drops
    PREFIX:callbacks:ID           hash      a callback: host, URL, tries, and once the task has ended since_ms and what
                                            is sent of its record; gateway.callback_limit bounds those of each host
    PREFIX:callbacks_due:HOST     zset      id -> when it is tried next (ms), a lease ahead while it is being tried;
                                            submit, the end of a task, claim_callbacks, settle_callback write
    PREFIX:callback_hosts         zset      HOST -> 0, of hosts that have such a queue; claim_callbacks drops the others
    PREFIX:dead_callbacks         zset      id -> when it was given up (ms); bounded like PREFIX:dead, pruned
    PREFIX:dead_callbacks:ID      hash      a callback that was given up; replay_callback takes it back
    PREFIX:counters               hash      totals since the first start, queued_bytes, dead_bytes, evidence_bytes,
                                            answer_bytes, label_bytes, dead_callback_bytes, and for each host that
                                            callbacks wait for callbacks:HOST and callback_bytes:HOST
    PREFIX:history:MINUTE         hash      what ended in that minute; expires after two hours
    PREFIX:idempotency:DIGEST     string    `id body-digest`; lives as long as the record
    PREFIX:acknowledged           string    1; written after each script that replicas must acknowledge, also where the
                                            script itself has nothing to write; expires after a day
    PREFIX:events                 channel   one JSON message for each change of a task; in a database other than 0 its
                                            number follows, `:DB`, for channels belong to the server and not to one

Across the fleet
    captchad:{fleet}:nodes        hash      consumer -> NodeReport as JSON; every role writes its own
    captchad:{fleet}:alive        zset      consumer -> last heartbeat (ms)
    captchad:{fleet}:leader       string    consumer of the active scheduler; expires with its lease
    captchad:{fleet}:counters     hash      totals that belong to no partition; the scheduler writes
    captchad:{fleet}:lost         zset      consumer -> when it was counted as lost (ms); for an hour
    captchad:{fleet}:epoch        string    random; another one, or none: all was deleted; every role writes
    captchad:{fleet}:restoring    string    since when (ms) a backup is being restored; a restore writes and deletes it
    captchad:{fleet}:restore_lock string    random, the restore that is at work; expires soon after it was killed
    captchad:{fleet}:keys         set       ids of all API keys
    captchad:{fleet}:captcha_observations  stream   entry: field `seen` (JSON): what a visit showed of its target's
                                            captcha; workers add, bounded; the active scheduler folds in and deletes
    captchad:{fleet}:captcha_states   hash  HOST -> how its captcha is watched (JSON); HOST as the worker declares it
    captchad:{fleet}:captchas_seen    zset  HOST -> last visit (ms); the three forget a target that nobody visits
    captchad:{fleet}:captcha_changes  hash  HOST -> when its captcha was last found to have changed (ms)
    captchad:{fleet}:audit_log    stream   entry: fields `n`, `at_ms`, `act` (JSON), `link` (its hash); audit_append
                                            writes and trims, by number and age
    captchad:{fleet}:audit_chain  hash     the last entry (`sequence`, `link`), the last that was trimmed (`anchor_…`),
                                            `name`; audit_append writes; never expires
    captchad:{fleet}:proof        hash      the installation: `token` (what its proofs hold), `made_ms`, `stood` (1: it
                                            had had tasks before) and, once its targets of that time have a record each,
                                            `listed_ms`; proof_token, the scheduler write; never expires
    captchad:{fleet}:events       channel   changes of nodes and targets; with `:DB` like a partition's
    captchad:{key:ID}             hash      one API key: name, digest, scopes, targets, limits; when it was created,
                                            last used and revoked, and expires; its former digest, and until when that
                                            is valid
    captchad:{key:ID}:quota       hash      `day` (since 1970, UTC) and `used`: the tasks of one API key on that day;
                                            expires with the day
    captchad:{target:HOST}:visits  zset     holder -> begun (ms), of the last minute; HOST as the worker declares it
    captchad:{target:HOST}:holders zset     holder -> end of its lease (ms), of pages open now; expires with the last
    captchad:{target:HOST}:closed  string   the site asked to be left alone; expires when it may be visited again
    captchad:{target:HOST}:rejections  zset attempt, or fingerprint of what it typed -> when the site rejected it (ms),
                                            of the last hour; in the future: until when an answer on its way has room;
                                            expires
    captchad:{target:HOST}:fill_closed  string  since when (ms) no form is filled there; never expires, an operator
                                            deletes it
    captchad:{target:HOST}:model   hash     its learned models: digests `present` and `former` (empty: the packaged
                                            one), `at_ms`; install_model, roll_back_model write; never expires
    captchad:{target:HOST}:model:DIGEST  string  a learned model's file, bounded; install_model writes; never expires
                                            while it is present or former, and within the hour once it is neither
    captchad:{target:HOST}:proof   hash     whether the host is the operator's: first_seen_ms, stood, proven_ms, way,
                                            lapsed_ms, checked_ms, finding; change_target writes; never expires
    captchad:{target:HOST}:narrowing  hash  what an operator has narrowed: expires (a date), max_per_minute,
                                            max_concurrent, paused_ms; change_target writes; never expires
    captchad:{target:HOST}:waiting zset     partition -> since when (ms) it waits for a page's slot; expires
    captchad:{rate:NAME}          string    theoretical arrival time (ms) of a caller's next request; expires
"""

from captchad.domain.task import Priority

NAMESPACE = "captchad"
RECOVERED = "recovered"

FLEET = f"{NAMESPACE}:{{fleet}}"
NODES = f"{FLEET}:nodes"
ALIVE = f"{FLEET}:alive"
LEADER = f"{FLEET}:leader"
API_KEYS = f"{FLEET}:keys"
COUNTERS = f"{FLEET}:counters"
LOST_WORKERS = f"{FLEET}:lost"
EPOCH = f"{FLEET}:epoch"
RESTORING = f"{FLEET}:restoring"
RESTORE_LOCK = f"{FLEET}:restore_lock"
CAPTCHA_OBSERVATIONS = f"{FLEET}:captcha_observations"
CAPTCHA_STATES = f"{FLEET}:captcha_states"
CAPTCHAS_SEEN = f"{FLEET}:captchas_seen"
CAPTCHA_CHANGES = f"{FLEET}:captcha_changes"
AUDIT_LOG = f"{FLEET}:audit_log"
AUDIT_CHAIN = f"{FLEET}:audit_chain"
PROOF = f"{FLEET}:proof"
CONTACT = f"{FLEET}:contact"
RIGHTS = f"{FLEET}:rights"
"""Neither is ever left behind: they are for scripts that only ask whether a write would be taken."""


class PartitionKeys:
    """All keys of one partition, and their order as the scripts expect them in KEYS."""

    def __init__(self, partition: int, database: int = 0) -> None:
        self.partition = partition
        self.prefix = f"{NAMESPACE}:{{p{partition:02x}}}"
        self.streams = tuple(f"{self.prefix}:queue:{name}" for name in (RECOVERED, *Priority))
        self.open = f"{self.prefix}:open"
        self.delayed = f"{self.prefix}:delayed"
        self.labels = f"{self.prefix}:labels"
        self.recent = f"{self.prefix}:recent"
        self.dead = f"{self.prefix}:dead"
        self.counters = f"{self.prefix}:counters"
        self.dead_callbacks = f"{self.prefix}:dead_callbacks"
        self.acknowledged = f"{self.prefix}:acknowledged"
        self.events = _name_channel(self.prefix, database)

    @property
    def for_scripts(self) -> tuple[str, ...]:
        """KEYS of every partition script.

        1-4 streams, 5 open, 6 delayed, 7 recent, 8 dead, 9 counters, 10 prefix, 11 events (a channel).
        """
        return (*self.streams, self.open, self.delayed, self.recent, self.dead, self.counters, self.prefix, self.events)

    def task(self, task_id: str) -> str:
        """Return the key of a task's record."""
        return f"{self.prefix}:task:{task_id}"

    def dead_letter(self, task_id: str) -> str:
        """Return the key of a dead letter."""
        return f"{self.prefix}:dead:{task_id}"

    def evidence(self, task_id: str) -> str:
        """Return the key of a task's evidence."""
        return f"{self.prefix}:evidence:{task_id}"

    def dead_callback(self, task_id: str) -> str:
        """Return the key of a callback that was given up."""
        return f"{self.dead_callbacks}:{task_id}"

    def history(self, minute: int) -> str:
        """Return the key of one minute's figures; `minute` counts since 1970."""
        return f"{self.prefix}:history:{minute}"

    def idempotency(self, digest: str) -> str:
        """Return the key that remembers an Idempotency-Key."""
        return f"{self.prefix}:idempotency:{digest}"


def node_events(database: int) -> str:
    """Return the channel of changes of nodes, of one database of a server."""
    return _name_channel(FLEET, database)


def _name_channel(prefix: str, database: int) -> str:
    return f"{prefix}:events:{database}" if database else f"{prefix}:events"


def api_key(key_id: str) -> str:
    """Return the key of one API key's record."""
    return f"{NAMESPACE}:{{key:{key_id}}}"


def key_quota(key_id: str) -> str:
    """Return the key that counts the tasks of one API key's day."""
    return f"{api_key(key_id)}:quota"


class TargetKeys:
    """All keys of one target: of its limits and proof, and of its models (`models` is the prefix of their digests)."""

    def __init__(self, host: str) -> None:
        prefix = f"{NAMESPACE}:{{target:{host}}}"
        self.visits = f"{prefix}:visits"
        self.holders = f"{prefix}:holders"
        self.closed = f"{prefix}:closed"
        self.waiting = f"{prefix}:waiting"
        self.rejections = f"{prefix}:rejections"
        self.fill_closed = f"{prefix}:fill_closed"
        self.model = f"{prefix}:model"
        self.models = f"{prefix}:model:"
        self.proof = f"{prefix}:proof"
        self.narrowing = f"{prefix}:narrowing"


def rate(name: str) -> str:
    """Return the key of one caller's rate limit."""
    return f"{NAMESPACE}:{{rate:{name}}}"
