import t from 'tap';
import { deflateSegment, gzipMember } from '../../positions/dist/index.js';
import { RecentBodies } from '../dist/recent-bodies.js';
import { joinedSnapshot } from '../dist/snapshots/snapshot.js';

/** A snapshot of its own for each name, and how often its pieces were read. */
function countedSnapshot(name: string) {
  const segments = [name, ' and more'].map((text) => deflateSegment(text));
  const snapshot = joinedSnapshot(segments, 0);
  const counted = {
    reads: 0,
    snapshot: {
      ...snapshot,
      pieces: () => {
        counted.reads += 1;
        return snapshot.pieces();
      },
    },
    whole: gzipMember(segments),
  };
  return counted;
}

await t.test('a body is joined once, and again after others took its place', (t) => {
  const [first, second, third] = [countedSnapshot('aaaa'), countedSnapshot('bbbb'), countedSnapshot('cccc')];
  // Room for two of three.
  const bodies = new RecentBodies(2 * first.whole.length);
  t.equal(first.whole.length, third.whole.length);
  for (const { snapshot, whole } of [first, second, first]) t.ok(bodies.of(snapshot).equals(whole));
  t.equal(bodies.of(first.snapshot), bodies.of(first.snapshot), 'the same bytes');
  t.same([first.reads, second.reads], [1, 1]);
  // The second was asked for longer ago than the first.
  for (const { snapshot, whole } of [third, first, second]) t.ok(bodies.of(snapshot).equals(whole));
  t.same([first.reads, second.reads, third.reads], [1, 2, 1]);
  t.end();
});

await t.test('a body that alone is more than is kept is sent all the same', (t) => {
  const { snapshot, whole } = countedSnapshot('a');
  const bodies = new RecentBodies(whole.length - 1);
  t.ok(bodies.of(snapshot).equals(whole));
  t.ok(bodies.of(snapshot).equals(whole));
  t.end();
});
