import { mock } from 'node:test';
import t from 'tap';
import type { Test } from 'tap';
import { AlertTopics } from '../dist/alerts/alert-topics.js';

interface Told {
  readonly topics: AlertTopics;
  readonly texts: string[];
  /** Lets time pass, and with it timers fire. */
  readonly pass: (ms: number) => void;
}

function made(t: Test): Told {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => {
    mock.timers.reset();
  });
  let nowMs = 0;
  const texts: string[] = [];
  const topics = new AlertTopics({ throttleMs: 600_000, now: () => nowMs, send: (text) => texts.push(text) });
  t.teardown(() => {
    topics.close();
  });
  return {
    topics,
    texts,
    pass: (ms) => {
      nowMs += ms;
      mock.timers.tick(ms);
    },
  };
}

void t.test('a problem is reported when it begins and when it ends, not while it lasts', (t) => {
  const { topics, texts } = made(t);
  topics.raise('a', 'a broke');
  topics.raise('a', 'a broke');
  topics.clear('a', 'a works');
  topics.clear('a', 'a works');
  t.same(texts, ['a broke', 'Recovered: a works']);
  t.end();
});

void t.test('what comes and goes is reported once, then in one text at the end of the quiet time', (t) => {
  const { topics, texts, pass } = made(t);
  for (let count = 0; count < 5; count += 1) {
    topics.raise('a', `a broke: ${count}`);
    topics.clear('a', 'a works');
  }
  t.same(texts.splice(0), ['a broke: 0', 'Recovered: a works']);
  pass(599_999);
  t.same(texts, []);
  pass(1);
  t.same(texts.splice(0), ['a broke: 4 (4 times more in 10 min, now over)']);
  pass(600_000);
  t.same(texts, [], 'and nothing more where nothing more was');
  t.end();
});

void t.test(
  'a problem that began in the quiet time and lasts is reported at its end, and so is its recovery',
  (t) => {
    const { topics, texts, pass } = made(t);
    topics.raise('a', 'a broke');
    topics.clear('a', 'a works');
    topics.raise('a', 'a broke again');
    pass(600_000);
    topics.clear('a', 'a works');
    t.same(texts.slice(2), ['a broke again (once more in 10 min, now lasting)', 'Recovered: a works']);
    t.end();
  },
);

void t.test('after the quiet time the next problem is reported at once', (t) => {
  const { topics, texts, pass } = made(t);
  topics.raise('a', 'a broke');
  topics.clear('a', 'a works');
  pass(600_000);
  topics.raise('a', 'a broke again');
  t.equal(texts.at(-1), 'a broke again');
  t.end();
});

void t.test('topics do not silence each other', (t) => {
  const { topics, texts } = made(t);
  topics.raise('a', 'a broke');
  topics.raise('b', 'b broke');
  topics.happened('c', 'c happened');
  topics.happened('c', 'c happened');
  t.same(texts, ['a broke', 'b broke', 'c happened']);
  t.end();
});

void t.test('what has no end is counted as well', (t) => {
  const { topics, texts, pass } = made(t);
  for (let count = 0; count < 3; count += 1) topics.happened('c', 'c happened');
  pass(600_000);
  t.same(texts, ['c happened', 'c happened (2 times more in 10 min)']);
  t.end();
});
