"""Tables of conversations of every form, with the turns that each is read as."""

ASKED, REPLY, MORE, LAST = "What is it?", "It is a cat.", "And that?", "A dog."
LONG = [ASKED, REPLY, MORE, LAST]


def messages(*texts, system=None, role="role", content="content", names=("user", "assistant")):
    turns = [{role: names[place % 2], content: text} for place, text in enumerate(texts)]
    return turns if system is None else [{role: "system", content: system}, *turns]


FORMS = {
    "openai": ({"messages": messages(*LONG)}, LONG),
    "openai system": ({"messages": messages(*LONG, system="Be brief.")}, ["Be brief.", *LONG]),
    "openai parts": (
        {"messages": [turn | {"content": [{"type": "text", "text": turn["content"]}]} for turn in messages(*LONG)]},
        LONG,
    ),
    "sharegpt": ({"conversations": messages(*LONG, role="from", content="value", names=("human", "gpt"))}, LONG),
    "sharegpt system": (
        {"conversations": messages(*LONG, role="from", content="value", names=("human", "gpt")), "system": "Be brief."},
        ["Be brief.", *LONG],
    ),
    "texts that take turns": ({"dialog": LONG}, LONG),
    "another name": ({"id": "x", "talk": messages(*LONG, names=("Human", "Bot"))}, LONG),
    "alpaca": ({"instruction": "Translate.", "input": "chat", "output": "cat"}, ["Translate.\n\nchat", "cat"]),
    "alpaca without input": ({"instruction": ASKED, "input": "", "output": REPLY}, LONG[:2]),
    "alpaca with history": (
        {"instruction": MORE, "input": "", "output": LAST, "history": [[ASKED, REPLY]], "system": "Be brief."},
        ["Be brief.", *LONG],
    ),
    "dolly": ({"instruction": ASKED, "context": "", "response": REPLY, "category": "open"}, LONG[:2]),
    "prompt and response": ({"prompt": ASKED, "response": REPLY}, LONG[:2]),
    "prompt and completion": ({"prompt": ASKED, "completion": REPLY}, LONG[:2]),
    "question and answer": ({"question": ASKED, "answer": REPLY}, LONG[:2]),
    "question about a context": (
        {"context": "A cat sits.", "question": ASKED, "answer": REPLY},
        [f"A cat sits.\n\n{ASKED}", REPLY],
    ),
    "statement and reply": ({"Statement": ASKED, "Reply": REPLY}, LONG[:2]),
    "user and assistant": ({"user": ASKED, "assistant": REPLY}, LONG[:2]),
    "trl": ({"prompt": messages(ASKED), "completion": [{"role": "assistant", "content": REPLY}]}, LONG[:2]),
    "trl with a system": (
        {"prompt": messages(ASKED, system="Be brief."), "completion": [{"role": "assistant", "content": REPLY}]},
        ["Be brief.", *LONG[:2]],
    ),
    "preference": ({"prompt": ASKED, "chosen": REPLY, "rejected": "No."}, LONG[:2]),
    "preference of messages": ({"chosen": messages(*LONG), "rejected": messages(*LONG[:3], "No.")}, LONG),
    "preference that repeats the prompt": (
        {"prompt": ASKED, "chosen": messages(ASKED, REPLY), "rejected": messages(ASKED, "No.")},
        LONG[:2],
    ),
    "preference of trl": (
        {
            "prompt": messages(ASKED),
            "chosen": [{"role": "assistant", "content": REPLY}],
            "rejected": [{"role": "assistant", "content": "No."}],
        },
        LONG[:2],
    ),
    "transcripts": (
        {
            "chosen": f"\n\nHuman: {ASKED}\n\nAssistant: {REPLY}\n\nHuman: {MORE}\n\nAssistant: {LAST}",
            "rejected": f"\n\nHuman: {ASKED}\n\nAssistant: {REPLY}\n\nHuman: {MORE}\n\nAssistant: No.",
        },
        LONG,
    ),
    "one transcript": ({"text": f"Human: {ASKED}\n\nAssistant: {REPLY}"}, LONG[:2]),
}
