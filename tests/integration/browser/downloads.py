"""Files that browsers have put on the disk."""

import tempfile
from pathlib import Path

from captchad.browser.launch.profile_folder import PREFIX


def list_downloads() -> list[Path]:
    """Return what any browser of this run has downloaded."""
    folders = Path(tempfile.gettempdir()).glob(f"{PREFIX}*")
    return [found for folder in folders for found in folder.rglob("*artifacts*/*")]
