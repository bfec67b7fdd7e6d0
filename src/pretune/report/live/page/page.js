"use strict";
// What happened so far is a list of events; the page is drawn from it, so a reload or another viewer sees the same.

const REPLAY_SECONDS = 20, MOST_NOTES = 200;
const at = (id) => document.getElementById(id);
let state, kept = [], attempt = null, mode = "live", isReplaying = false, isDue = false;

function fresh() {
  return { stages: [], phases: [], guesses: [], notes: [], now: "", progress: null, began: null, isOver: false, joins: false };
}

function phase() {
  const last = state.phases.at(-1);
  if (last && !last.isClosed) return last;
  const before = state.phases.reduce((sum, item) => sum + item.length, 0);
  state.phases.push({ name: "training", start: before, length: 0, steps: [], marks: [], isClosed: false });
  return state.phases.at(-1);
}

const KINDS = {
  begun() { state.stages = []; state.joins = true; state.isOver = false; },
  replaced() { state = fresh(); },
  stage_started(event) { state.now = event.stage; },
  stage(event) {
    state.stages.push(event);
    state.now = "";
    for (const text of event.notes || []) KINDS.note({ text });
    if (/^(fine-tune|pre-train)/.test(event.stage) && state.phases.length) state.phases.at(-1).isClosed = true;
  },
  step(event) {
    let item = phase();
    if (item.steps.length && event.index <= item.steps.at(-1).index) {
      if (state.joins) { // resumed: updates after the checkpoint are made again
        item.steps = item.steps.filter((step) => step.index < event.index);
        item.marks = item.marks.filter((mark) => mark.step < event.index);
      } else { item.isClosed = true; item = phase(); }
    }
    state.joins = false;
    item.steps.push(event);
    item.length = Math.max(item.length, event.index + 1);
  },
  validation(event) { mark(event, "fine-tuning"); },
  milestone(event) {
    mark(event, "pre-training");
    if (event.guesses && event.guesses.length) {
      state.guesses = state.guesses.filter((item) => item.tokens < event.num_tokens);
      state.guesses.push({ tokens: event.num_tokens, guesses: event.guesses });
    }
  },
  note(event) { if (state.notes.length < MOST_NOTES && !state.notes.includes(event.text)) state.notes.push(event.text); },
  over() { state.isOver = true; state.now = ""; state.progress = null; },
};

function mark(event, name) {
  const item = state.phases.at(-1) && state.phases.at(-1).marks.length === 0 && state.phases.at(-1).isClosed ? state.phases.at(-1) : phase();
  item.name = name;
  item.marks = item.marks.filter((other) => other.step < event.step);
  item.marks.push(event);
  item.length = Math.max(item.length, event.step + 1);
}

function take(event) {
  if (state.began === null) state.began = event.time;
  if (event.event !== "over") state.last = event.time;
  if (Object.hasOwn(KINDS, event.event)) KINDS[event.event](event);
}

function cell(row, text, kind) {
  const node = document.createElement("td");
  node.textContent = text;
  if (kind) node.className = kind;
  row.append(node);
}

/** A word that the glossary has is a link to it, and tells what it means where it stands. */
function word(text) {
  const entry = at(`term-${text.toLowerCase().replaceAll(" ", "-")}`);
  if (!entry) return text;
  const link = document.createElement("a");
  [link.href, link.textContent, link.title] = [`#${entry.id}`, text, entry.nextElementSibling.textContent];
  return link;
}

function duration(seconds) {
  if (!Number.isFinite(seconds)) return "";
  const whole = Math.max(0, Math.round(seconds));
  if (!whole) return "under 1 s";
  return whole < 60 ? `${whole} s` : whole < 3600 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${(whole / 3600).toFixed(1)} h`;
}

function drawNow() {
  const progress = state.progress, bar = at("bar");
  if (progress && progress.total) {
    const rate = (progress.done - progress.first) / Math.max(0.001, progress.time - progress.since);
    const left = rate > 0 ? `, about ${duration((progress.total - progress.done) / rate)} left` : "";
    at("what").textContent = `${progress.what}: ${progress.done.toLocaleString()} of ${progress.total.toLocaleString()} ${progress.unit}${left}`;
    bar.value = Math.min(1, progress.done / progress.total);
    bar.hidden = false;
  } else {
    at("what").textContent = state.isOver ? "Everything is done." : state.now ? `${state.now} …` : "Between two stages.";
    bar.hidden = true;
  }
  const spent = state.began === null ? "" : `, ${duration(state.last - state.began)} so far`;
  const worked = state.stages.reduce((sum, event) => sum + (event.seconds || 0), 0); // without the time between two commands
  at("state").textContent = isReplaying ? "Replaying" : state.isOver ? `Finished: ${duration(worked)} of work` : `Running${spent}`;
}

function drawTraining() {
  at("training").hidden = !state.phases.length;
  const series = (line, name) => state.phases.map((item) => ({
    name: item.name, start: item.start, line: line(item), dots: item.marks.map((event) => [item.start + event.step, event[name]]),
  }));
  const losses = (item) => item.steps.map((step) => [item.start + step.index, step.loss]);
  const shares = (item) => item.marks.map((event) => [item.start + event.step, event.training_accuracy]);
  drawChart(at("loss"), "Loss", series(losses, "loss"));
  drawChart(at("accuracy"), "Accuracy", series(shares, "accuracy"), [0, 1], false);
  at("figures").replaceChildren();
  for (const item of state.phases) for (const event of item.marks) {
    const row = document.createElement("tr");
    cell(row, item.name);
    for (const value of [event.step, event.training_loss, event.loss, event.accuracy]) cell(row, value === event.step ? String(value) : shown(value), "number");
    cell(row, event.observation || "");
    at("figures").append(row);
  }
}

function drawGuesses() {
  at("guessing").hidden = !state.guesses.length;
  if (!state.guesses.length) return;
  const head = document.createElement("tr");
  for (const text of ["after", ...state.guesses[0].guesses.map((item) => item.prompt)]) {
    const node = document.createElement("th");
    node.textContent = text;
    head.append(node);
  }
  at("prompts").replaceChildren(head);
  at("guesses").replaceChildren();
  for (const item of state.guesses) {
    const row = document.createElement("tr");
    cell(row, `${item.tokens.toLocaleString()} tokens`, "number");
    for (const found of item.guesses) {
      cell(row, found.guesses.slice(0, 3).map((guess) => `${guess.token} ${guess.probability.toFixed(2)}`).join(", "));
    }
    at("guesses").append(row);
  }
}

function drawStages() {
  const list = at("stages");
  while (list.children.length > state.stages.length) list.lastChild.remove();
  state.stages.slice(list.children.length).forEach((event) => {
    const item = document.createElement("li"), shape = document.createElement("span"), rest = document.createElement("span");
    shape.className = "shape";
    shape.append(word(event.stage), ": ");
    rest.textContent = [[event.shape_in, event.shape_out].filter(Boolean).join(" → "), event.done].filter(Boolean).join("; ");
    const seconds = document.createElement("span");
    seconds.className = "seconds";
    seconds.textContent = ` (${duration(event.seconds)})`;
    item.append(shape, rest, seconds);
    if (event.example) {
      const details = document.createElement("details"), summary = document.createElement("summary"), text = document.createElement("pre");
      summary.textContent = "one example";
      text.textContent = event.example;
      details.append(summary, text);
      item.append(details);
    }
    list.append(item);
  });
  at("notes").hidden = !state.notes.length;
  const said = at("said");
  while (said.children.length > state.notes.length) said.lastChild.remove();
  state.notes.slice(said.children.length).forEach((text) => {
    const item = document.createElement("li");
    item.textContent = text;
    said.append(item);
  });
}

function draw() {
  isDue = false;
  drawNow();
  drawTraining();
  drawGuesses();
  drawStages();
  const isWritten = state.stages.some((event) => event.stage === "report");
  at("report").hidden = !(isWritten && (state.isOver || mode === "view"));
  at("replay").hidden = !(state.isOver && mode === "view") || isReplaying;
}

function drawSoon() {
  if (!isDue) { isDue = true; requestAnimationFrame(draw); }
}

function began(message) {
  if (attempt === message.attempt) return;
  attempt = message.attempt;
  mode = message.mode;
  [state, kept] = [fresh(), []];
  at("run").textContent = message.run || "";
  at("stages").replaceChildren();
  at("said").replaceChildren();
}

function told(progress) {
  if (!progress || !progress.what) return;
  const before = state.progress, isSame = before && before.what === progress.what && before.done <= progress.done;
  state.progress = { ...progress, first: isSame ? before.first : progress.done, since: isSame ? before.since : progress.time };
  state.last = Math.max(state.last || 0, progress.time);
}

function listen() {
  const source = new EventSource("events");
  source.onmessage = (message) => {
    const found = JSON.parse(message.data);
    if (found.attempt) { source.isFresh = true; attempt = null; began(found); return; }
    if (isReplaying) { kept.push(...found.events); return; }
    for (const event of found.events) { kept.push(event); take(event); }
    if (!state.isOver) told(found.progress);
    drawSoon();
    if (state.isOver) {
      source.close();
      if (mode === "live" && state.stages.some((event) => event.stage === "report")) location.assign("report.html");
    }
  };
  source.onerror = () => { if (!state || !state.isOver) at("state").textContent = "The run is not there (any more); waiting for it."; };
}

function replay() {
  const events = kept.filter((event) => event.event !== "over"), first = events.length ? events[0].time : 0;
  const whole = Math.max(0.001, (events.at(-1) || { time: 1 }).time - first), start = performance.now();
  isReplaying = true;
  state = fresh();
  at("stages").replaceChildren();
  at("said").replaceChildren();
  let place = 0;
  (function go() {
    const now = first + whole * Math.min(1, (performance.now() - start) / 1000 / REPLAY_SECONDS);
    while (place < events.length && events[place].time <= now + 1e-9) take(events[place++]);
    if (place === events.length) { isReplaying = false; KINDS.over(); }
    draw();
    if (isReplaying) requestAnimationFrame(go);
  })();
}

async function follow(event) {
  event.preventDefault();
  at("answer").textContent = "The text goes through the layers …";
  at("layers").hidden = true;
  try {
    const asked = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ text: at("text").value }) };
    const response = await fetch("follow", asked), found = await response.json();
    if (!response.ok) { at("answer").textContent = found.error.message; return; }
    drawFollowed(found);
  } catch { at("answer").textContent = "The server is not there any more."; }
}

/** A text of a classifier, the words that a language model guesses, or the reply of a chat model. */
function drawFollowed(found) {
  const words = found.words || found, isGuess = Boolean(words.places);
  const answers = isGuess ? [] : found.classes.map((name, index) => [name, found.probabilities[index], index]).sort((a, b) => b[1] - a[1]).slice(0, 5);
  at("answer").textContent = found.reply !== undefined ? `It replies: ${found.reply || "(nothing)"}`
    : isGuess ? `${words.tokens.length} tokens; what it would write there, read from each layer:`
    : `${found.tokens.length} tokens (${found.tokens.join(" ")}) → ${found.decision}`;
  const head = document.createElement("tr"), body = at("layers").tBodies[0];
  body.replaceChildren();
  const names = isGuess ? ["layer", ...words.places.map((place) => `place ${place.place}`)] : ["layer", "norm", ...answers.map((item) => item[0])];
  for (const text of names) {
    const node = document.createElement("th");
    node.append(word(text));
    head.append(node);
  }
  at("layers").tHead.replaceChildren(head);
  (isGuess ? words.places[0].layers : found.layers).forEach((layer, number) => {
    const row = document.createElement("tr");
    cell(row, layer.name);
    if (isGuess) {
      for (const place of words.places) cell(row, place.layers[number].guesses.slice(0, 3).map((guess) => `${guess.token} ${guess.probability.toFixed(2)}`).join(", "));
    } else {
      cell(row, layer.norm.toFixed(2), "number");
      for (const item of answers) cell(row, layer.probabilities[item[2]].toFixed(3), "number");
    }
    body.append(row);
  });
  at("layers").hidden = false;
}

for (const link of document.querySelectorAll("a[href^='#term-']")) link.title = document.querySelector(link.hash).nextElementSibling.textContent;
state = fresh();
at("replay").addEventListener("click", replay);
at("form").addEventListener("submit", follow);
listen();
