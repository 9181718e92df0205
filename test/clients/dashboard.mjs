// Opens the dashboard in headless Chromium, and does what it is told on standard input, a line a task:
//   wait EXPRESSION   until the JavaScript expression is true in the page
//   get EXPRESSION    answers its value
//   press KEY, fill SELECTOR TEXT, click SELECTOR
//   size WIDTH, dark, light
//   shot FILE         a picture of the whole page
// Each is answered with one line of JSON: {"value":…} or {"error":"…"}. At the end of input it closes.
import readline from 'node:readline';
import { chromium } from 'playwright-core';

const [address, executablePath, patience] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const page = await browser.newPage();
page.setDefaultTimeout(Number(patience));
const troubles = []; // of the script, and what the page's policy did not allow
page.on('pageerror', (error) => troubles.push(String(error)));
page.on('console', (message) => {
  if (message.type() === 'error' && !message.text().includes('ERR_')) troubles.push(message.text());
});
const asked = new Set();
page.on('request', (request) => asked.add(new URL(request.url()).origin));

// Not with waitForFunction, which evaluates text within the page, where its policy does not allow it.
async function wait(expression) {
  const end = Date.now() + Number(patience);
  while (!(await page.evaluate(expression))) {
    if (Date.now() > end) throw new Error(`not within ${patience} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const tasks = {
  wait,
  get: (expression) => page.evaluate(expression),
  press: (key) => page.keyboard.press(key).then(() => null),
  click: (selector) => page.click(selector).then(() => null),
  fill: (rest) => page.fill(rest.split(' ', 1)[0], rest.slice(rest.indexOf(' ') + 1)).then(() => null),
  size: (width) => page.setViewportSize({ width: Number(width), height: 900 }).then(() => null),
  dark: () => page.emulateMedia({ colorScheme: 'dark' }).then(() => null),
  light: () => page.emulateMedia({ colorScheme: 'light' }).then(() => null),
  shot: (path) => page.screenshot({ path, fullPage: true }).then(() => null),
  troubles: async () => troubles,
  origins: async () => [...asked],
};

await page.goto(address);
for await (const line of readline.createInterface({ input: process.stdin })) {
  const [task] = line.split(' ', 1);
  try {
    console.log(JSON.stringify({ value: await tasks[task](line.slice(task.length + 1)) ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
}
await browser.close();
