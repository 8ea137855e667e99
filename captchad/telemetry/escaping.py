"""Escapes untrusted text for logs and metrics."""


def repair_surrogates(text: str) -> str:
    """Write lone surrogates, which no UTF-8 can carry, as visible escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def escape_label_value(text: str) -> str:
    """Return the text escaped for a Prometheus label value."""
    return repair_surrogates(text).replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def escape_help(text: str) -> str:
    """Return the text escaped for a Prometheus HELP line."""
    return text.replace("\\", "\\\\").replace("\n", "\\n")
