// node cloudevents_js.mjs ADDRESS KEY COUNT BATCH ODD: an event a request, structured and binary in turn
import { CloudEvent, HTTP } from 'cloudevents';
import { sendAll } from './calls.mjs';

const [address, key, count, , odd] = process.argv.slice(2);
let last = Promise.resolve();

function send(call) {
  const event = new CloudEvent({
    id: `e-${call.n}`, source: '/clients', type: call.name, subject: call.user, time: call.time.toISOString(), data: call.data,
  });
  const message = call.n % 2 ? HTTP.binary(event) : HTTP.structured(event);
  const answer = last.then(() => fetch(`${address}/events`, {
    method: 'POST', headers: { ...message.headers, Authorization: `Bearer ${key}` }, body: message.body,
  })).then(async (response) => {
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${text}`);
  });
  last = answer.catch(() => {}); // one after the other
  return answer;
}

console.log(JSON.stringify(await sendAll(Number(count), odd, send)));
