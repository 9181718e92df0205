// Sends with Segment's own library, and prints what it reports as delivered: node segment.mjs HOST KEY COUNT
import { Analytics } from '@segment/analytics-node';

const [host, writeKey, count] = process.argv.slice(2);
const analytics = new Analytics({ host, writeKey, maxEventsInBatch: 15, flushInterval: 100 });
const delivered = [];
const failed = [];
analytics.on('error', (error) => failed.push(String(error.reason ?? error.code)));

function heard(error, context) {
  if (error) failed.push(String(error));
  else delivered.push(context.event);
}

for (let n = 0; n < Number(count); ++n) {
  const userId = `user-${n}`;
  analytics.identify({ userId, traits: { plan: 'pro', n } }, heard);
  analytics.track({ userId, event: 'Order Completed', properties: { total: 12.5, n, note: 'Grüße "€"' } }, heard);
  analytics.page({ anonymousId: `anonymous-${n}`, name: 'Pricing', properties: { path: '/pricing' } }, heard);
  analytics.screen({ userId, name: 'Home' }, heard);
  analytics.group({ userId, groupId: 'company-1', traits: { employees: n } }, heard);
  analytics.alias({ userId, previousId: `anonymous-${n}` }, heard);
}
await analytics.closeAndFlush({ timeout: 60000 });
console.log(JSON.stringify({ delivered, failed }));
