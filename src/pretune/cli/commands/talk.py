"""The command that talks with a model: chat. Heavy imports wait until it runs."""

from pretune.cli import arguments as a
from pretune.cli.signature import Flags, takes_flags
from pretune.errors import UsageError


@takes_flags
def chat(model: a.Asked, flags: Flags) -> int:
    """Talk with a chat model, in the terminal or on a page.

    MODEL is a run on conversations, a folder with a Llama-like model, a catalogue name such as smollm2, or a hub id.
    Questions are typed, or the lines of standard input. --web serves a page on this machine, and POST /v1/chat/completions as
    OpenAI has it.
    """
    from pretune.tasks.places import require_talker

    if flags["web"] and flags["json"]:
        raise UsageError("--web and --json were both given", expected="one of them")
    require_talker(model)
    from pretune.cli.chatting import talk, wishes_of
    from pretune.tasks.converse.speaker import open_speaker
    from pretune.train import choose_device

    wishes = wishes_of(flags)
    choose_device("cpu", threads=flags["threads"])
    if flags["web"]:
        from pretune.cli.serving import serve_page

        return serve_page(model, wishes, flags)
    return talk(open_speaker(model, wishes), flags["system"], json=flags["json"], quiet=flags["quiet"])
