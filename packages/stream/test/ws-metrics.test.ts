import { Registry } from 'prom-client';
import t from 'tap';
import { StreamMetrics } from '../dist/stream-metrics.js';

await t.test('deliveries, closings and connections are counted', async (t) => {
  const register = new Registry();
  const view = { openCount: 3, userIds: () => ['ann', 'ann', 'bob'], furthestBehind: () => 9 };
  const metrics = new StreamMetrics(register, () => view);
  metrics.countDelivery(5, 1000);
  metrics.countDelivery(2, 500);
  metrics.countClosed(4501);
  // A client may choose its code: made-up ones must not each make a series.
  metrics.countClosed(3123);
  metrics.countClosed(3124);
  metrics.observeLag(20);
  metrics.observeLag(-5);
  for (let look = 0; look < 2; look++) {
    const text = await register.metrics();
    t.match(text, '\nptn_api_stream_deliveries_total 7\n', 'looking changes nothing');
    t.match(text, '\nptn_api_stream_sent_bytes_total 1500\n');
    t.match(text, '\nptn_api_stream_open_connections 3\n');
    t.match(text, '\nptn_api_stream_user_connections{user_id="ann"} 2\n');
    t.match(text, '\nptn_api_stream_furthest_behind_orders 9\n');
    t.match(text, '\nptn_api_stream_closed_total{code="4501"} 1\n');
    t.match(text, '\nptn_api_stream_closed_total{code="other"} 2\n');
    t.match(text, '\nptn_api_stream_lag_seconds_bucket{le="0.001"} 1\n', 'a clock set back is no lag');
    t.match(text, '\nptn_api_stream_lag_seconds_count 2\n');
  }
});
