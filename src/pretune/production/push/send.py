"""Sending: one commit through the hub's own package, to a repository that is private unless the user says otherwise."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pretune.errors import HubError, UsageError, require
from pretune.models.names import reaches_hub
from pretune.production.push.contents import Item

REJECTED, FORBIDDEN = 401, 403


def check_repository(name: str) -> None:
    """Refuse a name that no repository can have, and a hub that cannot be asked.

    Raises:
        UsageError: It is none.
        HubError: The hub is switched off, or cannot be reached.
    """
    utils = require("huggingface_hub.utils", extra="hub")
    try:
        utils.validate_repo_id(name)
    except ValueError as error:
        raise UsageError(f"REPO is {name!r:.120}: {error}", expected="a name on the hub, such as my-team/reviews") from error
    if name.count("/") != 1:
        raise UsageError(f"REPO is {name!r:.120}", expected="an owner and a name, such as my-team/reviews")


def check_reach() -> None:
    """Refuse to begin where the hub cannot be asked.

    Raises:
        HubError: It is switched off, or cannot be reached.
    """
    from huggingface_hub import constants

    if not reaches_hub():
        why = "HF_HUB_OFFLINE is set" if constants.HF_HUB_OFFLINE else "its address is not known here"
        raise HubError(f"{constants.ENDPOINT} cannot be reached: {why}", expected="a network that reaches the hub")


def endpoint() -> str:
    """Return the address of the hub, as ``HF_ENDPOINT`` sets it."""
    from huggingface_hub import constants

    return str(constants.ENDPOINT)


def send(items: Sequence[Item], name: str, *, is_public: bool, message: str, is_quiet: bool = False) -> dict[str, Any]:
    """Send files as one commit; the repository is made where there is none.

    Args:
        items: The files.
        name: Of the repository.
        is_public: Whether all may read it; otherwise a public one is refused.
        message: Of the commit.
        is_quiet: Whether no progress is shown.

    Returns:
        The address of the repository, and the id of the commit.

    Raises:
        UsageError: The repository is public, and that was not asked for.
        HubError: The hub refused, or the connection broke; nothing is there in part.
    """
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.utils import disable_progress_bars

    if is_quiet:
        disable_progress_bars()
    api = HfApi(library_name="pretune")
    with _told(name):
        place = api.create_repo(name, private=not is_public, exist_ok=True)
        is_open = not api.repo_info(name).private
    if is_open and not is_public:
        raise UsageError(
            f"{name} is a public repository", expected="a private one", fix="name another, or pass --public to send to it"
        )
    operations = [CommitOperationAdd(path_in_repo=item.name, path_or_fileobj=_source(item)) for item in items]
    with _told(name):
        commit = api.create_commit(name, operations, commit_message=message)
    return {"url": str(place), "commit": commit.oid, "private": not is_open}


def _source(item: Item) -> bytes | Path:
    return item.content if item.file is None else item.file


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Say in one message what the hub or the connection answered."""
    from huggingface_hub import errors

    try:
        yield
    except (OSError, ValueError, RuntimeError, errors.HTTPError) as error:  # of httpx, whatever it is called
        found = error.__cause__ if isinstance(error, RuntimeError) and error.__cause__ is not None else error  # of one upload
        status = getattr(getattr(found, "response", None), "status_code", None)
        said = " ".join(str(getattr(found, "server_message", None) or found).split())[:300]
        fix = ""
        if status in (REJECTED, FORBIDDEN) or "token" in said.lower():
            fix = "log in with `hf auth login`, or set HF_TOKEN to a token that may write there"
        raise HubError(
            f"{endpoint()} did not take {name}: {said}",
            expected="a hub that accepts the files; nothing was sent in part",
            fix=fix,
        ) from error
