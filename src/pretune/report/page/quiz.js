"use strict";
// Makes the questions of a page answer: one at a time, judged as `pretune practice` does. Without it they stand in a list.
(() => {
  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };
  const LETTERS = "abcd", ALL = "all";

  // As people write numbers: 0.85, 0,85, 85 %, 3/4, 1,234.
  const plain = (text) => Number((/^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$/.test(text) ? text.replace(/,/g, "") : text.replace(",", ".")).replace(/[ _]/g, "") || NaN);
  const parse = (typed) => {
    const [, first, second, percent] = /^\s*([^/%]*?)\s*(?:\/\s*([^/%]*?)\s*)?(%?)\s*$/.exec(typed.replace(/−/g, "-")) ?? [];
    const value = first === undefined ? NaN : plain(first) / (second === undefined ? 1 : plain(second));
    return percent ? value / 100 : value;
  };
  const isNear = (value, number, tolerance) => Math.abs(value - number) <= tolerance * (1 + 1e-9);

  // One question as a form. `done` is told whether the reply is right, and `next` is called to go on.
  const ask = (question, done, next) => {
    const { right, number, tolerance } = question.dataset, heading = question.querySelector("h3");
    const solution = question.querySelector("details:last-of-type"), list = question.querySelector(".options, .number");
    const said = make("p", { class: "said", role: "status" }), button = make("button", { type: "submit" }, "Check");
    const name = `answer-${question.dataset.template}`, field = make("input", { type: "text", size: 12, autocomplete: "off" });
    const options = [...(list.children ?? [])].map((option, place) => make("label", {},
      make("input", { type: "radio", name, value: place }), `${LETTERS[place]}) ${option.textContent}`));
    const fields = make("fieldset", {}, ...(number === undefined ? options : [make("label", {}, `${list.textContent} `, field)]));
    heading.id = `question-${question.dataset.template}`;
    fields.setAttribute("aria-labelledby", heading.id);
    const form = make("form", {}, fields, make("p", {}, button), said);
    list.replaceWith(form);

    const judge = () => {
      const chosen = form.querySelector("input:checked")?.value, value = parse(field.value);
      if (number === undefined ? chosen === undefined : !Number.isFinite(value)) return undefined;
      const isRight = number === undefined ? chosen === right : isNear(value, Number(number), Number(tolerance));
      const mistake = [...solution.querySelectorAll("[data-place], [data-value]")].find((item) =>
        item.dataset.place === undefined ? isNear(value, Number(item.dataset.value), Number(tolerance)) : item.dataset.place === chosen);
      return { isRight, why: isRight ? "" : mistake?.querySelector("span").textContent ?? "" };
    };
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (fields.disabled) return next();
      const found = judge();
      if (!found) {
        said.textContent = number === undefined ? "Choose one." : "Type a number, such as 0.85, 85 % or 34/40.";
        return undefined;
      }
      said.textContent = found.isRight ? "✓ Right." : `✗ Not right. ${found.why}`;
      said.className = `said ${found.isRight ? "ok" : "blocking"}`;
      fields.disabled = solution.open = true;
      button.textContent = "Next question";
      return done(found.isRight);
    });
    return { question, start: () => (fields.disabled ? button : fields.querySelector("input")).focus() };
  };

  for (const quiz of document.querySelectorAll(".quiz")) {
    let place = 0, right = 0, answered = 0, shown = [];
    const score = make("span", { role: "status" });
    const tell = () => { score.textContent = `Question ${place + 1} of ${shown.length}${answered ? `; ${right} of ${answered} right` : ""}`; };
    const show = (to) => {
      place = (to + shown.length) % shown.length;
      for (const item of items) item.question.hidden = item !== shown[place];
      tell();
    };
    const go = (step) => { show(place + step); shown[place].start(); };
    const done = (isRight) => { answered += 1; right += isRight; tell(); };
    const items = [...quiz.querySelectorAll(".question")].map((question) => ask(question, done, () => go(1)));
    const chooser = (title, key) => {
      const values = [...new Set(items.map((item) => item.question.dataset[key]))];
      const select = make("select", {}, ...[ALL, ...values].map((value) => make("option", { value }, value)));
      select.addEventListener("change", choose);
      return { key, select, label: make("label", {}, `${title} `, select) };
    };
    const choosers = [], choose = () => {
      const isAsked = (item) => choosers.every(({ key, select }) => [ALL, item.question.dataset[key]].includes(select.value));
      shown = items.filter(isAsked);
      if (!shown.length) { // no such question of that level: the other choice gives way
        for (const other of choosers) if (other.select !== document.activeElement) other.select.value = ALL;
        shown = items.filter(isAsked);
      }
      show(0);
    };
    choosers.push(chooser("Level", "level"), chooser("About", "topic"));
    const move = (text, step) => {
      const button = make("button", { type: "button" }, text);
      button.addEventListener("click", () => show(place + step));
      return button;
    };
    quiz.prepend(make("div", { class: "filter" }, ...choosers.map((item) => item.label), move("Previous", -1), move("Next", 1), score));
    choose();
  }
})();
