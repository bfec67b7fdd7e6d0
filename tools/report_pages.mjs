// What report pages look like, and whether everybody can read them: screenshots in light and dark, wide and narrow, and printed;
// and what is wrong with each, as JSON on standard output.
//
//   npm install --prefix ELSEWHERE playwright-core axe-core
//   node tools/report_pages.mjs --modules ELSEWHERE/node_modules [--out FOLDER] [--browser /usr/bin/chromium] PAGE.html ...
import { createRequire } from "node:module";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { pathToFileURL } from "node:url";

const { values: asked, positionals: pages } = parseArgs({
  allowPositionals: true,
  options: { modules: { type: "string" }, out: { type: "string" }, browser: { type: "string", default: "/usr/bin/chromium" } },
});
const load = createRequire(join(resolve(asked.modules ?? "node_modules"), "_"));
const { chromium } = load("playwright-core");
const axe = readFileSync(load.resolve("axe-core/axe.min.js"), "utf8");
const VIEWS = [["wide", 1280, 800], ["phone", 390, 844]];
const SCHEMES = ["light", "dark"];
if (asked.out) mkdirSync(asked.out, { recursive: true });

// Runs in the page: what can be measured of it as it stands.
function measure() {
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
    num_charts: document.querySelectorAll("svg").length,
  };
}

// Runs in the page: what the keyboard must reach, and on a screen how far down the verdict and the next step end.
const firstScreen = () => ({
  next_ends_at: Math.round(document.querySelector(".next, .verdict dl")?.getBoundingClientRect().bottom ?? 0),
  height: innerHeight,
  must_reach: new Set([...document.querySelectorAll("a, button, input, select, summary, svg.plot, .scroll")]
    .filter((item) => item.checkVisibility() && !item.matches(":disabled")).map((item) => (item.type === "radio" ? item.name : item))).size,
});

async function reach(page) {
  await page.evaluate(() => { document.activeElement?.blur(); window.scrollTo(0, 0); });
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

async function look(browser, file) {
  const name = basename(file, ".html"), found = { page: file, bytes: readFileSync(file).length, views: {} };
  for (const scheme of SCHEMES) {
    for (const [view, width, height] of VIEWS) {
      const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme });
      const told = [];
      page.on("console", (message) => message.type() === "error" && told.push(message.text()));
      page.on("pageerror", (error) => told.push(String(error)));
      page.on("dialog", (dialog) => { told.push(`dialog ${dialog.message()}`); dialog.dismiss(); });
      page.on("request", (request) => request.url().startsWith("file:") || request.url().startsWith("data:") || told.push(`request ${request.url()}`));
      await page.goto(pathToFileURL(resolve(file)).href);
      const shot = (part, fullPage) => (asked.out ? page.screenshot({ path: join(asked.out, `${name}-${view}-${scheme}-${part}.png`), fullPage }) : undefined);
      await shot("first", false);
      const first = await page.evaluate(firstScreen), folded = await page.evaluate(measure);
      await page.evaluate(() => document.querySelectorAll("details").forEach((fold) => (fold.open = true)));
      const unfolded = await page.evaluate(measure);
      await shot("all", true);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
      const keyboard = scheme === "light" && view === "wide" ? { must: (await page.evaluate(firstScreen)).must_reach, reached: await reach(page) } : undefined;
      found.views[`${view} ${scheme}`] = {
        first, folded, unfolded, told, keyboard,
        violations: violations.map(({ id, impact, nodes }) => ({ id, impact, count: nodes.length, first: nodes[0].html.slice(0, 160), why: nodes[0].failureSummary })),
      };
      await page.close();
    }
  }
  found.printed = await print(browser, file, name);
  found.used = await use(browser, file);
  return found;
}

// Uses what the script adds: sorts, filters, asks a chart by pointer and by key, moves the threshold; and what is left without it.
async function use(browser, file) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(pathToFileURL(resolve(file)).href);
  const link = page.locator(".decider a").first(), found = {};
  if (await link.count()) {
    await link.click();
    found.link_unfolds = await page.evaluate(() => document.querySelector(":target")?.checkVisibility({ contentVisibilityAuto: true }) ?? false);
  }
  await page.evaluate(() => document.querySelectorAll("details").forEach((fold) => (fold.open = true)));
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
  const chart = page.locator("svg.plot").first();
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
  found.quiz = await answer(page);
  await page.close();
  const bare = await browser.newPage({ javaScriptEnabled: false });
  await bare.goto(pathToFileURL(resolve(file)).href);
  found.dead_controls = await bare.locator("button:visible, input:visible, .explorer:visible").count();
  await bare.locator("details.part > summary").first().click();
  found.unfolds_without_script = await bare.locator("details.part > .body").first().isVisible();
  await bare.close();
  return found;
}

// Answers the questions of a page by keyboard: an option rightly, a number as its commonest mistake and then as people write it.
async function answer(page) {
  const shown = page.locator(".question:visible"), said = () => shown.locator(".said").textContent(), found = {};
  if (!(await shown.count())) return undefined;
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
  await page.evaluate(() => document.querySelectorAll("details").forEach((fold) => (fold.open = true)));
  await go("data-number");
  await shown.locator("input").fill(`${(100 * Number(number)).toFixed(6)} %`);
  await page.keyboard.press("Enter");
  found.percent = await said();
  return found;
}

async function print(browser, file, name) {
  const page = await browser.newPage();
  await page.goto(pathToFileURL(resolve(file)).href);
  const pdf = await page.pdf({ format: "A4", preferCSSPageSize: true });
  if (asked.out) writeFileSync(join(asked.out, `${name}.pdf`), pdf);
  await page.setViewportSize({ width: 695, height: 1000 }); // A4 less the margins, at 96 pixels an inch
  await page.emulateMedia({ media: "print" });
  const { outside, scrolls_sideways } = await page.evaluate(measure);
  await page.close();
  return { pages: (pdf.toString("latin1").match(/\/Type\s*\/Page\b/g) ?? []).length, outside, scrolls_sideways };
}

const browser = await chromium.launch({ executablePath: asked.browser, args: ["--no-sandbox", "--disable-gpu"] });
const found = [];
for (const file of pages) found.push(await look(browser, file));
await browser.close();
console.log(JSON.stringify(found, null, 1));
