"use strict";
// Asks the route that OpenAI's clients ask. Texts become text nodes only: nothing that anybody wrote is read as a page.

const place = (id) => document.getElementById(id);
const LEVELS = [0.1, 0.3, 0.6]; // probabilities below which a word is shaded
const turns = new Map(); // source → its turns so far: each has its own conversation
let running = null; // the AbortController of the question that is being answered

function add(parent, tag, kind, text) {
  const node = document.createElement(tag);
  if (kind) node.className = kind;
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}

async function begin() {
  const found = await (await fetch("v1/models")).json();
  found.data.forEach(({ id }, index) => {
    if (index === 0) place("name").textContent = id;
    turns.set(id, []);
    const label = add(place("sources"), "label");
    const box = add(label, "input");
    box.type = "checkbox";
    box.name = "source";
    box.value = id;
    box.checked = true;
    label.append(" " + id);
  });
  if (found.data.length < 2) place("sources").hidden = true;
  place("question").focus();
}

// A word is what stands between two spaces; it is as probable as its least probable token.
class Words {
  constructor(parent) {
    this.parent = parent;
    this.word = null;
  }

  add(text, probability) {
    for (const piece of text.split(/(\s+)/u)) {
      if (!piece) continue;
      if (/^\s/u.test(piece)) {
        this.parent.append(piece);
        this.word = null;
        continue;
      }
      if (this.word === null) this.word = { node: add(this.parent, "span", "", ""), least: 1 };
      this.word.node.append(piece);
      if (probability !== null) {
        this.word.least = Math.min(this.word.least, probability);
        const level = LEVELS.findIndex((limit) => this.word.least < limit);
        this.word.node.className = level < 0 ? "p3" : "p" + level;
        this.word.node.title = "probability " + this.word.least.toFixed(2);
      }
    }
  }
}

async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    held += value;
    const parts = held.split("\n\n");
    held = parts.pop();
    for (const part of parts) {
      const data = part.replace(/^data: /u, "");
      if (data !== "[DONE]") yield JSON.parse(data);
    }
  }
}

function about(known, count, reason) {
  const parts = [];
  if (count > 1) parts.push(count + " tokens, " + (count / known.seconds).toFixed(0) + " per second");
  parts.push(reason === "stop" ? "ended" : reason === "length" ? "cut off at the most tokens" : "stopped");
  if (known.nearest) parts.push("nearest in training (" + known.nearest.likeness.toFixed(2) + "): " + known.nearest.question.slice(0, 120));
  if (known.copied !== undefined && known.copied !== null) parts.push(Math.round(known.copied * 100) + " % copied from training");
  return parts.join(" · ");
}

async function answer(source, question, parent, signal) {
  const card = add(parent, "section", "answer");
  add(card, "h2", "", source);
  const text = add(card, "p", "text", "");
  const words = new Words(text);
  const line = add(card, "p", "about", "waiting …");
  const said = turns.get(source);
  const told = place("system").value.trim();
  const messages = [...(told ? [{ role: "system", content: told }] : []), ...said, { role: "user", content: question }];
  let reply = "", count = 0, reason = null, known = {};
  try {
    const response = await fetch("v1/chat/completions", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ model: source, messages, stream: true, logprobs: true }),
      signal,
    });
    if (!response.ok) throw new Error((await response.json()).error.message);
    for await (const event of events(response)) {
      const choice = event.choices[0];
      if (!choice) continue;
      const part = choice.delta.content || "";
      const scored = choice.logprobs ? choice.logprobs.content[0] : null;
      if (scored) count += 1;
      words.add(part, scored ? Math.exp(scored.logprob) : null);
      reply += part;
      line.textContent = "writing …";
      if (choice.finish_reason) reason = choice.finish_reason;
      if (event.pretune) known = event.pretune;
    }
    if (!reply) text.textContent = "(no words)";
    line.textContent = about(known, count, reason);
  } catch (error) {
    line.textContent = error.name === "AbortError" ? "stopped" : error.message;
    if (error.name !== "AbortError") card.classList.add("wrong");
  }
  if (reply) said.push({ role: "user", content: question }, { role: "assistant", content: reply });
}

async function ask(event) {
  event.preventDefault();
  const question = place("question").value;
  if (running || !question.trim()) return;
  const chosen = [...document.querySelectorAll("input[name=source]:checked")].map((box) => box.value);
  const sources = chosen.length ? chosen : [turns.keys().next().value];
  running = new AbortController();
  place("send").disabled = true;
  place("stop").disabled = false;
  place("question").value = "";
  const asked = add(place("talk"), "p", "asked", question);
  const parent = add(place("talk"), "div", "answers");
  asked.scrollIntoView({ block: "start" });
  await Promise.all(sources.map((source) => answer(source, question, parent, running.signal)));
  running = null;
  place("send").disabled = false;
  place("stop").disabled = true;
  place("question").focus();
}

place("form").addEventListener("submit", ask);
place("stop").addEventListener("click", () => running && running.abort());
place("reset").addEventListener("click", () => {
  if (running) running.abort();
  for (const said of turns.values()) said.length = 0;
  place("talk").replaceChildren();
  place("question").focus();
});
place("question").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    place("form").requestSubmit();
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && running) running.abort();
});
begin().catch((error) => add(place("talk"), "p", "answer wrong", "The page cannot reach pretune: " + error.message));
