import { killAtOnce, waitFor, workersOf } from '@ptn-api/testkit';
import t from 'tap';
import { hotkeysOf, place, served, startLoad, subscriber } from './fault-fixture.ts';

/** As many as fit in some seconds: the wait before a restart grows. bench/kill-feed.mjs kills it 100 times. */
const KILLS = 5;

await t.test('a feed that is killed again and again: REST answers, and every order comes once', async (t) => {
  const { root, server } = await served(t);
  const sequences = await subscriber(t, server);
  const load = startLoad(server);
  const ready = (): number => server.output().split('worker feed is ready').length - 1;
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const [feed] = workersOf(server, 'feed');
    t.ok(feed, 'there is a feed to kill');
    killAtOnce(feed);
    place(root, `killed-${kill}`);
    await waitFor(() => sequences.length === kill && ready() === kill + 1, {
      what: () => `the order of kill ${kill}, there are ${sequences.join()}`,
      timeoutMs: 30_000,
    });
  }
  const { statuses } = await load.end();
  t.same(
    sequences,
    Array.from({ length: KILLS }, (_, index) => index + 1),
  );
  t.same(statuses, [200]);
  t.equal((await hotkeysOf(server)).length, KILLS + 1);
  t.equal(server.output().split('"event":"worker-critical"').length - 1, 1, 'told once as critical');
});
