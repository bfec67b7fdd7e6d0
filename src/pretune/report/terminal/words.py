"""The words that a language model guesses, layer by layer, drawn for a terminal."""

from rich.console import Group, RenderableType
from rich.text import Text

from pretune.records import WordPlace, WordTrace
from pretune.report.terminal.drawing import NAME_LENGTH, bar, columns, heading, named, plain, stack
from pretune.report.terminal.traces import TokenLines
from pretune.report.timeline import list_guesses
from pretune.report.words import number, one_line
from pretune.wording.counts import counted
from pretune.wording.tokens import show_token

BAR_WIDTH = 12


def draw_words(trace: WordTrace) -> Group:
    """Draw a prompt on its way: tokens and ids, and for every word to be guessed the guesses after each layer."""
    text = Group(heading("Text", trace.model), plain(trace.prompt))
    tokens = Group(heading("Tokens and ids", counted(len(trace.tokens), "token")), TokenLines(trace.tokens, trace.ids))
    notes: list[RenderableType] = [Text("! ", "yellow").append_text(plain(trace.note))] if trace.note else []
    return stack(text, tokens, *(_draw_place(trace, index) for index in range(len(trace.places))), _draw_answer(trace), *notes)


def _draw_place(trace: WordTrace, index: int) -> Group:
    place = trace.places[index]
    final = _best(place)
    chance = f"p({final})"
    table = columns("layer", "likeliest, with probabilities", chance, "", right=(chance,), wide="likeliest, with probabilities")
    for layer in place.layers:
        share = layer.final_probability
        table.add_row(named(layer.name), plain(list_guesses(layer.guesses)), number(share), bar(share, BAR_WIDTH))
    return Group(heading(_title(trace, index), "what the head would guess if it read that layer"), table)


def _title(trace: WordTrace, index: int) -> str:
    if trace.objective == "causal":
        return "The next word"
    return "The hidden word" if len(trace.places) == 1 else f"Hidden word {index + 1}, token {trace.places[index].place}"


def _draw_answer(trace: WordTrace) -> Text:
    """Show the prompt with the best guess in every place."""
    line, guesses = Text("Guess   ", "bold"), [_best(place) for place in trace.places]
    parts = trace.prompt.split("[MASK]") if trace.objective == "masked" else [trace.prompt.rstrip() + " ", ""]
    for index, part in enumerate(parts):
        line.append(_spaced(part))
        if index < len(guesses) and index < len(parts) - 1:
            line.append(guesses[index], "bold reverse")
    return line


def _best(place: WordPlace) -> str:
    guesses = place.layers[-1].guesses
    return one_line(show_token(guesses[0].token), NAME_LENGTH) if guesses else ""


def _spaced(text: str) -> str:
    """Make a part of a text fit for one line, and keep the space that parts it from its neighbour."""
    shown = one_line(text, 300)
    return f"{' ' if text[:1].isspace() else ''}{shown}{' ' if text[-1:].isspace() and shown else ''}"
