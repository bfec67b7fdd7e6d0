"use strict";
// Makes the report answer: sorting, filtering, values of charts, a threshold to move. All of it is there without this script,
// but for what moves. Texts are only ever written as text: nothing here parses markup.
(() => {
  const make = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);
  const draw = (name, attributes = {}) => fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, []);
  const fill = (element, attributes, children) => {
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };

  // What a link points to is unfolded, also by browsers that do not do so themselves.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let fold = target?.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  if (location.hash) reveal();

  // A term tells its meaning where it stands.
  for (const link of document.querySelectorAll("a[href^='#term-']")) link.title = document.querySelector(`${link.hash} + dd`).textContent.trim();

  const parts = [...document.querySelectorAll("details.part")];
  if (parts.length) {
    const all = make("button", { type: "button" }, "Unfold all");
    all.addEventListener("click", () => {
      const open = parts.some((part) => !part.open);
      for (const part of parts) part.open = open;
      all.textContent = open ? "Fold all" : "Unfold all";
    });
    document.querySelector("nav ol").append(make("li", {}, all));
  }

  // Tables
  const valueOf = (row, column) => row.cells[column]?.textContent.trim() ?? "";
  const numberOf = (text) => parseFloat(text.replace(/,/g, "").replace(/^[<>≥ ]+/, ""));
  for (const table of document.querySelectorAll("table[data-sortable]")) {
    const body = table.tBodies[0];
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = make("button", { type: "button" }, ...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const rows = [...body.rows], filled = rows.map((row) => valueOf(row, column)).filter((text) => text && text !== "—");
        const numeric = filled.every((text) => Number.isFinite(numberOf(text)));
        const falls = head.getAttribute("aria-sort") === "ascending" || (!head.hasAttribute("aria-sort") && numeric);
        const key = (row) => (numeric ? numberOf(valueOf(row, column)) : valueOf(row, column));
        const compare = (a, b) => (numeric ? (Number.isNaN(a) ? 1 : Number.isNaN(b) ? -1 : falls ? b - a : a - b) : (falls ? -1 : 1) * a.localeCompare(b));
        rows.sort((a, b) => compare(key(a), key(b)));
        for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", falls ? "descending" : "ascending");
        body.append(...rows);
      });
    });
  }
  for (const table of document.querySelectorAll("table[data-filter]")) {
    const rows = [...table.tBodies[0].rows], count = make("span", { role: "status" });
    if (rows.length < 3) continue;
    const field = make("input", { type: "search" }), label = make("label", {}, `Filter ${table.dataset.filter} `, field);
    field.addEventListener("input", () => {
      const wanted = field.value.trim().toLowerCase();
      for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
      count.textContent = wanted ? `${rows.filter((row) => !row.hidden).length} of ${rows.length}` : "";
    });
    table.closest(".scroll").before(make("div", { class: "filter" }, label, count));
  }

  // Charts: the nearest point says its values, to a pointer and to arrow keys.
  const pointsOf = (series) => {
    const line = series.querySelector("polyline"), x = series.dataset.x.split("|"), y = series.dataset.y.split("|");
    const places = line ? [...line.points] : [...series.querySelectorAll("circle")].map((dot) => ({ x: dot.cx.baseVal.value, y: dot.cy.baseVal.value }));
    return places.map((place, index) => ({ x: place.x, y: place.y, text: `${series.dataset.name}: ${y[index]} at ${series.dataset.at ?? ""}${x[index]}` }));
  };
  for (const plot of document.querySelectorAll("svg.plot")) {
    const lines = [...plot.querySelectorAll(".series")].map(pointsOf).filter((points) => points.length);
    if (!lines.length) continue;
    const here = draw("circle", { class: "here", r: 6, visibility: "hidden" }), tip = make("div", { class: "tip", role: "status" });
    plot.append(here);
    plot.parentElement.append(tip);
    plot.setAttribute("tabindex", "0");
    const show = (point) => {
      here.setAttribute("visibility", "visible");
      here.setAttribute("cx", point.x);
      here.setAttribute("cy", point.y);
      tip.textContent = point.text;
      const scale = plot.clientWidth / plot.viewBox.baseVal.width;
      tip.style.left = `${Math.max(0, Math.min(point.x * scale + 10, plot.clientWidth - tip.offsetWidth))}px`;
      tip.style.top = `${Math.max(0, point.y * scale - tip.offsetHeight - 8)}px`;
    };
    const hide = () => {
      here.setAttribute("visibility", "hidden");
      tip.textContent = "";
    };
    let line = 0, place = -1;
    plot.addEventListener("pointermove", (event) => {
      const scale = plot.viewBox.baseVal.width / plot.clientWidth, box = plot.getBoundingClientRect();
      const x = (event.clientX - box.left) * scale, y = (event.clientY - box.top) * scale;
      const far = (point) => (point.x - x) ** 2 + (point.y - y) ** 2;
      show(lines.flat().reduce((best, point) => (far(point) < far(best) ? point : best)));
    });
    plot.addEventListener("pointerleave", hide);
    plot.addEventListener("blur", hide);
    plot.addEventListener("keydown", (event) => {
      const turn = { ArrowUp: 1, ArrowDown: -1 }[event.key], step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (event.key === "Escape") hide();
      if (!turn && !step) return;
      event.preventDefault();
      if (turn) line = (line + turn + lines.length) % lines.length;
      place = Math.max(0, Math.min(lines[line].length - 1, place + (step ?? 0)));
      show(lines[line][place]);
    });
  }

  // The threshold, moved by hand
  for (const explorer of document.querySelectorAll(".explorer")) {
    const data = explorer.dataset, read = (name) => data[name].split(" ").map(Number);
    const thresholds = read("thresholds"), precision = read("precision"), recall = read("recall"), alarms = read("alarms");
    const last = thresholds.length - 1, share = Number(data.share), rows = Number(data.rows), chosen = Number(data.chosen);
    const slider = make("input", { type: "range", min: 0, max: last, step: 1, value: last - chosen });
    const missed = make("input", { type: "number", min: 0, step: "any", value: data.missed });
    const alarm = make("input", { type: "number", min: 0, step: "any", value: data.alarm });
    const back = make("button", { type: "button" }, "Back to what decides");
    const shown = make("dl", { class: "moves", "aria-live": "polite" });
    const marks = [...explorer.parentElement.querySelectorAll("svg.plot")].map((plot) => {
      const points = plot.querySelector(".curve polyline")?.points;
      if (!points) return () => {};
      const dot = draw("circle", { class: "moved", r: 5 }), skipped = points.length > thresholds.length ? 1 : 0;
      plot.append(dot);
      return (index) => {
        dot.setAttribute("visibility", index === chosen ? "hidden" : "visible");
        dot.setAttribute("cx", points[index + skipped].x);
        dot.setAttribute("cy", points[index + skipped].y);
      };
    });
    const update = () => {
      const index = last - Number(slider.value), found = share * recall[index], wrong = (1 - share) * alarms[index];
      const f1 = precision[index] + recall[index] ? (2 * precision[index] * recall[index]) / (precision[index] + recall[index]) : 0;
      const cost = Number(missed.value) * (share - found) + Number(alarm.value) * wrong;
      const percent = (part) => `${(100 * part).toFixed(1)} %`;
      const figures = {
        Threshold: String(thresholds[index]), Precision: precision[index].toFixed(3), Recall: recall[index].toFixed(3), F1: f1.toFixed(3),
        Alerts: `${percent(found + wrong)} of rows (${Math.round((found + wrong) * rows).toLocaleString("en")})`,
        "False-positive rate": percent(alarms[index]), Missed: `${percent(1 - recall[index])} of positives`,
        "Cost per 1,000 rows": (1000 * cost).toFixed(1),
      };
      shown.replaceChildren(...Object.entries(figures).map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
      slider.setAttribute("aria-valuetext", `threshold ${figures.Threshold}, precision ${figures.Precision}, recall ${figures.Recall}`);
      for (const mark of marks) mark(index);
    };
    for (const input of [slider, missed, alarm]) input.addEventListener("input", update);
    back.addEventListener("click", () => {
      slider.value = last - chosen;
      update();
    });
    explorer.append(make("label", { class: "wide" }, "Threshold ", slider), shown, make("label", {}, "Cost of a missed row ", missed), make("label", {}, "of a false alarm ", alarm), back);
    explorer.hidden = false;
    update();
  }
})();
