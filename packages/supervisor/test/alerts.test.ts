import { rmSync } from 'node:fs';
import t from 'tap';
import type { Test } from 'tap';
import { makePtnRoot, startServer, waitFor } from '@ptn-api/testkit';
import { sendAlerts } from '../dist/alerts/send-alerts.js';
import { SECRET, startReceiver } from './alert-receiver.ts';
import type { Receiver } from './alert-receiver.ts';
import {
  ask,
  feedSpec,
  memoryLog,
  pidOf,
  replaced,
  restSpec,
  startedSupervisor,
} from './supervisor-fixture.ts';

const keys = { user: { key: 'the-key', tier: 100 } };
const QUICK = { throttleMs: 600_000, feedDownAfterMs: 20, stableAfterMs: 50, checkEveryMs: 20 };

function arrived(receiver: Receiver, pattern: RegExp): Promise<string> {
  return waitFor(() => receiver.texts.find((text) => pattern.test(text)), {
    what: () => `${String(pattern)} arrives; ${JSON.stringify(receiver.texts)}`,
  });
}

/** @param answerWithinMs a receiver that takes longer is reported once more */
async function supervised(t: Test, receiver: Receiver, answerWithinMs = 20_000) {
  const { supervisor } = await startedSupervisor(t, { workers: [feedSpec(), restSpec(1)] });
  const { log, lines } = memoryLog();
  const end = sendAlerts({
    supervisor,
    url: receiver.url,
    log,
    maxStalenessMs: 120_000,
    timing: QUICK,
    webhookTiming: { answerWithinMs, backoff: { firstMs: 5, factor: 2, maxMs: 20 } },
  });
  t.teardown(end);
  return { supervisor, lines };
}

void t.test('a crash and the recovery from it are told', async (t) => {
  const receiver = await startReceiver(t);
  const { supervisor } = await supervised(t, receiver);
  process.kill(pidOf(supervisor, 'rest-1'), 'SIGKILL');
  await arrived(receiver, /Recovered: worker rest-1 runs again/);
  const texts = receiver.texts.filter((text) => text.includes('worker rest-1'));
  t.match(texts[0], /^\[ptn-api .+\] worker rest-1 ended: it was ended by SIGKILL/);
  t.equal(texts.length, 2);
});

void t.test(
  'a worker that crashes again and again is reported once as critical, and when it is stable',
  async (t) => {
    const receiver = await startReceiver(t);
    const { supervisor } = await supervised(t, receiver);
    for (let count = 0; count < 4; count += 1) {
      const pid = pidOf(supervisor, 'rest-1');
      process.kill(pid, 'SIGKILL');
      await replaced(supervisor, 'rest-1', pid);
    }
    await arrived(receiver, /Recovered: worker rest-1 has not crashed/);
    t.equal(receiver.texts.filter((text) => text.includes('again and again')).length, 1);
    t.equal(
      receiver.texts.filter((text) => text.includes('ended by SIGKILL')).length,
      1,
      'later crashes wait',
    );
  },
);

void t.test('a feed that stays away is reported, and when it is back', async (t) => {
  const receiver = await startReceiver(t);
  const { supervisor } = await supervised(t, receiver);
  process.kill(pidOf(supervisor, 'feed'), 'SIGKILL');
  await arrived(receiver, /the feed is down/);
  await arrived(receiver, /Recovered: the feed is there/);
});

void t.test('a webhook that is slow or broken is in the way of nothing', async (t) => {
  for (const manner of ['never', 500] as const) {
    const receiver = await startReceiver(t, manner);
    const { supervisor } = await supervised(t, receiver, 200);
    const pid = pidOf(supervisor, 'rest-1');
    process.kill(pid, 'SIGKILL');
    const next = await replaced(supervisor, 'rest-1', pid);
    const { port } = supervisor.address().rest;
    t.equal((await ask(port)).pid, next, 'the server answers');
    await arrived(receiver, /worker rest-1 ended/);
  }
});

void t.test('a whole server tells of crashes and of a damaged order log, and never of the URL', async (t) => {
  const receiver = await startReceiver(t);
  const root = makePtnRoot(t, { keys, outputs: '{}' });
  const first = await startServer(t, { root: root.path });
  await first.stop();
  rmSync(root.join('.ptn-api', 'orders'), { recursive: true });
  root.writeFile('.ptn-api/orders/data.mdb', 'this is no log');
  const server = await startServer(t, { root: root.path, args: ['--slack-webhook-url', receiver.url] });
  await arrived(receiver, /the order log was damaged/);
  const [pid = 0] = server.childPids();
  process.kill(pid, 'SIGKILL');
  await arrived(receiver, /worker \S+ ended/);
  await server.stop();
  t.notMatch(server.output(), SECRET);
});

void t.test('a URL that is none is refused, and not repeated', async (t) => {
  const root = makePtnRoot(t, { keys, outputs: '{}' });
  for (const url of [`ftp://example.org/${SECRET}`, SECRET]) {
    await t.rejects(startServer(t, { root: root.path, args: ['--alert-webhook-url', url] }), {
      message:
        /--alert-webhook-url \(PTN_API_ALERT_WEBHOOK_URL\) is no URL that begins with https:\/\/ or http:\/\//,
    });
    const failed = await startServer(t, { root: root.path, args: ['--alert-webhook-url', url] }).catch(
      (error: unknown) => (error instanceof Error ? error.message : ''),
    );
    t.notMatch(failed, SECRET);
  }
});
