"""Tokens in words: what the markers inside a token mean, and how it is shown to people."""

from collections.abc import Sequence

# Signs that a tokenizer adds to a token; the text itself has none of them.
SPACE_BEFORE = ("Ġ", "▁")  # of byte-level BPE, and of SentencePiece
CONTINUES = "##"  # of WordPiece
LINE_END, TAB = "Ċ", "ĉ"
# Kind of a vocabulary → a token of its making.
EXAMPLES = {"wordpiece": "##ing", "bpe": "Ġthe", "unigram": "▁the"}

TOKENS_OF = ("tokenize", "train tokenizer")  # the stages whose example is tokens

SPACE, JOINED = "␣", "…"
LEGEND = {SPACE: "a space comes before it", JOINED: "continues the word before it", "⏎": "a line ends", "⇥": "a tab"}


def explain_token(token: str) -> str:
    """Say what the marker of a token means; nothing where it has none.

    Example:
        >>> explain_token("##ing"), explain_token("Ġthe"), explain_token("the")
        ('continues the word before it', 'a space comes before it', '')
    """
    if token.startswith(CONTINUES) and len(token) > len(CONTINUES):
        return LEGEND[JOINED]
    return LEGEND[SPACE] if token.startswith(SPACE_BEFORE) else ""


def show_token(token: str, *, is_bytewise: bool = False) -> str:
    """Write a token as people read it: its marker as a sign of its own, its bytes as letters.

    Args:
        token: As the vocabulary has it.
        is_bytewise: Whether its letters stand for bytes, as in byte-level BPE.

    Example:
        >>> show_token("##ing"), show_token("▁the"), show_token("Ġfür", is_bytewise=True), show_token("ĠfÃ¼r", is_bytewise=True)
        ('…ing', '␣the', '␣für', '␣für')
    """
    if explain_token(token) == LEGEND[JOINED]:
        return JOINED + token.removeprefix(CONTINUES)
    if is_bytewise:
        token = _read_bytes(token)
    return token.replace("Ġ", SPACE).replace("▁", SPACE).replace(LINE_END, "⏎").replace(TAB, "⇥")


def show_tokens(tokens: Sequence[str]) -> tuple[str, ...]:
    """Write the tokens of one text; they are bytewise where one of them begins as only such tokens do."""
    is_bytewise = any(token.lstrip("[").startswith((SPACE_BEFORE[0], LINE_END)) for token in tokens)
    return tuple(show_token(token, is_bytewise=is_bytewise) for token in tokens)


def show_example(stage: str, example: str) -> str:
    """Write the example of a stage of the trace; that of ``tokenize`` is tokens, with their ids or in brackets.

    Example:
        >>> show_example("tokenize", "[CLS]=0 wit=181 ##ty=55"), show_example("read", "C## is a language")
        ('[CLS]=0 wit=181 …ty=55', 'C## is a language')
        >>> show_example("tokenize", "assistant Ċ [grand] [Ġpiano]")
        'assistant ⏎ [grand] [␣piano]'
    """
    return show_pieces(example) if stage in TOKENS_OF else example


def show_pieces(text: str) -> str:
    """Write tokens that stand in a line, parted by spaces."""
    return " ".join(show_tokens(text.split(" ")))


def say_example(stage: str, example: str) -> str:
    """Write the example of a stage with the legend of its signs, where it has any.

    Example:
        >>> say_example("tokenize", "wit=181 ##ty=55")
        'wit=181 …ty=55   (… continues the word before it)'
    """
    shown = show_example(stage, example)
    legend = legend_of(shown.split(" ")) if stage in TOKENS_OF else ""
    return f"{shown}   ({legend})" if legend else shown


def legend_of(shown: Sequence[str]) -> str:
    """Say what the signs mean that stand in these tokens, as ``show_tokens`` gives them.

    Example:
        >>> legend_of(("play", "…ing"))
        '… continues the word before it'
    """
    signs = [sign for sign in LEGEND if any(sign in token for token in shown if token != JOINED)]
    return "   ".join(f"{sign} {LEGEND[sign]}" for sign in signs)


def _read_bytes(token: str) -> str:
    """Return the text whose bytes the letters of a token stand for; the token itself where they are no whole letters."""
    table = _letters_of_bytes()
    try:
        text = bytes(table[letter] for letter in token).decode("utf-8")
    except (KeyError, UnicodeDecodeError):
        return token
    return text.replace(" ", SPACE).replace("\n", "⏎").replace("\t", "⇥")


def _letters_of_bytes() -> dict[str, int]:
    """Return the byte of each letter: printable ones stand for themselves, the others for what follows 255 in order."""
    own = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in own]
    return {chr(byte): byte for byte in own} | {chr(256 + place): byte for place, byte in enumerate(others)}
