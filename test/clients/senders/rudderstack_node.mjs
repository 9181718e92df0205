// node rudderstack_node.mjs ADDRESS KEY COUNT BATCH ODD
// The library stamps originalTimestamp itself where a call has none, whatever its timestamp says.
import RudderAnalytics from '@rudderstack/rudder-sdk-node';
import { sendAll } from './calls.mjs';

const [host, writeKey, count, batch, odd] = process.argv.slice(2);
const client = new RudderAnalytics(writeKey, {
  dataPlaneUrl: host, flushAt: Number(batch), flushInterval: 60000, logLevel: 'off', errorHandler: () => {},
});

function send(call) {
  let track;
  const done = new Promise((resolve, reject) => {
    track = () => client.track(
      { userId: call.user, event: call.name, originalTimestamp: call.time, properties: call.data },
      (error) => (error ? reject(error) : resolve()));
  });
  track(); // which throws what the library does not take
  return done;
}

console.log(JSON.stringify(await sendAll(Number(count), odd, send, () => client.flush().catch(() => {}))));
process.exit(0); // its timers would keep it
