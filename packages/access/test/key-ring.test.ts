import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { KeyRing, parseKeyFile } from '../dist/index.js';
import type { KeyGrant } from '../dist/index.js';

const NOW_MS = Date.parse('2025-06-01T00:00:00Z');

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The parsed file, where it must be one. */
function parse(file: unknown): { grants: readonly KeyGrant[]; warnings: readonly string[] } {
  const parsed = parseKeyFile(typeof file === 'string' ? file : JSON.stringify(file));
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed;
}

function tierOf(file: unknown, key: string): number | undefined {
  return new KeyRing(parse(file).grants).lookup(key, NOW_MS)?.tier;
}

void t.test('an entry gives its user, its tier and the digest of its key', (t) => {
  t.same(parse({ alice: { key: 'key-of-alice', tier: 50 } }), {
    ok: true,
    grants: [{ sha256: sha256('key-of-alice'), userId: 'alice', tier: 50 }],
    warnings: [],
  });
  t.end();
});

const WITHOUT_WARNING: readonly (readonly [name: string, entry: unknown, tier: number])[] = [
  ['a legacy entry means tier 100', 'K', 100],
  ['a missing tier means 0', { key: 'K' }, 0],
  ['a tier between two gives the lower one', { key: 'K', tier: 75 }, 50],
  ['a tier just below the highest gives the lower one', { key: 'K', tier: 99.9 }, 50],
  ['a tier of 0 is allowed', { key: 'K', tier: 0 }, 0],
  ['unknown members are no harm', { key: 'K', tier: 30, note: 'paid until May' }, 30],
  ['tier 200 is above all data', { key: 'K', tier: 200 }, 200],
  ['tier 500 is the highest', { key: 'K', tier: 500 }, 500],
];
for (const [name, entry, tier] of WITHOUT_WARNING) {
  void t.test(name, (t) => {
    t.equal(tierOf({ user: entry }, 'K'), tier);
    t.same(parse({ user: entry }).warnings, []);
    t.end();
  });
}

const WITH_WARNING: readonly (readonly [name: string, entry: unknown, tier: number, warning: RegExp])[] = [
  ['a tier as numeric text counts', { key: 'K', tier: '100' }, 100, /"user".*text.*100/],
  ['numeric text between two tiers gives the lower one', { key: 'K', tier: ' 75 ' }, 50, /"user".*text.*50/],
  ['a tier between 100 and 200 counts as 100', { key: 'K', tier: 101 }, 100, /"user".*above 100/],
  ['a tier above 500 counts as 500', { key: 'K', tier: 1000 }, 500, /"user".*above 500/],
  ['a digest beside a key is ignored', { key: 'K', key_sha256: sha256('L'), tier: 30 }, 30, /key_sha256/],
];
for (const [name, entry, tier, warning] of WITH_WARNING) {
  void t.test(`${name}, with a warning`, (t) => {
    t.equal(tierOf({ user: entry }, 'K'), tier);
    const { warnings } = parse({ user: entry });
    t.equal(warnings.length, 1);
    t.match(warnings[0], warning);
    t.end();
  });
}

const SKIPPED: readonly (readonly [name: string, entry: unknown, warning: RegExp])[] = [
  ['a number', 5, /neither an object nor a text/],
  ['null', null, /neither an object nor a text/],
  ['a list', ['K'], /neither an object nor a text/],
  ['an empty legacy key', '', /"key" is empty/],
  ['an empty key', { key: '', tier: 100 }, /"key" is empty/],
  ['a key of spaces', { key: '  ', tier: 100 }, /"key" is empty/],
  ['no key', { tier: 100 }, /neither "key" nor "key_sha256"/],
  ['a numeric key', { key: 5, tier: 100 }, /"key" is not a text/],
  ['a list of keys', { key: ['K'], tier: 100 }, /"key" is not a text/],
  ['a digest that is too short', { key_sha256: 'abc', tier: 100 }, /"key_sha256" is not/],
  ['a tier of words', { key: 'K', tier: 'gold' }, /"tier" is not a number/],
  ['a tier of empty text', { key: 'K', tier: '' }, /"tier" is not a number/],
  ['a tier of null', { key: 'K', tier: null }, /"tier" is not a number/],
  ['a tier of true', { key: 'K', tier: true }, /"tier" is not a number/],
  ['a negative tier', { key: 'K', tier: -1 }, /"tier" is below 0/],
  ['a negative tier as text', { key: 'K', tier: '-30' }, /"tier" is not a number/],
  ['no connection allowed', { key: 'K', tier: 100, max_connections: 0 }, /"max_connections"/],
  ['a rate limit as text', { key: 'K', tier: 100, rate_limit: '60' }, /"rate_limit"/],
  ['an expiry in words', { key: 'K', tier: 100, expires: 'next year' }, /"expires" is not an ISO date/],
  ['an expiry as a number', { key: 'K', tier: 100, expires: 1893456000000 }, /"expires" is not an ISO date/],
  ['an expiry on a day there is not', { key: 'K', tier: 100, expires: '2030-02-30' }, /"expires" is not/],
  ['an expiry in no month', { key: 'K', tier: 100, expires: '2030-13-01' }, /"expires" is not/],
];
for (const [name, entry, warning] of SKIPPED) {
  void t.test(`an entry with ${name} is skipped with a warning, the others count`, (t) => {
    const file = { user: entry, other: 'key-of-other' };
    const { grants, warnings } = parse(file);
    t.same(
      grants.map(({ userId }) => userId),
      ['other'],
    );
    t.equal(warnings.length, 1);
    t.match(warnings[0], /^user "user" is skipped: /);
    t.match(warnings[0], warning);
    t.end();
  });
}

void t.test('a key may be given by its digest, in either case of letters', (t) => {
  t.equal(tierOf({ user: { key_sha256: sha256('K'), tier: 30 } }, 'K'), 30);
  t.equal(tierOf({ user: { key_sha256: sha256('K').toUpperCase(), tier: 30 } }, 'K'), 30);
  t.end();
});

void t.test('the empty key is never known, also where its digest stands in the file', (t) => {
  t.equal(tierOf({ user: { key_sha256: sha256(''), tier: 100 } }, ''), undefined);
  t.end();
});

void t.test('a key may hold spaces and letters of any script', (t) => {
  t.equal(tierOf({ user: 'key with space' }, 'key with space'), 100);
  t.equal(tierOf({ user: 'ключ-鍵' }, 'ключ-鍵'), 100);
  t.end();
});

void t.test('limits are read', (t) => {
  const [grant] = parse({ user: { key: 'K', tier: 100, max_connections: 2, rate_limit: 600 } }).grants;
  t.match(grant, { maxConnections: 2, rateLimit: 600 });
  t.end();
});

void t.test('a key counts until it expires', (t) => {
  const dates = {
    '2025-06-02': '2025-06-02T00:00:00.000Z',
    '2025-06-01T12:00': '2025-06-01T12:00:00.000Z',
    '2025-06-01T12:00:00Z': '2025-06-01T12:00:00.000Z',
    '2025-06-01T12:00:00.5+02:00': '2025-06-01T10:00:00.500Z',
  };
  for (const [expires, moment] of Object.entries(dates)) {
    const ring = new KeyRing(parse({ user: { key: 'K', tier: 100, expires } }).grants);
    const momentMs = Date.parse(moment);
    t.equal(ring.lookup('K', momentMs - 1)?.tier, 100, `${expires}: before`);
    t.equal(ring.lookup('K', momentMs), undefined, `${expires}: from then on`);
  }
  t.end();
});

void t.test('of two users with one key the last counts, with a warning that names both', (t) => {
  const { grants, warnings } = parse({
    alice: { key: 'shared-key', tier: 100 },
    bob: { key: 'shared-key', tier: 0 },
  });
  t.same(
    grants.map(({ userId, tier }) => [userId, tier]),
    [['bob', 0]],
  );
  t.equal(warnings.length, 1);
  t.match(warnings[0], /"bob".*"alice"/);
  t.end();
});

void t.test('a key and its digest are the same key', (t) => {
  const file = { alice: { key: 'K', tier: 100 }, bob: { key_sha256: sha256('K'), tier: 30 } };
  t.equal(tierOf(file, 'K'), 30);
  t.end();
});

void t.test('the last entry is the last of the text, also where names look like numbers', (t) => {
  t.equal(tierOf('{"bob": {"key": "K", "tier": 100}, "7": {"key": "K", "tier": 0}}', 'K'), 0);
  t.equal(tierOf('{"7": {"key": "K", "tier": 0}, "bob": {"key": "K", "tier": 100}}', 'K'), 100);
  t.end();
});

void t.test('of two entries of one user the last counts, with a warning', (t) => {
  const text = '{"bob": {"key": "old-key", "tier": 100}, "b\\u006fb": {"key": "new-key", "tier": 30}}';
  const { grants, warnings } = parse(text);
  t.same(
    grants.map(({ sha256: digest, tier }) => [digest, tier]),
    [[sha256('new-key'), 30]],
  );
  t.same(warnings, ['user "bob" stands more than once: the last entry counts']);
  t.end();
});

void t.test('a skipped entry does not displace an earlier one with its key', (t) => {
  t.equal(tierOf({ alice: { key: 'K', tier: 100 }, bob: { key: 'K', tier: 'gold' } }, 'K'), 100);
  t.end();
});

void t.test('users may be named as members of Object.prototype', (t) => {
  const text = '{"__proto__": {"key": "K1", "tier": 30}, "constructor": "K2", "toString": {"key": "K3"}}';
  const { grants, warnings } = parse(text);
  t.same(
    grants.map(({ userId, tier }) => [userId, tier]),
    [
      ['__proto__', 30],
      ['constructor', 100],
      ['toString', 0],
    ],
  );
  t.same(warnings, []);
  t.end();
});

void t.test('what an entry inherits is not read', (t) => {
  const { grants } = parse('{"user": {"__proto__": {"key": "K", "tier": 100}}}');
  t.same(grants, []);
  t.end();
});

void t.test('names inside entries are no users', (t) => {
  const text =
    '{"user": {"key": "K", "tier": 0, "more": {"x": "X", "list": ["a", {"y": "Y"}]}}, "other": "L,\\":{"}';
  t.same(
    parse(text).grants.map(({ userId }) => userId),
    ['user', 'other'],
  );
  t.end();
});

void t.test('an empty object is a file without keys', (t) => {
  t.same(parse('{}'), { ok: true, grants: [], warnings: [] });
  t.end();
});

void t.test('a byte order mark is no error', (t) => {
  t.equal(tierOf('\uFEFF{"user": "K"}', 'K'), 100);
  t.end();
});

const REFUSED: readonly (readonly [text: string, reason: RegExp])[] = [
  ['', /not valid JSON/],
  ['{"user": "secret-key",\n "other": "secret-key",}', /not valid JSON \(line 2, column \d+\)/],
  ['["secret-key"]', /a list/],
  ['"secret-key"', /a string/],
  ['null', /null/],
  ['5', /a number/],
];
for (const [text, reason] of REFUSED) {
  void t.test(`refused, with the reason: ${JSON.stringify(text)}`, (t) => {
    const parsed = parseKeyFile(text);
    if (parsed.ok) throw new Error('it was not refused');
    t.match(parsed.reason, reason);
    t.notMatch(parsed.reason, /secret-key/);
    t.end();
  });
}

// Told apart from user names, so that a key in a text can only be one that leaked.
const anyKey = fc.string({ minLength: 1, maxLength: 20 }).map((tail) => `leak-${tail}`);
const anyTier = fc.oneof(fc.constantFrom<unknown>(0, 30, 50, 100, '30', 101, -1, null), fc.double(), anyKey);
const anyEntry = fc.oneof(
  anyKey,
  fc.record(
    {
      key: anyKey,
      tier: anyTier,
      key_sha256: anyKey,
      expires: anyKey,
      rate_limit: anyKey,
      max_connections: anyKey,
    },
    { requiredKeys: [] },
  ),
  fc.record({ key: anyKey, tier: anyTier }, { requiredKeys: [] }),
  fc.array(anyKey),
);

void t.test('no text for the operator ever holds a key', (t) => {
  t.doesNotThrow(() => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ maxLength: 3 }), anyEntry), fc.nat(), (file, cut) => {
        const whole = JSON.stringify(file, null, 1);
        const part = parseKeyFile(whole.slice(0, cut % (whole.length + 1)));
        const all = parse(file);
        const texts = [...all.warnings, ...(part.ok ? part.warnings : [part.reason])];
        return texts.every((text) => !text.includes('leak-'));
      }),
    );
  });
  t.end();
});

void t.test('whatever the order of users, the last entry of a key decides', (t) => {
  const entry = fc.tuple(fc.constantFrom('K1', 'K2'), fc.constantFrom(0, 30, 50, 100));
  t.doesNotThrow(() => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string(), { maxLength: 6 }),
        fc.array(entry, { maxLength: 6 }),
        (names, entries) => {
          const users = names.flatMap((name, place) => {
            const given = entries[place];
            return given === undefined ? [] : [{ name, key: given[0], tier: given[1] }];
          });
          const members = users.map(
            ({ name, ...value }) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`,
          );
          const text = `{${members.join(', ')}}`;
          return ['K1', 'K2'].every(
            (key) => tierOf(text, key) === users.findLast((user) => user.key === key)?.tier,
          );
        },
      ),
    );
  });
  t.end();
});
