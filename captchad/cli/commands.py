"""The table of commands: what each is called, where it lives, its line in the help, and the extra it needs.

Nothing but this table is read for `captchad --help`; a command's module is imported when it is asked for.
"""

from dataclasses import dataclass

from captchad.runtime.extras import Extra


@dataclass(frozen=True, slots=True)
class Command:
    """One entry: `location` is MODULE:ATTRIBUTE of a click command, `needs` an extra and what it is needed for."""

    location: str
    help: str
    needs: tuple[Extra, str] | None = None


_REDIS = (Extra.SERVER, "reaching Redis")
_MACHINE = (Extra.SERVER, "checking this machine")
_DEPLOYING = (Extra.SERVER, "running services")
_READING = (Extra.WORKER, "reading pictures")
_ROLES = (Extra.WORKER, "running all roles")
_DEMO = (Extra.DEMO, "the demo")
_LABELS = (Extra.SERVER, "keeping labels")
_BACKUP = (Extra.SERVER, "backups")
_TRAINING = (Extra.TRAIN, "training a model")

COMMANDS: dict[str, Command] = {
    "up": Command("captchad.cli.up:up", "Run all roles on this machine until Ctrl-C.", _ROLES),
    "demo": Command(
        "captchad.cli.demo:demo", "Solve the bundled sample site's captchas once and show the results.", _DEMO
    ),
    "submit": Command("captchad.cli.tasks:submit", "Submit a page or a picture."),
    "status": Command("captchad.cli.tasks:status", "Show a task, or without an id this host's services."),
    "cancel": Command("captchad.cli.tasks:cancel", "Cancel a task."),
    "stats": Command("captchad.cli.fleet:stats", "Show totals and the load of the hosts."),
    "workers": Command("captchad.cli.fleet:workers", "Show every worker."),
    "queue": Command("captchad.cli.fleet:queue", "Show depth and age of the queues."),
    "health": Command(
        "captchad.cli.health:health", "Check every role and dependency; exit 1 if any is not well.", _REDIS
    ),
    "doctor": Command(
        "captchad.cli.doctor.command:doctor", "Check this machine, and say how to fix what is wrong.", _MACHINE
    ),
    "config": Command("captchad.cli.configuration:config", "Check, show, compare or begin the configuration."),
    "targets": Command("captchad.cli.targets:targets", "Show, prove, narrow and reopen what is in scope."),
    "pause": Command("captchad.cli.target_limits:pause", "Begin no more tasks of a target.", _REDIS),
    "resume": Command("captchad.cli.target_limits:resume", "Begin a paused target's tasks again.", _REDIS),
    "keys": Command("captchad.cli.keys:keys", "Create, rotate, list and revoke API keys.", _REDIS),
    "recognise": Command("captchad.cli.recognise:recognise", "Read pictures locally, without a server.", _READING),
    "train": Command("captchad.cli.train:train", "Fine-tune a model on the labelled pictures of one site.", _TRAINING),
    "learn": Command("captchad.cli.learn:learn", "Teach a target's model with its own labels.", _REDIS),
    "evaluate": Command(
        "captchad.cli.evaluate:evaluate", "Measure how well a folder of labelled pictures is read.", _READING
    ),
    "labels": Command(
        "captchad.cli.label_commands:labels", "Show, export, import, review and delete labelled pictures.", _LABELS
    ),
    "audit-log": Command("captchad.cli.audit_log:audit_log", "Show who did what, check it, or export it.", _REDIS),
    "backup": Command("captchad.cli.backup:backup", "Make a backup, list them, or check one.", _BACKUP),
    "restore": Command("captchad.cli.restore:restore", "Put a backup back.", _BACKUP),
    "deploy": Command("captchad.cli.deploy:deploy", "Run captchad on this host as units of systemd.", _DEPLOYING),
    "undeploy": Command("captchad.cli.deploy:undeploy", "Take captchad off this host.", _DEPLOYING),
    "upgrade": Command("captchad.cli.upgrade:upgrade", "Replace this host's captchad by another release.", _DEPLOYING),
    "start": Command("captchad.cli.host_services:start", "Start this host's services, or one of them.", _DEPLOYING),
    "stop": Command("captchad.cli.host_services:stop", "Stop this host's services, or one of them.", _DEPLOYING),
    "restart": Command("captchad.cli.host_services:restart", "Restart them, or one of them.", _DEPLOYING),
    "scale": Command("captchad.cli.deploy:scale", "Set the number of workers or browser nodes.", _DEPLOYING),
    "logs": Command("captchad.cli.logs:logs", "Show the services' logs.", _DEPLOYING),
    "monitor": Command("captchad.cli.monitor_page:monitor", "Open or print the address of the monitor's page."),
    "version": Command("captchad.cli.version:version", "Show the versions of captchad here."),
    "dead": Command("captchad.cli.dead:dead", "List, show and replay tasks that failed for good.", _REDIS),
    "callbacks": Command(
        "captchad.cli.callbacks:callbacks", "List, show and send again callbacks that were given up.", _REDIS
    ),
}
