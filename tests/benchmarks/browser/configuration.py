"""The browser's configuration in every measurement of captchad, which is also the one whose isolation is tested."""

from typing import Any

from captchad.config.settings import BrowserSection

REUSE_MODES = ("same_target", "never")


def browser_settings(reuse: str, executable: str) -> dict[str, Any]:
    """Return the section `browser` as it stands in a configuration file: everything else is as captchad comes."""
    return {"reuse": reuse, "executable": executable}


def browser_section(reuse: str, executable: str) -> BrowserSection:
    """Return the same as loaded."""
    return BrowserSection.model_validate(browser_settings(reuse, executable))
