"""What the helpers of tests raise, beside the client's errors."""

from captchad.domain.errors import CaptchadError


class CaptchaNotFilled(CaptchadError):
    """The page took none of the answers, or does not behave as the helper was told."""

    code = "captcha_not_filled"


class FleetNotStarted(CaptchadError):
    """The session's private fleet did not come up; the message has its own words."""

    code = "fleet_not_started"
