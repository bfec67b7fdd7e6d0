"use strict";
// Asks the routes that every client asks. Texts become text nodes only: nothing that anybody wrote is read as a page.

const place = (id) => document.getElementById(id);
const MOST_CLASSES = 20; // rows of an answer
const MOST_TRACED = 6; // columns of the table of layers
let model = null;
let asked = 0; // number of the newest question: an answer to an older one is not shown

function add(parent, tag, kind, text) {
  const node = document.createElement(tag);
  if (kind) node.className = kind;
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}

async function call(path, value) {
  const headers = value === undefined ? {} : { "Content-Type": "application/json" };
  const token = place("token").value.trim();
  if (token) headers.Authorization = "Bearer " + token;
  const options = value === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(value) };
  const response = await fetch(path, options);
  const found = await response.json();
  if (response.ok) return found;
  if (response.status === 401) {
    place("locked").hidden = false;
    place("token").focus();
  }
  const { got, expected, fix } = found.error;
  throw new Error([got, expected && "expected: " + expected, fix].filter(Boolean).join(" · "));
}

async function introduce() {
  if (model) return;
  model = await call("model");
  place("name").textContent = model.name;
  const words = { ship: "ship", do_not_ship: "do not ship", not_enough_evidence: "not enough evidence" };
  const parts = ["verdict: " + (words[model.verdict] || "not judged")];
  if (model.threshold !== null) parts.push(model.positive + " from a probability of " + model.threshold.toFixed(3));
  if (model.max_length) parts.push("at most " + model.max_length + " tokens are read");
  parts.push("digest " + model.digest.slice(0, 12));
  place("about").textContent = parts.join(" · ");
}

function bar(parent, share, name) {
  const meter = add(parent, "meter");
  meter.max = 1;
  meter.value = share;
  meter.setAttribute("aria-label", name);
}

function showAnswer(answer) {
  const parent = place("answer");
  parent.replaceChildren();
  if (answer.error) {
    add(parent, "p", "wrong", answer.error);
    return;
  }
  add(parent, "p", "said", answer.predicted);
  const table = add(parent, "table");
  const shares = Object.entries(answer.probabilities).sort((a, b) => b[1] - a[1]);
  for (const [name, share] of shares.slice(0, MOST_CLASSES)) {
    const row = add(table, "tr", name === answer.predicted ? "chosen" : "");
    add(row, "th", "", name).scope = "row";
    add(row, "td", "number", share.toFixed(4));
    bar(add(row, "td"), share, name);
  }
  if (shares.length > MOST_CLASSES) add(parent, "p", "", "and " + (shares.length - MOST_CLASSES) + " classes that are less probable");
}

function showTrace(found) {
  const order = found.classes.map((name, index) => [found.probabilities[index], index, name]).sort((a, b) => b[0] - a[0]);
  const shown = order.slice(0, MOST_TRACED);
  place("tokens").textContent = found.tokens.length + " tokens: " + found.tokens.slice(0, 200).join(" ");
  const table = place("trace");
  table.replaceChildren();
  const head = add(table, "tr");
  for (const name of ["after", ...shown.map((item) => item[2])]) add(head, "th", "", name).scope = "col";
  for (const layer of found.layers) {
    const row = add(table, "tr");
    add(row, "th", "", layer.name).scope = "row";
    for (const [, index, name] of shown) {
      const cell = add(row, "td", "number", layer.probabilities[index].toFixed(3) + " ");
      bar(cell, layer.probabilities[index], name + " after " + layer.name);
    }
  }
  place("layers").hidden = false;
}

async function ask(event) {
  event.preventDefault();
  const text = place("text").value;
  const number = ++asked;
  place("send").disabled = true;
  place("layers").hidden = true;
  try {
    await introduce();
    const { answers } = await call("predict", { text });
    if (number !== asked) return;
    showAnswer(answers[0]);
    if (model.can_follow && !answers[0].error) showTrace(await call("trace", { text }));
  } catch (error) {
    place("answer").replaceChildren();
    add(place("answer"), "p", "wrong", error.message);
  } finally {
    place("send").disabled = false;
  }
}

place("form").addEventListener("submit", ask);
place("text").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  if (!place("send").disabled) place("form").requestSubmit();
});
// What stands behind # never leaves the browser: a link can hold a text, and no server's log has it.
function begin() {
  const linked = new URLSearchParams(location.hash.slice(1)).get("text");
  place("text").focus();
  if (linked === null) return;
  place("text").value = linked;
  place("form").requestSubmit();
}

introduce().then(begin, (error) => {
  add(place("answer"), "p", "wrong", error.message);
});
