"""Flags of using a model that was judged: talking, exporting, reviewing. ``flags`` joins them with those of runs."""

from pretune.wording.flag import Flag

USE: dict[str, tuple[Flag, ...]] = {
    "Exporting": (
        Flag(
            "to",
            "Form: onnx (default), onnx-int8, openvino, openvino-int8, torch; of a chat model gguf (default), lora.",
            "export",
            metavar="FORM",
        ),
        Flag("accept_loss", "Keep a form that changes the verdict, and say what it lost.", "export", kind=bool),
        Flag(
            "form",
            "Of the matrices of a GGUF file: f16 (default), f32 or q8_0.",
            "export",
            metavar="KIND",
            option="--precision",
        ),
    ),
    "Talking": (
        Flag("precision", "Of weights: fp32, bf16, int8 or int4 (as judged, or bf16).", "chat", metavar="KIND"),
        Flag("int8", "Weights of 8 bits: faster.", "chat", kind=bool),
        Flag("int4", "Weights of 4 bits: fastest.", "chat", kind=bool),
        Flag("max_reply", "Maximum tokens per reply (as judged, or 200).", "chat", metavar="N", kind=int, least=1),
        Flag("temperature", "0 always takes the most probable token (as judged, or 0).", "chat", metavar="NUMBER", kind=float),
        Flag("top_p", "With a temperature: smallest set of tokens with this probability.", "chat", metavar="SHARE", kind=float),
        Flag("seed", "With a temperature: seed of what is drawn.", "chat", metavar="N", kind=int),
        Flag("system", "Text that the model is told before everything else.", "chat", metavar="TEXT"),
        Flag("threads", "Number of threads.", "chat", metavar="N", kind=int, least=1),
        Flag("web", "Open a page on this machine, and an OpenAI-compatible route.", "chat", kind=bool),
        Flag("port", "With --web: port (8000; 0 takes a free one).", "chat", metavar="N", kind=int, least=0),
    ),
    "Serving": (
        Flag("host", "Name or address to listen on (127.0.0.1: this machine alone).", "serve", metavar="HOST"),
        Flag("port", "Port (8000; 0 takes a free one).", "serve", metavar="N", kind=int, least=0),
        Flag("token_file", "File with a token that requests must carry; or set PRETUNE_SERVE_TOKEN.", "serve", metavar="FILE"),
        Flag("batch", "Maximum texts that the model sees together (32).", "serve", metavar="N", kind=int, least=1),
        Flag(
            "delay", "Milliseconds that a text waits for others while the model is idle (0).", "serve", metavar="MS", kind=float
        ),
        Flag("queue", "Maximum texts that wait; more get status 429 (1024).", "serve", metavar="N", kind=int, least=1),
        Flag("max_texts", "Maximum texts per request (256).", "serve", metavar="N", kind=int, least=1),
        Flag("max_chars", "Maximum characters per text (100,000).", "serve", metavar="N", kind=int, least=1),
        Flag("log_texts", "Add each text and its answer to FILE; otherwise no text is kept.", "serve", metavar="FILE"),
        Flag("no_watch", "Do not compare the answers of a judged run with its test.", "serve", kind=bool),
        Flag("threads", "Number of threads of the model.", "serve", metavar="N", kind=int, least=1),
    ),
    "Watching": (
        Flag("column", "Column(s) with the text (default: as the run read).", "watch", metavar="COL[,COL]", option="--text"),
        Flag("label", "Column with the class, where known: holds the verdict's figures against it.", "watch", metavar="COL"),
        Flag("time", "Column with the moment of each row.", "watch", metavar="COL"),
        Flag("window", "What is looked at together: hour, day, week, or N rows (default: the file).", "watch", metavar="SIZE"),
    ),
    "Sharing": (
        Flag("dry_run", "Show every file and its size, and send nothing.", "push", kind=bool),
        Flag("yes", "Send without asking.", "push", kind=bool),
        Flag("public", "Let everybody read the repository (default: private).", "push", kind=bool),
        Flag("unjudged", "Share a model that has no verdict.", "push", kind=bool),
        Flag(
            "include",
            "Send as well: report, predictions, data, exports or fingerprints.",
            "push",
            metavar="WHAT[,WHAT]",
            kind=list,
        ),
        Flag("licence", "Licence that you give the model, such as apache-2.0.", "push", metavar="NAME"),
        Flag("output", "File: .html, or .pdf by a browser that is installed (RUN-dossier.html).", "dossier", metavar="FILE"),
        Flag("language", "Languages of its texts, such as en or de,fr.", "push", metavar="CODE[,CODE]"),
    ),
    "Reviewing": (
        Flag("pairs", "Conversations to compare (50).", "review", metavar="N", kind=int, default=50, least=1),
        Flag("name", "Name of who compares; each has a file of their own (reviewer).", "review", default="reviewer"),
        Flag("seed", "Seed of the draw and of the order of each pair (0).", "review", metavar="N", kind=int, default=0),
    ),
    "Live page": (
        Flag("live", "Show a page on this machine while it trains.", "run finetune pretrain", kind=bool),
        Flag(
            "live_port",
            "With --live: port (8010; 0 takes a free one).",
            "run finetune pretrain",
            metavar="N",
            kind=int,
            least=0,
        ),
        Flag("port", "Port (8010; 0 takes a free one).", "view", metavar="N", kind=int, least=0),
    ),
    "Learning": (
        Flag("list_", "List the lessons, and how far each has come.", "learn", kind=bool),
        Flag("again", "Begin the lesson again; what it made before is removed.", "learn", kind=bool),
        Flag("level", "Only questions of these levels: easy, medium, hard.", "practice", metavar="LEVEL[,LEVEL]"),
        Flag("topic", "Only questions about these stages, such as evaluation,verdict.", "practice", metavar="TOPIC[,TOPIC]"),
        Flag("number", "Number of questions (10).", "practice", metavar="N", kind=int, default=10, least=1),
        Flag("seed", "Seed of the questions (one that was not asked yet).", "practice", metavar="N", kind=int, least=0),
    ),
}
