import t from 'tap';
import type { Test } from 'tap';
import { waitFor } from '@ptn-api/testkit';
import { Webhook } from '../dist/alerts/webhook.js';
import { SECRET, startReceiver } from './alert-receiver.ts';
import type { Receiver } from './alert-receiver.ts';
import { memoryLog } from './supervisor-fixture.ts';
import type { LogLine } from './supervisor-fixture.ts';

/** Waits are short; an answer has time also on a busy machine: one that comes too late is a text sent twice. */
const QUICK = { answerWithinMs: 10_000, backoff: { firstMs: 5, factor: 2, maxMs: 20 }, attempts: 4 };

function webhookTo(
  t: Test,
  url: string,
  timing: Partial<typeof QUICK> = {},
): { webhook: Webhook; lines: LogLine[] } {
  const { log, lines } = memoryLog();
  const webhook = new Webhook({ url: new URL(url), log, timing: { ...QUICK, ...timing } });
  t.teardown(() => {
    webhook.close();
  });
  return { webhook, lines };
}

function received(receiver: Receiver, count: number): Promise<unknown> {
  return waitFor(() => receiver.texts.length >= count, { what: `${count} texts are received` });
}

function logged(lines: LogLine[], event: string): Promise<LogLine> {
  return waitFor(() => lines.find((line) => line['event'] === event), { what: `${event} is logged` });
}

void t.test('texts arrive in order', async (t) => {
  const receiver = await startReceiver(t);
  const { webhook } = webhookTo(t, receiver.url);
  for (const text of ['one', 'two', 'three']) webhook.send(text);
  await received(receiver, 3);
  t.same(receiver.texts, ['one', 'two', 'three']);
});

void t.test('a receiver that answers 500 gets the text again until it takes it', async (t) => {
  const receiver = await startReceiver(t, 500);
  const { webhook, lines } = webhookTo(t, receiver.url, { attempts: 1000 });
  webhook.send('one');
  await received(receiver, 3);
  receiver.answer(200);
  webhook.send('two');
  await waitFor(() => receiver.texts.includes('two'), { what: 'the second text arrives' });
  t.same(new Set(receiver.texts.slice(0, -1)), new Set(['one']));
  t.equal(lines.filter(({ event }) => event === 'alert-delayed').length, 1, 'and that is logged once');
});

void t.test('after the last attempt a text is given up, and the next one has its turn', async (t) => {
  const receiver = await startReceiver(t, 503);
  const { webhook, lines } = webhookTo(t, receiver.url);
  webhook.send('one');
  webhook.send('two');
  await received(receiver, 2 * QUICK.attempts);
  t.same(receiver.texts, ['one', 'one', 'one', 'one', 'two', 'two', 'two', 'two']);
  t.match(await logged(lines, 'alert-given-up'), { attempt: QUICK.attempts });
});

void t.test('a text that is refused for good is not sent again', async (t) => {
  for (const status of [404, 302]) {
    const receiver = await startReceiver(t, status);
    const { webhook, lines } = webhookTo(t, receiver.url);
    webhook.send('one');
    webhook.send('two');
    await received(receiver, 2);
    t.same(receiver.texts, ['one', 'two'], `after ${status}`);
    t.match((await logged(lines, 'alert-given-up'))['msg'], `it answered ${status}`);
  }
});

void t.test('a receiver that never answers is given up as well', async (t) => {
  const receiver = await startReceiver(t, 'never');
  const { webhook, lines } = webhookTo(t, receiver.url, { attempts: 2, answerWithinMs: 100 });
  webhook.send('one');
  t.match((await logged(lines, 'alert-given-up'))['msg'], 'it did not answer within 100 ms');
  t.same(receiver.texts, ['one', 'one']);
});

void t.test(
  'a webhook that is not there holds a bounded number of texts and the newest of them',
  async (t) => {
    const receiver = await startReceiver(t, 'never');
    const { webhook } = webhookTo(t, receiver.url, { attempts: 1000, answerWithinMs: 200 });
    for (let count = 1; count <= 500; count += 1) webhook.send(`text ${count}`);
    await received(receiver, 1);
    receiver.answer(200);
    await waitFor(() => receiver.texts.at(-1)?.startsWith('text 500'), { what: 'the newest arrives' });
    const texts = new Set(receiver.texts);
    t.equal(texts.size, 50);
    t.match([...texts][1], /^text 452 \(450 older alerts were dropped/);
  },
);

void t.test('nothing that is logged holds the path of the URL', async (t) => {
  const receiver = await startReceiver(t, 500);
  const { webhook, lines } = webhookTo(t, receiver.url, { attempts: 2 });
  webhook.send('one');
  await logged(lines, 'alert-given-up');
  const gone = webhookTo(t, `http://127.0.0.1:1/${SECRET}?token=${SECRET}`, { attempts: 2 });
  gone.webhook.send('two');
  t.match((await logged(gone.lines, 'alert-given-up'))['msg'], /could not be reached/);
  const text = JSON.stringify([lines, gone.lines]);
  t.notMatch(text, SECRET);
  t.match(text, `http://127.0.0.1:${receiver.port}`, 'the origin is');
});

void t.test('closing ends it at once', async (t) => {
  const receiver = await startReceiver(t, 500);
  const { webhook, lines } = webhookTo(t, receiver.url, {
    backoff: { firstMs: 3_600_000, factor: 1, maxMs: 3_600_000 },
  });
  webhook.send('one');
  await logged(lines, 'alert-delayed');
  webhook.close();
  webhook.send('two');
  t.same(receiver.texts, ['one']);
});
