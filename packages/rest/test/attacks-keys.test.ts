/** What an unauthenticated client could learn of keys from how long their refusal takes, and what a key file could do to the server. */
import { createApiKey, KeyRing, keyDigest, parseKeyFile } from '@ptn-api/access';
import t from 'tap';
import { grant, keysTransaction, testApp } from './rest-fixture.ts';

const NOW_MS = Date.UTC(2026, 0, 1);

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

void t.test('how long a look-up takes says nothing about how much of a key is right', (t) => {
  const keys = Array.from({ length: 1000 }, createApiKey);
  const right = keys[500] ?? '';
  const ring = new KeyRing(keys.map((key) => grant(key, 100)));
  const other = (from: number) =>
    right.slice(0, from) + right.slice(from).replace(/./g, (digit) => (digit === 'x' ? 'y' : 'x'));
  const candidates: Readonly<Record<string, string>> = {
    'the key': right,
    'all but the last digit': other(right.length - 1),
    'the first half': other(right.length / 2),
    'the prefix': other(4),
    nothing: other(0),
    'another key': keys[0] ?? '',
  };
  t.ok(ring.lookup(right, NOW_MS));
  t.notOk(ring.lookup(candidates['all but the last digit'] ?? '', NOW_MS));
  const names = Object.keys(candidates);
  const samples = new Map(names.map((name) => [name, [] as number[]]));
  for (let round = 0; round < 600; round++) {
    // Each comes first and last as often as the others: what the machine does meanwhile hits all alike.
    for (let place = 0; place < names.length; place++) {
      const name = names[(place + round) % names.length] ?? '';
      const key = candidates[name] ?? '';
      const startedMs = performance.now();
      for (let time = 0; time < 30; time++) ring.lookup(key, NOW_MS);
      samples.get(name)?.push(performance.now() - startedMs);
    }
  }
  // The first ones are before the code is compiled.
  const medians = names.map((name) => median((samples.get(name) ?? []).slice(100)));
  const told = names
    .map((name, at) => `${name} ${(((medians[at] ?? 0) * 1e6) / 30).toFixed(0)} ns`)
    .join(', ');
  t.comment(told);
  t.ok(Math.max(...medians) / Math.min(...medians) < 1.5, told);
  t.end();
});

void t.test('digests have one length, whatever the key is', (t) => {
  for (const key of ['', 'a', 'a'.repeat(100_000), '\0', '\ud800', '€'])
    t.match(keyDigest(key), /^[0-9a-f]{64}$/);
  t.end();
});

void t.test('an entry of the key file gives nobody else anything', async (t) => {
  const file = `{
    "__proto__": {"key": "key-proto", "tier": 30},
    "constructor": {"key": "key-constructor", "tier": 0, "__proto__": {"tier": 100, "rate_limit": 5}},
    "prototype": {"__proto__": {"key": "key-inherited", "tier": 100}},
    "toString": "key-text",
    "amy": {"key": "key-amy", "tier": 50, "constructor": {"prototype": {"tier": 100}}}
  }`;
  const parsed = parseKeyFile(file);
  if (!parsed.ok) throw new Error(parsed.reason);
  t.same(
    parsed.grants.map(({ userId, tier, rateLimit }) => [userId, tier, rateLimit]),
    [
      ['__proto__', 30, undefined],
      ['constructor', 0, undefined],
      ['toString', 100, undefined],
      ['amy', 50, undefined],
    ],
  );
  t.match(parsed.warnings, [/"prototype" is skipped/]);
  for (const name of ['key', 'tier', 'rate_limit']) t.notOk(name in {}, name);

  const { app, snapshots } = testApp(t);
  snapshots.apply([keysTransaction(parsed.grants)]);
  const statusWith = async (key: string, url: string) =>
    (await app.inject({ url, headers: { authorization: `Bearer ${key}` } })).statusCode;
  t.equal(await statusWith('key-inherited', '/miner-hotkeys'), 401);
  t.equal(await statusWith('key-constructor', '/miner-positions?tier=0'), 200);
  t.equal(await statusWith('key-constructor', '/miner-positions?tier=100'), 403);
  t.equal(await statusWith('key-proto', '/validator-checkpoint'), 403);
});
