"""Forms in which a model can be exported, for whoever must know them without loading one."""

KINDS = ("gguf", "lora")
FORMS = ("f16", "f32", "q8_0")  # of the matrices of a GGUF file
