// node segment_node.mjs ADDRESS KEY COUNT BATCH ODD
import { Analytics } from '@segment/analytics-node';
import { sendAll } from './calls.mjs';

const [host, writeKey, count, batch, odd] = process.argv.slice(2);
const analytics = new Analytics({ host, writeKey, maxEventsInBatch: Number(batch), flushInterval: 60000 });
analytics.on('error', () => {}); // the calls' own callbacks are told, too

function send(call) {
  let track;
  const done = new Promise((resolve, reject) => {
    track = () => analytics.track(
      { userId: call.user, event: call.name, timestamp: call.time, properties: call.data },
      (error) => (error ? reject(error) : resolve()));
  });
  track(); // which throws what the library does not take
  return done;
}

console.log(JSON.stringify(await sendAll(Number(count), odd, send, () => analytics.closeAndFlush({ timeout: 120000 }))));
