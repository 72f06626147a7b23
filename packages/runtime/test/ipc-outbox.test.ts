import t from 'tap';
import type { AnyTransaction } from '../dist/ipc/messages.js';
import { Outbox } from '../dist/ipc/outbox.js';

type Sent = (error: Error | null) => void;

/** An outbox whose messages leave when told to. */
function testOutbox(): { outbox: Outbox; messages: (readonly AnyTransaction[])[]; sent: Sent[] } {
  const messages: (readonly AnyTransaction[])[] = [];
  const sent: Sent[] = [];
  const outbox = new Outbox((transactions, done) => {
    messages.push(transactions);
    sent.push(done);
  });
  return { outbox, messages, sent };
}

function health(sinceMs: number): AnyTransaction {
  return {
    topic: 'health',
    reset: false,
    put: [['feed', { kind: 'feed-health', up: true, sinceMs }]],
    remove: [],
  };
}

function keys(userId: string): AnyTransaction {
  const entries = [{ sha256: userId, userId, tier: 0 }] as const;
  return { topic: 'keys', reset: false, put: [['ring', { kind: 'keys', entries }]], remove: [] };
}

void t.test('with nothing under way a message goes out at once, also an empty one', (t) => {
  const { outbox, messages } = testOutbox();
  outbox.push([]);
  t.same(messages, [[]]);
  t.end();
});

void t.test('what is pushed while a message is under way goes out as one, with the newest values', (t) => {
  const { outbox, messages, sent } = testOutbox();
  outbox.push([health(1)]);
  outbox.push([health(2), keys('a')]);
  outbox.push([health(3)]);
  t.equal(messages.length, 1);
  sent[0]?.(null);
  t.same(messages[1], [health(3), keys('a')]);
  sent[1]?.(null);
  t.equal(messages.length, 2);
  outbox.push([health(4)]);
  t.same(messages[2], [health(4)]);
  t.end();
});

void t.test('after an error nothing is sent any more', (t) => {
  const { outbox, messages, sent } = testOutbox();
  outbox.push([health(1)]);
  outbox.push([health(2)]);
  sent[0]?.(new Error('broken pipe'));
  outbox.push([health(3)]);
  t.same(messages, [[health(1)]]);
  t.end();
});

void t.test('a closed outbox sends nothing', (t) => {
  const { outbox, messages, sent } = testOutbox();
  outbox.push([health(1)]);
  outbox.push([health(2)]);
  outbox.close();
  sent[0]?.(null);
  outbox.push([health(3)]);
  t.same(messages, [[health(1)]]);
  t.end();
});
