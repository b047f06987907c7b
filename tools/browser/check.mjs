// Visit every page of the built book in a headless browser, in light and dark mode, and report what is wrong.
//   node tools/browser/check.mjs _build/html
// Per page and mode: no console error, no failed or external request, every formula rendered, every image loaded and
// described, axe clean. Once: one search field, and a search that finds a known word.
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { createRequire } from "node:module";
import puppeteer from "puppeteer-core";

const root = path.resolve(process.argv[2] ?? "_build/html");
const word = "Tolman";
const modes = ["light", "dark"];
const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const failures = new Map();                                          // what is wrong: where
const totals = { visits: 0, formulas: 0, images: 0 };

function fail(where, what) {
  failures.set(what, [...(failures.get(what) ?? []), where]);
}

function pagesBelow(folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return ["_static", "_sources"].includes(entry.name) ? [] : pagesBelow(file);
    const redirect = () => /http-equiv="refresh"/i.test(fs.readFileSync(file, "utf8"));
    return entry.name.endsWith(".html") && !redirect() ? [path.relative(root, file)] : [];
  }).sort();
}

const types = { html: "text/html", css: "text/css", js: "text/javascript", svg: "image/svg+xml", png: "image/png",
  woff2: "font/woff2", woff: "font/woff", ttf: "font/ttf", ico: "image/x-icon", json: "application/json" };

function serve() {
  const server = http.createServer((request, response) => {
    const file = path.join(root, decodeURIComponent(new URL(request.url, "http://localhost").pathname));
    if (!file.startsWith(root) || !fs.existsSync(file) || !fs.statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": types[path.extname(file).slice(1)] ?? "application/octet-stream" });
    fs.createReadStream(file).pipe(response);
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

async function open(browser, base, mode, report) {
  const page = await browser.newPage();
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: mode }]);
  await page.evaluateOnNewDocument((chosen) => {
    localStorage.setItem("mode", chosen);
    localStorage.setItem("theme", chosen);
  }, mode);
  await page.setViewport({ width: 1280, height: 900 });
  await page.setRequestInterception(true);
  page.on("request", (request) => {
    if (request.url().startsWith(base) || request.url().startsWith("data:")) return request.continue();
    report(`request to another host: ${request.url()}`);
    return request.abort();
  });
  page.on("console", (message) => message.type() === "error" && report(`console: ${message.text()}`));
  page.on("pageerror", (error) => report(`script: ${error.message}`));
  page.on("response", (response) => response.status() >= 400 && report(`${response.status()}: ${response.url()}`));
  return page;
}

// Runs inside the page: counts formulas and images, and lists those that a reader would not see.
async function inspect() {
  const faults = [];
  const formulas = [...document.querySelectorAll(".math")];
  if (formulas.length) await window.MathJax?.startup?.promise;
  for (const formula of formulas) {
    if (!formula.querySelector("mjx-container")) faults.push(`formula not rendered: ${formula.textContent.trim()}`);
  }
  for (const error of document.querySelectorAll("mjx-merror, [data-mjx-error]")) {
    faults.push(`formula in error: ${error.getAttribute("data-mjx-error") ?? error.textContent}`);
  }
  const prose = document.querySelector("article.bd-article")?.cloneNode(true);
  prose?.querySelectorAll("pre, code, mjx-container, script, style").forEach((element) => element.remove());
  for (const raw of prose?.textContent.match(/\\\[|\\\(|\$\$|\\begin\{\w+\}/g) ?? []) faults.push(`raw maths: ${raw}`);
  const images = [...document.querySelectorAll("img")];
  await Promise.all(images.map((image) => image.decode().catch(() => faults.push(`image not loaded: ${image.src}`))));
  for (const image of images) {
    if (!image.hasAttribute("alt") || /\.(png|svg|jpe?g)$/i.test(image.alt)) faults.push(`no alt text: ${image.src}`);
  }
  return { faults, formulas: formulas.length, images: images.length };
}

async function visit(browser, base, name, mode) {
  const report = (text) => fail(`${name} (${mode})`, text);
  const page = await open(browser, base, mode, report);
  await page.goto(base + name, { waitUntil: "networkidle0", timeout: 60000 });
  const { faults, formulas, images } = await page.evaluate(inspect);
  faults.forEach(report);
  await page.evaluate(axe);
  const { violations } = await page.evaluate((tags) => window.axe.run(document, {
    runOnly: { type: "tag", values: tags }, resultTypes: ["violations"] }), rules);
  for (const { id, help, nodes } of violations) {
    report(`axe ${id}, ${nodes.length} places (${help}): ${nodes.slice(0, 2).map((node) => node.html.slice(0, 160)).join(" | ")}`);
  }
  totals.visits += 1;
  totals.formulas += formulas;
  totals.images += images;
  await page.close();
}

async function search(browser, base, first) {
  const report = (text) => fail("search", text);
  const page = await open(browser, base, "light", report);
  await page.goto(base + first, { waitUntil: "networkidle0" });
  const fields = await page.$$eval(".search-button__button, input[type=search]", (all) =>
    all.filter((element) => element.checkVisibility()).length);
  if (fields !== 1) report(`${fields} visible search fields, not 1`);
  await page.click(".search-button__button");
  await page.type("dialog input[type=search]", word);
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  await page.waitForSelector("#search-results li a", { timeout: 15000 }).catch(() => {});
  const found = await page.$$eval("#search-results li a", (links) => new Set(links.map((link) => link.pathname)).size);
  if (!found) report(`${word} is not found`);
  await page.close();
  return found;
}

const start = Date.now();
const server = await serve();
const base = `http://127.0.0.1:${server.address().port}/`;
const profile = fs.mkdtempSync(path.join(os.tmpdir(), "book-browser-"));
const browser = await puppeteer.launch({
  executablePath: process.env.CHROME, userDataDir: profile, protocolTimeout: 120000,
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const pages = pagesBelow(root);
let found = 0;
try {
  if (!pages.length) fail(root, "no page");
  const visits = pages.flatMap((name) => modes.map((mode) => [name, mode]));
  const worker = async () => {
    for (let next = visits.shift(); next; next = visits.shift()) {
      await visit(browser, base, ...next).catch((error) => fail(next.join(" "), error.message));
    }
  };
  await Promise.all([worker(), worker()]);
  if (pages.length) found = await search(browser, base, pages.find((name) => name.endsWith("index.html")) ?? pages[0]);
} catch (error) {
  fail("browser", error.message);
} finally {
  await browser.close();
  server.close();
  fs.rmSync(profile, { recursive: true, force: true });
}
for (const [what, where] of failures) {
  console.log(`${what}\n    in ${where.slice(0, 3).join(", ")}${where.length > 3 ? ` and ${where.length - 3} more` : ""}`);
}
console.log(`browser: ${pages.length} pages in ${modes.length} modes, ${totals.formulas} formulas, ${totals.images} images, `
  + `"${word}" found on ${found} pages, ${failures.size} failures, ${Math.round((Date.now() - start) / 1000)} s`);
process.exit(failures.size ? 1 : 0);
