// Runs the script of the dashboard with the document that it needs and no browser, and prints what it shows:
// {"id": {"text": …, "hidden": …}}. Standard input: {"page": HTML, "status": the answer of /status}.
import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';

const input = JSON.parse(readFileSync(0, 'utf8'));

class Element {
  constructor() {
    this.children = [];
    this.clientWidth = 400;
    this.hidden = false;
  }

  append(...added) { this.children.push(...added); }
  prepend(...added) { this.children.unshift(...added); }
  replaceChildren(...added) { this.children = added; }
  setAttribute() {}
  addEventListener() {}
  get lastChild() { return this.children.at(-1); }
  get textContent() { return this.children.map((child) => child.textContent ?? child).join(' '); }
  set textContent(text) { this.children = [text]; }
}

const elements = new Map();
const byId = (id) => {
  if (!elements.has(id)) elements.set(id, new Element());
  return elements.get(id);
};

let failure = null;
runInNewContext(input.page.match(/<script>(.*)<\/script>/s)[1], {
  document: { getElementById: byId, createElement: () => new Element(), createElementNS: () => new Element() },
  fetch: async () => ({ ok: true, json: async () => input.status }),
  EventSource: class { close() {} addEventListener() {} },
  FormData: class { [Symbol.iterator]() { return [][Symbol.iterator](); } },
  AbortSignal, Intl, URLSearchParams, performance,
  setInterval() {},
  addEventListener() {},
});
await new Promise((resolve) => setTimeout(resolve, 50));
if (byId('stage').textContent !== input.status.stage) failure = byId('about').textContent;
if (failure) throw new Error(failure);
console.log(JSON.stringify(Object.fromEntries(
  [...elements].map(([id, { textContent: text, hidden }]) => [id, { text, hidden }]))));
