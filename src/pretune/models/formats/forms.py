"""Forms in which a model can be exported, for whoever must know them without loading one."""

KINDS = ("gguf", "lora")  # of a chat model
FORMS = ("f16", "f32", "q8_0")  # of the matrices of a GGUF file
CLASS_KINDS = ("onnx", "onnx-int8", "openvino", "openvino-int8", "torch")  # of a classifier
EXACT = ("onnx", "openvino", "torch")  # of these: every answer is to be the same

ONNX_FILE, OPENVINO_FILE, TORCH_FILE = "model.onnx", "model.xml", "model.pt2"
