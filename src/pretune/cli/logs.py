"""``--log``: the loggers of a command. Heavy imports wait until there is one."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pretune.configs import Config
    from pretune.production.log import Logs
    from pretune.run import RunFolder


def require_logs(flags: Mapping[str, Any]) -> None:
    """Refuse a logger that does not exist or is not installed, before anything is read.

    Raises:
        UsageError: There is no such logger.
        MissingPackageError: Its package is not installed.
    """
    if flags["log"]:
        from pretune.production.log import require_loggers

        require_loggers(flags["log"])


def open_logs(flags: Mapping[str, Any], folder: "RunFolder", config: "Config", inputs: Mapping[str, str]) -> "Logs":
    """Return the logs of a run that a command makes, which continue those of the run that it resumes.

    Args:
        flags: Of the command.
        folder: The run's, as it was claimed.
        config: Every setting.
        inputs: What ``inputs_of`` returned: the command, the data and what they hold.
    """
    from pretune.production.log import open_logs as begin, require_loggers

    is_resumed = folder.is_begun and not folder.is_to_be_replaced and not folder.continue_changed
    about = {name: value for name, value in inputs.items() if name in ("command", "data") or name.startswith("contents of")}
    return begin(require_loggers(flags["log"]), folder, about | config.to_json(), is_resumed=is_resumed)


def reopen_logs(flags: Mapping[str, Any], folder: "RunFolder", config: Mapping[str, Any]) -> "Logs":
    """Return the logs of a run that is trained and is judged now: those that its training began are continued."""
    from pretune.production.log import open_logs as begin, require_loggers

    return begin(require_loggers(flags["log"]), folder, dict(config), is_resumed=True)
