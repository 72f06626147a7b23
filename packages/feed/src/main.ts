/** The feed worker: reads the validator's folder and publishes snapshots. Only wiring. */
import { createLogger, runWorker } from '@ptn-api/runtime';
import { feedMetrics } from './feed-metrics.ts';
import { Feed } from './feed.ts';

let feed: Feed | null = null;

const port = runWorker({
  name: 'feed',
  async onStart(config, lastGeneration) {
    const log = createLogger({ name: 'feed', level: config.logLevel });
    feed = new Feed({
      config,
      lastGeneration,
      log,
      publish: (transactions) => port.publish(transactions),
      alert: (alert) => {
        port.alert(alert);
      },
    });
    await feed.start();
    port.ready();
  },
  onMetrics: () => feedMetrics.families(feed?.treeStats()),
  async onDrain() {
    await feed?.close();
  },
});
