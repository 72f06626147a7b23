import t from 'tap';
import { UserLines } from '../dist/log/user-lines.js';

void t.test('each user has so many lines a minute', (t) => {
  let nowMs = 0;
  const lines = new UserLines(2, () => nowMs);
  const levels = (userId: string) => [1, 2, 3].map(() => lines.level(userId));
  t.same(levels('a'), ['info', 'info', 'debug']);
  t.same(levels('b'), ['info', 'info', 'debug']);
  nowMs = 60_000;
  t.same(levels('a'), ['info', 'info', 'debug']);
  t.end();
});
