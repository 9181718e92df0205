// Sends with the CloudEvents SDK in each of its modes, and prints what was answered 201: node cloudevents.mjs URL COUNT
import { CloudEvent, HTTP } from 'cloudevents';

const [url, count] = process.argv.slice(2);
const delivered = [];
const failed = [];

async function post(message, events) {
  const answer = await fetch(url, { method: 'POST', headers: message.headers, body: message.body });
  if (answer.status === 201) delivered.push(...events.map((event) => event.toJSON()));
  else failed.push(`${answer.status} ${await answer.text()}`);
}

// The SDK puts attributes into headers as they are, so that in binary mode they must be ASCII.
function event(n, mode) {
  return new CloudEvent({
    id: `${mode}-${n}`, source: '/sdk/tests', type: `sdk.${mode}`, subject: mode === 'binary' ? 'order 17' : 'Euro €😀',
    time: '2026-11-21T08:15:30.000Z', sampledrate: 3, comexampleextension: 'a value; of some kind', data: { n, text: 'Grüße' },
  });
}

for (let n = 0; n < Number(count); ++n) {
  const structured = event(n, 'structured');
  await post(HTTP.structured(structured), [structured]);
  const binary = event(n, 'binary');
  await post(HTTP.binary(binary), [binary]);
}
console.log(JSON.stringify({ delivered, failed }));
