// Sends with RudderStack's own library, and prints what it reports as delivered: node rudderstack.mjs HOST KEY COUNT
import RudderAnalytics from '@rudderstack/rudder-sdk-node';

const [host, writeKey, count] = process.argv.slice(2);
const delivered = [];
const failed = [];
// As it was made, the library posts compressed bodies to HOST/v1/batch.
const client = new RudderAnalytics(writeKey, { dataPlaneUrl: host, flushAt: 10, errorHandler: (e) => failed.push(String(e)) });

function send(kind, message) {
  return new Promise((resolve) => client[kind](message, (error) => {
    if (error) failed.push(String(error));
    else delivered.push({ ...message, type: kind });
    resolve();
  }));
}

const all = [];
for (let n = 0; n < Number(count); ++n) {
  const userId = `user-${n}`;
  all.push(send('identify', { messageId: `r-identify-${n}`, userId, traits: { plan: 'pro', n } }));
  all.push(send('track', { messageId: `r-track-${n}`, userId, event: 'Order Completed', properties: { total: 12.5, n } }));
  all.push(send('page', { messageId: `r-page-${n}`, anonymousId: `anonymous-${n}`, name: 'Pricing', properties: {} }));
  all.push(send('group', { messageId: `r-group-${n}`, userId, groupId: 'company-1', traits: {} }));
}
await client.flush();
await Promise.all(all);
console.log(JSON.stringify({ delivered, failed }));
process.exit(0); // its timers would keep it
