// The page in a real browser: node page.test.mjs REPORT.html [SCREENSHOT_FOLDER]
// Run by tests/report/test_html.py, which makes the report. Needs playwright-core and a Chromium
// (CHROMIUM, or where Debian puts it). Prints what it measured as one line of JSON.
import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { createRequire } from "node:module";

const { chromium } = createRequire(`${process.env.LASTREF_FRONT_END}/`)("playwright-core");
const [file, pictures] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
                                        args: ["--no-sandbox"], timeout: 0 });
const problems = [];

async function open(options, hash = "") {
  const page = await browser.newPage(options);
  page.setDefaultTimeout(0);  // what hangs is ended by whoever runs this
  page.on("console", (message) => { if (message.type() === "error") problems.push(message.text()); });
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("request", (request) => {
    if (!/^(file|data):/.test(request.url())) problems.push(`asked for ${request.url()}`);
  });
  await page.goto(pathToFileURL(file).href + hash);
  return page;
}

// As before a page is printed.
async function drawAll(page) {
  await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
  await page.waitForSelector("#flames g.frame");
  await page.waitForSelector("#chart canvas");
}

const visible = (page) => page.locator(".finding:visible").count();

const options = (page, id) => page.locator(`#${id} option`).allTextContents();
const rootOfFlames = (page) => page.locator("#flames g.frame").evaluateAll((nodes) => {
  const root = nodes.map((node) => node.__data__).find((node) => !node.parent);
  return root && { name: root.data.name, value: root.value };
});

// From the page's data: the memory of a tree's stacks that go through a module.
function memoryThrough(data, [frame, values, inner], at, module) {
  if (frame !== null && data.names[data.frames[frame][3]].endsWith(`/${module}`)) return values[at];
  return inner.reduce((sum, child) => sum + memoryThrough(data, child, at, module), 0);
}

// The filters act on the chart and the flame graph, or these say that they can't.
async function filtersOfPictures(page) {
  const data = JSON.parse(await page.locator("#data").textContent());
  await page.selectOption("#flame-weight", "2");
  const all = await options(page, "flame-type");
  assert.ok(all.length > 1, "several types");
  const own = all.length - 1;
  await page.selectOption("#flame-type", { index: own });
  for (const type of all) {
    await page.selectOption("#filter-type", type);
    assert.deepEqual(await options(page, "flame-type"), [type]);
    assert.equal((await rootOfFlames(page)).name, type);
    for (const text of await options(page, "chart-series")) assert.ok(text.startsWith(type));
  }
  await page.selectOption("#filter-type", "");
  assert.deepEqual(await options(page, "flame-type"), all);
  assert.equal((await rootOfFlames(page)).name, all[own], "what was chosen before");

  await page.selectOption("#flame-type", "0");
  const tree = data.usage.trees[0].tree;
  let parts = 0;
  for (const module of (await options(page, "filter-module")).slice(1)) {
    await page.selectOption("#filter-module", module);
    const part = memoryThrough(data, tree, 2, module);
    assert.equal((await rootOfFlames(page))?.value ?? 0, part, module);
    assert.ok((await page.locator("#flame-note").textContent()).startsWith(`Stacks through ${module}: `));
    assert.match(await page.locator("#chart-note").textContent(), /modules and threads/);
    parts += part > 0 && part < tree[1][2];
  }
  assert.ok(parts > 0, "a module that only some stacks go through");
  await page.selectOption("#filter-module", "");
  await page.selectOption("#filter-thread", { index: 1 });
  assert.match(await page.locator("#flame-note").textContent(), /a thread does not change/);
  assert.match(await page.locator("#chart-note").textContent(), /modules and threads/);
  assert.equal((await rootOfFlames(page)).value, tree[1][2]);
  await page.selectOption("#filter-thread", "");
  assert.equal(await page.locator("#flame-note, #chart-note").allTextContents().then((all) => all.join("")), "");
}

try {
  const page = await open({ viewport: { width: 1280, height: 900 } });
  await page.waitForSelector("#verdict");
  assert.equal(await page.locator("#verdict").textContent(), "faults found");
  const all = await visible(page);
  assert.ok(all > 1, "several findings");

  // Filters leave what fits them, and clearing brings all back.
  const type = await page.locator("#filter-type option").nth(1).getAttribute("value");
  await page.selectOption("#filter-type", type);
  const some = await visible(page);
  assert.ok(some > 0 && some < all, `type ${type}: ${some} of ${all}`);
  await page.selectOption("#filter-type", "");
  for (const name of ["module", "thread"]) {
    await page.selectOption(`#filter-${name}`, { index: 1 });
    assert.ok((await visible(page)) > 0 && (await visible(page)) <= all);
    await page.selectOption(`#filter-${name}`, "");
  }
  await page.fill("#filter-text", "no function is called so");
  assert.equal(await visible(page), 0);
  await page.fill("#filter-text", "");
  assert.equal(await visible(page), all);

  // Keys: / to the search, Escape out of it, j to a finding, Enter opens it.
  await page.keyboard.press("Escape");
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.id), "filter-text");
  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  assert.ok(await page.locator(".finding").nth(1).evaluate((node) => node.open));

  // From the picture of a life to its event, and back by the finding's own link.
  const life = page.locator(".life a").first();
  const target = await life.getAttribute("href");
  await life.click();
  assert.equal(await page.evaluate(() => location.hash), target);
  assert.equal(await page.locator(`${target}:target`).count(), 1);
  const id = await page.locator(".finding").last().getAttribute("id");
  await page.evaluate((hash) => { location.hash = hash; }, id);
  await page.waitForFunction((hash) => document.getElementById(hash).open, id);

  // The chart has drawn something; the flame graph zooms and searches. Both come when they are near.
  await page.locator("#flame-note").scrollIntoViewIfNeeded();
  await page.locator("#flames g.frame").first().scrollIntoViewIfNeeded();
  assert.ok(await page.locator("#chart canvas").evaluate((canvas) =>
    canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean)));
  await page.selectOption("#flame-weight", "2");
  const frames = page.locator("#flames g.frame");
  assert.ok((await frames.count()) > 3);
  const narrow = await frames.evaluateAll((nodes) => {
    const widths = nodes.map((node) => node.getBoundingClientRect().width);
    const widest = Math.max(...widths);
    return widths.findIndex((width) => width > 20 && width < widest * 0.8);
  });
  const wide = async (at) => (await frames.nth(at).boundingBox()).width;
  if (narrow >= 0) {
    const before = await wide(narrow);
    await frames.nth(narrow).click();
    assert.ok((await wide(narrow)) > before, "a click zooms in");
    await page.click("#flame-reset");
    assert.ok(Math.abs((await wide(narrow)) - before) < 1, "and the button out again");
  }
  await page.fill("#flame-search", "main");
  await page.waitForFunction(() => /found: /.test(document.getElementById("flame-detail").textContent));

  await page.click("#flame-reset");
  await filtersOfPictures(page);

  // Nothing that a name holds is taken as markup.
  assert.equal(await page.locator("main script, main img, main b.injected").count(), 0);
  assert.equal(await page.evaluate(() => window.injected), undefined);

  if (pictures) {
    await page.click("#flame-reset");
    await page.evaluate(() => window.scrollTo(0, 0));
    await page.screenshot({ path: `${pictures}/light.png`, fullPage: true });
    const dark = await open({ viewport: { width: 1280, height: 900 }, colorScheme: "dark" });
    await drawAll(dark);
    await dark.screenshot({ path: `${pictures}/dark.png`, fullPage: true });
  }
  const phone = await open({ viewport: { width: 390, height: 800 }, isMobile: true });
  await drawAll(phone);
  // A phone's browser widens its window to what sticks out.
  assert.equal(await phone.evaluate(() => Math.max(document.documentElement.scrollWidth, innerWidth)), 390,
               "nothing sticks out on a phone");
  if (pictures) await phone.screenshot({ path: `${pictures}/phone.png`, fullPage: true });

  assert.deepEqual(problems, []);
  console.log(JSON.stringify({ findings: all }));
} finally {
  await browser.close();
}
