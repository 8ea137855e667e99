"""The rule on where a role may listen."""

from captchad.config.sections import Configuration
from captchad.config.start_rules import check_start_rules
from captchad.domain.errors import ConfigurationError
from captchad.domain.node import Role


def check_bind(host: str, configuration: Configuration, role: Role) -> None:
    """Refuse to serve off loopback or in production without API keys; the ConfigurationError says how to fix it."""
    problems = check_start_rules(configuration, role, host)
    if problems:
        raise ConfigurationError(problems)
