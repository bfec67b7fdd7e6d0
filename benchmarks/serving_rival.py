"""The rival of ``pretune serve``: the same model behind a plain FastAPI handler around transformers' pipeline.

python benchmarks/serving_rival.py MODEL PORT def|async
"""

import sys

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from transformers import pipeline

app = FastAPI()


class Item(BaseModel):
    """One text."""

    text: str


def main() -> None:
    """Serve until a signal."""
    model, port, kind = sys.argv[1:4]
    classify = pipeline("text-classification", model=model, device="cpu", top_k=None, truncation=True)

    def answer(item: Item) -> object:
        return classify(item.text)

    async def answer_in_turn(item: Item) -> object:
        return classify(item.text)

    app.post("/predict")(answer_in_turn if kind == "async" else answer)
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning")


if __name__ == "__main__":
    main()
