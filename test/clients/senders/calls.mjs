// The calls that the programs of the matrix send. What is odd about which of them is an argument: "4:nan", or several
// with commas between, or "none".
const FIRST = Date.parse('2026-11-21T08:15:30.000Z');

function nested(depth) {
  let value = [];
  for (let level = 1; level < depth; ++level) value = [value];
  return value;
}

function makeCall(n, sort) {
  const call = {
    n, user: `user-${n}`, name: 'Order Completed', time: new Date(FIRST + 1000 * n),
    data: { n, total: 12.5, note: 'Grüße "€"' },
  };
  if (sort === 'half-surrogate') call.data.odd = 'cut \u{1F600}'.slice(0, 5);
  if (sort === 'control-character') call.name = 'Order\u0007Completed';
  if (sort === 'long-user') call.user = 'u'.repeat(1500);
  if (sort === 'nan') call.data.odd = NaN;
  if (sort === 'depth') call.data.odd = nested(140);
  if (sort === 'no-name') call.name = '';
  return call;
}

// Sends all calls with `send(call)`, which returns a promise or throws, and returns what became of each.
export async function sendAll(count, odd, send, flush = async () => {}) {
  const report = { delivered: [], failed: [], refused: [] };
  const pending = [];
  const sorts = new Map(odd.split(',').map((one) => one.split(':')));
  for (let n = 0; n < count; ++n) {
    const call = makeCall(n, sorts.get(String(n)));
    try {
      pending.push(send(call).then(() => report.delivered.push(n), (error) => report.failed.push({ n, why: String(error) })));
    } catch (error) {
      report.refused.push({ n, why: String(error) });
    }
  }
  await flush();
  await Promise.all(pending);
  return report;
}
