"""Finds the Chromium to run and the flags it runs with."""

import os
import shutil
from pathlib import Path

from captchad.domain.errors import DependencyMissing
from captchad.domain.ports import LOOPBACK_HOST

# The headless shell first: it opens pages about three times as fast as a full Chromium (docs/performance.md).
PATH_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
HOW_TO_INSTALL = (
    "install it with `playwright install --with-deps chromium-headless-shell` or "
    "`apt-get install chromium-headless-shell libatomic1`, or name one in browser.executable"
)
QUIET_FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--disable-quic",
    "--dns-prefetch-disable",
    "--no-first-run",
    "--no-pings",
)
"""Keeps Chromium from calling home: it does so by itself otherwise, outside any page."""

_DRIVER_DISABLES = (
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
)
"""What Playwright itself disables: Chromium takes only the last of several lists, so ours must repeat these."""

_DISABLED_FEATURES = (
    *_DRIVER_DISABLES,
    # With it a page gets a new frame host, and the driver new execution contexts, at every navigation within a site;
    # docs/performance.md says what that costs.
    "RenderDocument",
    # With it WebRTC asks the whole network for the `.local` names of a page, by multicast.
    "WebRtcHideLocalIpsWithMdns",
)

FEATURES_FLAG = f"--disable-features={','.join(_DISABLED_FEATURES)}"
"""Not --disable-threaded-compositing: no frame is drawn with it, so animation callbacks never run and clicks hang."""

FLOODING_FLAG = "--disable-ipc-flooding-protection"
"""What the driver adds and must not: with it a page can change its address thousands of times a second."""

# WebRTC sends UDP past any HTTP proxy otherwise.
WEBRTC_FLAG = "--force-webrtc-ip-handling-policy=disable_non_proxied_udp"


def egress_flags(proxy_host: str) -> tuple[str, ...]:
    """Return the flags that leave the proxy as the only way out: loopback included, no direct UDP, no DNS lookups."""
    return (
        "--proxy-bypass-list=<-loopback>",
        WEBRTC_FLAG,
        f"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE {proxy_host}",
    )


def trust_flag(key_hash: str) -> str:
    """Return the flag that makes a browser accept the filtering proxy's own certificate, known by its key alone."""
    return f"--ignore-certificate-errors-spki-list={key_hash}"


EGRESS_FLAGS = egress_flags(LOOPBACK_HOST)
# Port 9 (discard): nothing listens there.
NOWHERE_URL = f"http://{LOOPBACK_HOST}:9"
NOWHERE_FLAG = f"--proxy-server={NOWHERE_URL}"
"""For a browser whose contexts name the proxy: requests outside our contexts lead nowhere."""


def find_executable(configured: str | None, downloaded: str) -> str:
    """Return the Chromium to run: the configured one, Playwright's own download, or one on PATH.

    `downloaded` is where Playwright would have put its own. DependencyMissing says how to get one.
    """
    if configured is not None:
        found = shutil.which(configured)
        if found is None:
            raise DependencyMissing(f"browser.executable is {configured!r}, which is no program on this machine")
        return found
    beside = _find_headless_shell(Path(downloaded))
    if beside is not None:
        return str(beside)
    for name in PATH_NAMES:
        found = shutil.which(name)
        if found is not None:
            return found
    raise DependencyMissing(f"no Chromium was found; {HOW_TO_INSTALL}")


def _find_headless_shell(downloaded: Path) -> Path | None:
    """Prefer the headless shell to the full browser; both lie side by side in the same download."""
    browsers_folder = next(
        (parent.parent for parent in downloaded.parents if parent.name.startswith("chromium-")), None
    )
    if browsers_folder is not None:
        revision = next(parent.name for parent in downloaded.parents if parent.name.startswith("chromium-"))
        shell_folder = browsers_folder / revision.replace("chromium-", "chromium_headless_shell-")
        for name in ("headless_shell", "chrome-headless-shell"):
            found = next(iter(sorted(shell_folder.glob(f"*/{name}"))), None)
            if found is not None and os.access(found, os.X_OK):
                return found
    return downloaded if downloaded.is_file() else None
