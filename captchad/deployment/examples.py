"""The example files that travel with captchad: what each is called, and what it is for."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent / "files" / "config"


@dataclass(frozen=True, slots=True)
class Example:
    """One example: its file under config/, and its purpose in a few words."""

    file: str
    purpose: str

    def read(self) -> str:
        """Return the file's text."""
        return (_FOLDER / self.file).read_text(encoding="utf-8")


EXAMPLES: Mapping[str, Example] = {
    "distributed": Example("distributed.example.json", "every setting of captchad with its default"),
    "development": Example("development.example.json", "a commented start for one machine"),
    "production": Example("production.example.json", "a commented start for production: keys, Redis by TLS, a target"),
    "redis": Example("redis.conf.example", "a Redis that other hosts reach by TLS, with users of their own"),
    "redis-acl": Example("redis.acl", "the rights that captchad needs in Redis"),
    "sentinel": Example("sentinel.conf.example", "a Sentinel, for a Redis with replicas"),
    "nginx": Example("nginx.conf.example", "nginx with TLS before gateway and monitor"),
    "prometheus": Example("prometheus.yml", "Prometheus: what to scrape"),
    "alerts": Example("alerts.yml", "Prometheus: the alert rules"),
    "alertmanager": Example("alertmanager.yml", "Alertmanager: who hears of which alert"),
    "grafana": Example("grafana/captchad.json", "Grafana: a dashboard of the fleet"),
    "containerfile": Example("containers/Containerfile", "an image with all roles, for podman or docker"),
    "compose": Example("containers/compose.yml", "all roles and Redis as containers"),
    "containers-env": Example("containers/captchad.env.example", "the secrets of compose.yml: captchad.env"),
}
