"""What people call the columns of conversations; the first name that is there is taken. The only place that lists them."""

# Prompts and replies, folded: the first that is there is taken.
PROMPT_NAMES = "prompt question instruction input query statement user context source src questions prompts".split()
REPLY_NAMES = "reply response answer completion output reference target assistant gold expected answers ref text".split()
# Pairs of names that nobody uses for texts and their labels; with others the content decides.
CLEAR_PAIRS = (
    ("prompt", ("response", "completion", "reply", "output")),
    ("statement", ("reply", "response")),
    ("instruction", ("output", "response")),
    ("user", ("assistant",)),
)

# Whole conversations in one cell: lists of turns.
MESSAGE_NAMES = "messages conversations conversation dialog dialogue dialogs chat turns utterances".split()
SYSTEM_NAMES = "system system_prompt system_message".split()
INSTRUCTION_NAMES, INPUT_NAMES = ("instruction",), ("input", "context")
HISTORY_NAMES = ("history",)
CHOSEN, REJECTED = "chosen", "rejected"

# One turn a row.
DIALOGUE_NAMES = (
    "dialogue_id dialog_id conversation_id conv_id chat_id session_id thread_id dialogue dialog conversation session thread"
).split()
TURN_NAMES = (
    "turn turn_id turn_number turn_idx utterance_idx utterance_id message_index message_id position order step timestamp"
    " created_at time date"
).split()
SPEAKER_NAMES = "role speaker author sender from speaker_idx speaker_id participant".split()
SAID_NAMES = "text content utterance message body value said".split()

# Inside a turn.
ROLE_KEYS = ("role", "from", "speaker", "author", "sender")
CONTENT_KEYS = ("content", "value", "text", "message", "utterance")

# Who speaks, folded.
USERS = "user human customer client patient student asker prompter question usr q".split()
ASSISTANTS = (
    "assistant gpt bot model ai chatbot agent doctor answer chatgpt claude bard bing gemini llm teacher support a"
).split()
SYSTEMS = ("system", "developer")
