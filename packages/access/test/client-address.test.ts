import type { IncomingMessage } from 'node:http';
import t from 'tap';
import {
  addressGroup,
  clientAddress,
  ExemptAddresses,
  parseProxy,
  plainAddress,
  trustFunction,
} from '../dist/index.js';

/** One address in every writing that proxies and systems have for it, and the one that it is given. */
const WRITINGS: Readonly<Record<string, readonly string[]>> = {
  '192.0.2.7': [
    '192.0.2.7',
    ' 192.0.2.7 ',
    '192.0.2.7:443',
    '"192.0.2.7"',
    '" 192.0.2.7 "',
    '"192.0.2.7:65535"',
    '::ffff:192.0.2.7',
    '::ffff:c000:207',
    '[::ffff:192.0.2.7]:80',
    '64:ff9b::192.0.2.7',
    '64:ff9b::c000:207',
  ],
  '2001:db8::1': [
    '2001:db8::1',
    '2001:DB8:0:0:0:0:0:1',
    '[2001:db8::1]',
    '[2001:db8::1]:8080',
    '"[2001:db8::1]:8080"',
    '2001:db8::1%eth0',
    '[2001:db8::1%eth0]:1',
  ],
  '64:ff9b:1::c000:207': ['64:ff9b:1::192.0.2.7'],
};

void t.test('every writing of an address is that address', (t) => {
  for (const [plain, writings] of Object.entries(WRITINGS))
    for (const writing of writings) t.equal(plainAddress(writing), plain, JSON.stringify(writing));
  t.end();
});

const NO_ADDRESSES = [
  '',
  'unknown',
  '_hidden',
  '192.0.2',
  '192.0.2.256',
  '192.0.2.07',
  '0300.0.2.7',
  '0xc0.0.2.7',
  '3221225991',
  '192.0.2.7:123456',
  '192.0.2.7:',
  '192.0.2.7:80x',
  'x192.0.2.7:80',
  '::ffff:192.0.2.07',
  '::ffff:0xc0.0.2.7',
  '[2001:db8::1',
  'x[2001:db8::1]',
  '[2001:db8::1]x',
  '[2001:db8::1]:123456',
  '2001:db8::1::2',
  '2001:db8',
  '"192.0.2.7',
  'x"192.0.2.7"',
];

void t.test('a text that is no address stays as it is, and is counted with all of its kind', (t) => {
  for (const text of NO_ADDRESSES) {
    t.equal(plainAddress(text), text);
    t.equal(addressGroup(text), 'no address', JSON.stringify(text));
  }
  t.end();
});

void t.test('a client is counted by what it cannot choose of its address', (t) => {
  t.equal(addressGroup('192.0.2.7:1'), '192.0.2.7');
  t.equal(addressGroup('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64');
  t.equal(addressGroup('2001:db8:1:2::'), '2001:db8:1:2::/64');
  t.not(addressGroup('2001:db8:1:3::'), '2001:db8:1:2::/64');
  for (const shared of ['64:ff9b:1::c000:207', '2001:0:1:2::9', '::7'])
    t.equal(addressGroup(shared), shared, 'one network holds many clients');
  t.equal(addressGroup('64:ff9b:2::1'), '64:ff9b:2::/64');
  t.equal(addressGroup('2001:1::1'), '2001:1::/64');
  t.end();
});

function request(remoteAddress: string | undefined, ips?: readonly string[]): string {
  const raw: unknown = { socket: { remoteAddress } };
  return clientAddress({ raw: raw as IncomingMessage, ips });
}

void t.test('the client is what the furthest trusted proxy forwards', (t) => {
  t.equal(request('::ffff:192.0.2.1'), '192.0.2.1', 'no proxy is trusted');
  t.equal(request('192.0.2.1', []), '192.0.2.1');
  t.equal(request('192.0.2.1', ['192.0.2.1', '192.0.2.2', '192.0.2.3:80']), '192.0.2.3');
  t.equal(request('192.0.2.1', ['192.0.2.1', '192.0.2.2', 'unknown']), '192.0.2.2', 'a made-up name');
  t.equal(request('192.0.2.1', ['unknown']), '192.0.2.1');
  t.equal(request(undefined), 'no address', 'it is no longer connected');
  t.end();
});

void t.test('an entry of --trust-proxy is an address, a block, or loopback', (t) => {
  const blocks = (entry: string): string[] =>
    parseProxy(entry).map(([address, bits]) => `${address.toString()}/${bits}`);
  t.same(blocks('loopback'), ['127.0.0.0/8', '::1/128']);
  t.same(blocks('192.0.2.7'), ['192.0.2.7/32']);
  t.same(blocks('2001:db8::1'), ['2001:db8::1/128']);
  t.same(blocks('192.0.2.0/24'), ['192.0.2.0/24']);
  t.same(blocks('192.0.2.0/1'), ['192.0.2.0/1']);
  t.same(blocks('192.0.2.7/32'), ['192.0.2.7/32']);
  t.same(blocks('2001:db8::/128'), ['2001:db8::/128']);
  t.same(blocks('::ffff:192.0.2.0/24'), ['192.0.2.0/24'], 'the block of the address that it is');
  const refused = [
    ...['', 'localhost', '/8', '0.0.0.0/0', '::/0', '192.0.2.0/33', '2001:db8::/129', '192.0.2.0/24/24'],
    ...['192.0.2.0/', '192.0.2.0/x', '192.0.2.0/1x', '192.0.2.0/x1', '192.0.2.0/1.5', '192.0.2.0/0024'],
    ...['[2001:db8::1]', '"192.0.2.7"', '2001:db8::1%eth0', ' 192.0.2.7', '192.0.2.7 '],
  ];
  for (const entry of refused) t.same(blocks(entry), [], JSON.stringify(entry));
  t.end();
});

void t.test('whom a list of proxies trusts', (t) => {
  const trusts = trustFunction(['192.0.2.0/24', '2001:db8::/32', 'nonsense']);
  for (const address of ['192.0.2.255', '::ffff:192.0.2.1', '2001:db8:ffff::1'])
    t.ok(trusts(address), address);
  for (const address of ['192.0.3.0', '2001:db9::', '127.0.0.1', 'nonsense', undefined])
    t.notOk(trusts(address), String(address));
  t.notOk(trustFunction([])('127.0.0.1'), 'an empty list trusts nobody');
  t.end();
});

void t.test('this machine and the trusted proxies are exempt', (t) => {
  const exempt = new ExemptAddresses(['192.0.2.1']);
  for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1', '192.0.2.1'])
    t.ok(exempt.has(address), address);
  for (const address of ['127.0.0.2', '126.0.0.1', '::2', '192.0.2.2', 'no address'])
    t.notOk(exempt.has(address), address);
  t.end();
});

void t.test('addresses are told apart however many there were', (t) => {
  const addresses = Array.from({ length: 2500 }, (_, index) => `192.0.${index >> 8}.${index & 255}`);
  for (let round = 0; round < 2; round++) {
    t.same(
      addresses.map((address) => addressGroup(`${address}:443`)),
      addresses,
    );
    t.equal(addressGroup('unknown'), 'no address');
  }
  t.end();
});
