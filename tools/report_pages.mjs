// What report pages look like, and whether everybody can read them: screenshots in light and dark, wide and narrow, and printed;
// and what is wrong with each, as JSON on standard output. `--pictures` holds each against the picture of the same name in a
// folder, and does nothing else with `--only-pictures`; `--renew` writes these pictures anew. A page that is served is named by
// its address; it is looked at, not printed.
//
//   npm install --prefix ELSEWHERE playwright-core axe-core
//   node tools/report_pages.mjs --modules ELSEWHERE/node_modules [--out FOLDER] [--browser /usr/bin/chromium]
//     [--pictures FOLDER [--only-pictures] [--renew]] PAGE.html ...
import { createRequire } from "node:module";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { pathToFileURL } from "node:url";

const { values: asked, positionals: pages } = parseArgs({
  allowPositionals: true,
  options: {
    modules: { type: "string" }, out: { type: "string" }, browser: { type: "string", default: "/usr/bin/chromium" },
    pictures: { type: "string" }, "only-pictures": { type: "boolean", default: false }, renew: { type: "boolean", default: false },
  },
});
const load = createRequire(join(resolve(asked.modules ?? "node_modules"), "_"));
const { chromium } = load("playwright-core");
const axe = readFileSync(load.resolve("axe-core/axe.min.js"), "utf8");
const VIEWS = [["wide", 1280, 800], ["phone", 390, 844]];
const SCHEMES = ["light", "dark"];
// Rules of axe whose answer depends on how wide and in which colours a page is shown; all others are asked of one view.
const LOOKED_AT = ["color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"];
const BLOCK = 40; // pixels that one dot of a stored picture stands for
const SEEN = 6; // of 255: blocks whose mean brightness differs by more are told; the same page differs by 0
for (const folder of [asked.out, asked.renew && asked.pictures]) if (folder) mkdirSync(folder, { recursive: true });
const isServed = (file) => file.startsWith("http://");
const address = (file) => (isServed(file) ? file : pathToFileURL(resolve(file)).href);
const unfold = (page, which) => page.evaluate((folds) => document.querySelectorAll(folds).forEach((fold) => (fold.open = true)), which);

function measure() { // runs in the page: what can be measured of it as it stands
  const place = (element) => `${element.tagName.toLowerCase()}.${element.className?.baseVal ?? element.className} "${element.textContent.trim().slice(0, 40)}"`;
  const isSeen = (element) => element.checkVisibility({ contentVisibilityAuto: true }) && element.getClientRects().length > 0;
  const beyond = (inner, outer) => inner.left < outer.left - 1 || inner.right > outer.right + 1;
  const all = [...document.body.querySelectorAll("*")].filter(isSeen);
  const outside = all.filter((element) => {
    const table = element.closest("table"), box = element.getBoundingClientRect();
    if (table && table !== element) return beyond(box, table.getBoundingClientRect());
    return !element.closest(".scroll, svg, .tip") && box.width > 0 && beyond(box, { left: 0, right: innerWidth });
  });
  const levels = [...document.querySelectorAll("h1, h2, h3, h4")].map((heading) => Number(heading.tagName[1]));
  return {
    scrolls_sideways: document.documentElement.scrollWidth > innerWidth,
    outside: outside.map(place),
    unordered_headings: levels.filter((level, index) => level > (levels[index - 1] ?? 0) + 1),
    charts_without_text: [...document.querySelectorAll("svg")].filter((chart) => !chart.getAttribute("aria-label")).length,
    broken_links: [...document.querySelectorAll("a[href^='#']")].map((link) => link.hash.slice(1)).filter((id) => !document.getElementById(id)),
    hidden_terms: [...document.querySelectorAll("a[href^='#term-']")].filter((link) => isSeen(link.parentElement) && !isSeen(link)).map(place),
    num_charts: document.querySelectorAll("svg").length,
  };
}

// Runs in the page: what the keyboard must reach, and on a screen how far down the verdict and the next step end.
const firstScreen = () => ({
  next_ends_at: Math.round(document.querySelector(".next, .verdict dl")?.getBoundingClientRect().bottom ?? 0),
  height: innerHeight,
  must_reach: new Set([...document.querySelectorAll("a, button, input, select, textarea, summary, svg.plot[tabindex], .scroll")]
    .filter((item) => item.checkVisibility() && !item.matches(":disabled")).map((item) => (item.type === "radio" ? item.name : item))).size,
});

async function reach(page) {
  await page.evaluate(() => { // from the top, wherever something was pressed before
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
    window.scrollTo(0, 0);
  });
  const seen = await page.evaluate(() => { window.reached = new Set(); return 0; });
  for (let press = 0; press < 2000; press++) {
    await page.keyboard.press("Tab");
    const known = await page.evaluate(() => {
      const item = document.activeElement;
      if (item === document.body || window.reached.has(item)) return true;
      window.reached.add(item);
      return false;
    });
    if (known) break;
  }
  return seen + (await page.evaluate(() => window.reached.size));
}

// Runs in a page: the mean brightness of each block of a picture, by rows, and these as a picture of their own.
async function shrink([png, block]) {
  const image = new Image(), sheet = document.createElement("canvas"), context = sheet.getContext("2d", { willReadFrequently: true });
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  [sheet.width, sheet.height] = [image.width, image.height];
  context.drawImage(image, 0, 0);
  const columns = Math.ceil(image.width / block), rows = Math.ceil(image.height / block), dots = [];
  for (let row = 0; row < rows; row++) {
    const height = Math.min(block, image.height - row * block), sums = new Float64Array(columns);
    const { data } = context.getImageData(0, row * block, image.width, height); // one row of blocks
    for (let pixel = 0; pixel < image.width * height; pixel++) {
      const place = 4 * pixel;
      sums[Math.floor((pixel % image.width) / block)] += 0.299 * data[place] + 0.587 * data[place + 1] + 0.114 * data[place + 2];
    }
    sums.forEach((sum, column) => dots.push(Math.round(sum / (Math.min(block, image.width - column * block) * height))));
  }
  const small = context.createImageData(columns, rows);
  dots.forEach((dot, place) => small.data.set([dot, dot, dot, 255], 4 * place));
  [sheet.width, sheet.height] = [columns, rows];
  context.putImageData(small, 0, 0);
  return { columns, rows, dots, png: sheet.toDataURL("image/png").split(",")[1] };
}

// Holds a page as it stands against its stored picture, dot by dot; a dot that one of them lacks differs.
async function compare(browser, page, name) {
  if (!asked.pictures) return undefined;
  const place = join(asked.pictures, `${name}.png`), blank = await browser.newPage();
  const now = await blank.evaluate(shrink, [(await page.screenshot({ fullPage: true, animations: "disabled" })).toString("base64"), BLOCK]);
  if (asked.renew) writeFileSync(place, Buffer.from(now.png, "base64"));
  const before = existsSync(place) ? await blank.evaluate(shrink, [readFileSync(place).toString("base64"), 1]) : { columns: 0, rows: 0, dots: [] };
  await blank.close();
  let differ = 0;
  for (let row = 0; row < Math.max(now.rows, before.rows); row++) for (let column = 0; column < now.columns; column++) {
    const [one, other] = [now, before].map((item) => (row < item.rows && column < item.columns ? item.dots[row * item.columns + column] : -255));
    differ += Math.abs(one - other) > SEEN;
  }
  return { differ, of: Math.max(now.rows, before.rows) * now.columns, rows: [before.rows, now.rows] };
}

async function look(browser, file) {
  const name = isServed(file) ? `served-${new URL(file).port}` : basename(file, ".html");
  const found = { page: file, bytes: isServed(file) ? 0 : readFileSync(file).length, views: {} };
  for (const scheme of SCHEMES) for (const [view, width, height] of VIEWS) {
    const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme });
    found.views[`${view} ${scheme}`] = await lookAt(browser, page, file, `${name}-${view}-${scheme}`);
    await page.close();
  }
  if (isServed(file)) return found;
  found.printed = await print(browser, file, name);
  if (!asked["only-pictures"]) found.used = await use(browser, file);
  return found;
}

// One view of a page. The first one is asked everything, the others what depends on size and colour.
async function lookAt(browser, page, file, name) {
  const told = listen(page, file), isFirst = name.endsWith("-wide-light");
  const shot = (part, fullPage) => (asked.out ? page.screenshot({ path: join(asked.out, `${name}-${part}.png`), fullPage }) : undefined);
  await page.goto(address(file));
  if (isServed(file)) await page.waitForFunction(isDrawn);
  await shot("first", false);
  const first = await page.evaluate(firstScreen), folded = await page.evaluate(measure);
  await unfold(page, "details.needed");
  const picture = await compare(browser, page, name);
  if (asked["only-pictures"]) return { picture };
  if (isServed(file)) await ask(page);
  await unfold(page, "details");
  const unfolded = await page.evaluate(measure);
  await shot("all", true);
  await page.evaluate(axe);
  const rules = isFirst ? undefined : { type: "rule", values: LOOKED_AT };
  const { violations } = await page.evaluate((runOnly) => axe.run(document, { resultTypes: ["violations"], runOnly }), rules);
  const keyboard = isFirst ? { must: (await page.evaluate(firstScreen)).must_reach, reached: await reach(page) } : undefined;
  const shown = violations.map(({ id, impact, nodes }) => ({ id, impact, count: nodes.length, first: nodes[0].html.slice(0, 160), why: nodes[0].failureSummary }));
  return { first, folded, unfolded, told, keyboard, picture, violations: shown };
}

// Asks a page that is served about a text, and waits for its answer, layer by layer; while a model is trained there is none yet.
async function ask(page) {
  if (!(await page.locator("#layers").count()) || (await page.evaluate(isRunning))) return;
  await page.locator("form textarea").fill("The film was [MASK], and so was the end of it").then(() => page.locator("form [type=submit]").click());
  await page.waitForFunction(() => document.getElementById("layers").checkVisibility());
}

// Notes what a page should not do: errors, dialogs, requests to elsewhere.
function listen(page, file) {
  const told = [], own = isServed(file) ? new URL(file).origin : "file:";
  page.on("console", (message) => message.type() === "error" && told.push(message.text()));
  page.on("pageerror", (error) => told.push(String(error)));
  page.on("dialog", (dialog) => { told.push(`dialog ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => [own, "data:"].some((start) => request.url().startsWith(start)) || told.push(`request ${request.url()}`));
  return told;
}

// Runs in a page that is served: whether the first events are drawn; a page that follows no run is there once it is loaded.
const isRunning = () => document.getElementById("state")?.textContent.startsWith("Running");
const isDrawn = () => !document.getElementById("state")?.textContent.startsWith("Connecting");

// Uses what the script adds: sorts, filters, asks a chart by pointer and by key, moves the threshold; and what is left without it.
async function use(browser, file) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(address(file));
  const link = page.locator(".decider a").first(), found = {};
  if (await link.count()) {
    await link.click();
    found.link_unfolds = await page.evaluate(() => document.querySelector(":target")?.checkVisibility({ contentVisibilityAuto: true }) ?? false);
  }
  await unfold(page, "details");
  const text = async (selector) => (await page.locator(selector).first().textContent())?.trim();
  const table = page.locator("table[data-filter]").first();
  if (await table.count()) {
    const last = () => table.evaluate((item) => [...item.tBodies[0].rows].map((row) => row.lastElementChild.textContent.trim()));
    await table.locator("thead button").last().click();
    found.sorted = await last();
    await table.locator("thead button").last().click();
    found.sorted_again = await last();
  }
  const field = page.locator("input[type=search]").first();
  if (await field.count()) {
    await field.fill("no such row anywhere");
    found.filtered = await text(".filter [role=status]");
    await field.fill("");
  }
  const chart = page.locator("svg.plot[tabindex]").first();
  if (await chart.count()) {
    await chart.hover();
    found.hovered = await text(".tip");
    await chart.focus();
    await page.keyboard.press("ArrowRight");
    found.by_key = await text(".tip");
  }
  const slider = page.locator(".explorer input[type=range]");
  if (await slider.count()) {
    found.before = await text(".moves");
    await slider.focus();
    await page.keyboard.press("End");
    found.highest = await text(".moves");
    await page.locator(".explorer button").click();
    found.back = await text(".moves");
  }
  found.titles = await page.locator("details.part h2").allTextContents();
  found.quiz = await answer(page);
  await page.close();
  const bare = await browser.newPage({ javaScriptEnabled: false });
  await bare.goto(address(file));
  found.dead_controls = await bare.locator("button:visible, input:visible, .explorer:visible").count();
  if (await bare.locator("details.part").count()) {
    await bare.locator("details.part > summary").first().click();
    found.unfolds_without_script = await bare.locator("details.part > .body").first().isVisible();
  }
  await bare.close();
  return found;
}

// Answers the questions of a page by keyboard: an option rightly, a number as its commonest mistake and then as people write it.
async function answer(page) {
  const shown = page.locator(".question:visible"), said = () => shown.locator(".said").textContent(), found = {};
  if (!(await page.locator(".quiz .filter").count())) return undefined; // without a script they stand in a list
  const go = async (kind) => {
    for (let press = 0; press < 100 && !(await shown.getAttribute(kind)); press++) await page.getByRole("button", { name: "Next", exact: true }).press("Enter");
    return shown.evaluate((item) => ({ ...item.dataset, slip: item.querySelector("[data-value]")?.dataset.value, why: item.querySelector("[data-value] span")?.textContent }));
  };
  const { right } = await go("data-right");
  await shown.locator("input").nth(Number(right)).focus();
  await page.keyboard.press("Space");
  await page.keyboard.press("Enter");
  found.right = await said();
  found.solution = await shown.locator("details").last().locator("ol").isVisible();
  await page.keyboard.press("Tab");
  await shown.getByRole("button", { name: "Next question" }).press("Enter");
  found.focused = await page.evaluate(() => document.activeElement.closest(".question") !== null);
  found.counted = await page.locator(".quiz .filter [role=status]").textContent();
  const { slip, why, number } = await go("data-number");
  await shown.locator("input").fill("many");
  await page.keyboard.press("Enter");
  found.unread = await said();
  await shown.locator("input").fill(slip ?? String(Number(number) + 1e6));
  await page.keyboard.press("Enter");
  [found.wrong, found.why] = [await said(), why ?? ""];
  await page.reload();
  await unfold(page, "details");
  await go("data-number");
  await shown.locator("input").fill(`${(100 * Number(number)).toFixed(6)} %`);
  await page.keyboard.press("Enter");
  found.percent = await said();
  return found;
}

async function print(browser, file, name) {
  const page = await browser.newPage();
  await page.goto(address(file));
  const pdf = await page.pdf({ format: "A4", preferCSSPageSize: true });
  if (asked.out) writeFileSync(join(asked.out, `${name}.pdf`), pdf);
  await page.setViewportSize({ width: 695, height: 1000 }); // A4 less the margins, at 96 pixels an inch
  await page.emulateMedia({ media: "print" });
  const { outside, scrolls_sideways, hidden_terms } = await page.evaluate(measure), picture = await compare(browser, page, `${name}-printed`);
  await page.close();
  return { picture, pages: (pdf.toString("latin1").match(/\/Type\s*\/Page\b/g) ?? []).length, outside, scrolls_sideways, hidden_terms };
}

const browser = await chromium.launch({ executablePath: asked.browser, args: ["--no-sandbox", "--disable-gpu"] });
const found = [], ruler = await browser.newPage();
// How wide letters are here: where this differs from what the pictures were made with, they cannot be compared.
const letters = await ruler.evaluate(() => {
  const span = document.createElement("span");
  [span.textContent, span.style.font] = ["How wide are letters here? 0.1234567890", "16px system-ui"];
  document.body.append(span);
  return span.getBoundingClientRect().width;
});
await ruler.close();
if (asked.renew) writeFileSync(join(asked.pictures, "letters.json"), `${JSON.stringify({ letters, browser: browser.version() })}\n`);
for (const file of pages) found.push(await look(browser, file));
await browser.close();
console.log(JSON.stringify(found.map((item) => ({ ...item, letters })), null, 1));
