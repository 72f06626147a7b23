import { getPublicKey } from '@scure/sr25519';
import t from 'tap';
import {
  Keypair,
  createHotkeyFile,
  decodeAddress,
  encodeAddress,
  readHotkeyFile,
  seedOfPhrase,
  signatureProblem,
} from '../dist/index.js';

const PHRASE = 'bottom drive obey lake curtain smoke basket hold race lonely fit walk';
const root = Keypair.fromSeed(seedOfPhrase(PHRASE));
const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`;

void t.test('keys below the development phrase have the addresses that everybody knows', (t) => {
  t.equal(root.address, '5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV');
  t.equal(root.derive('Alice').address, '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY');
  t.end();
});

void t.test('a signature counts for its text and its signer only, in browser wallets’ form too', (t) => {
  const alice = root.derive('Alice');
  const signature = alice.sign('é€😀');
  t.equal(signatureProblem(alice.address, 'é€😀', signature), undefined);
  t.equal(signatureProblem(alice.address, 'é€😀', signature.toUpperCase().replace('0X', '0x')), undefined);
  t.equal(signatureProblem(alice.address, 'é€', signature), 'mismatch');
  t.equal(signatureProblem(root.address, 'é€😀', signature), 'mismatch');
  t.equal(signatureProblem('5GrwvaEF', 'é€😀', signature), 'mismatch', 'no address');
  t.equal(signatureProblem(alice.address, 'x', alice.sign('<Bytes>x</Bytes>')), undefined);
  t.equal(signatureProblem(alice.address, 'x', undefined), 'not hex');
  t.equal(signatureProblem(alice.address, 'x', ''), 'not hex');
  t.equal(signatureProblem(alice.address, 'x', `0x${'g'.repeat(128)}`), 'not hex');
  t.equal(signatureProblem(alice.address, 'x', '0x'), 'length');
  for (const byte of ['00', 'ff']) {
    t.equal(signatureProblem(alice.address, 'x', `0x${byte.repeat(64)}`), 'mismatch');
  }
  t.end();
});

void t.test('nothing shows the secret of a key', (t) => {
  t.notMatch(JSON.stringify(root), /secret/i);
  t.same(Object.keys(root).sort(), ['address', 'publicKey']);
  t.end();
});

void t.test('one changed letter makes an address none', (t) => {
  const { address, publicKey } = root;
  t.same(decodeAddress(encodeAddress(publicKey)), publicKey);
  for (let at = 0; at < address.length; at += 1) {
    const other = address[at] === 'x' ? 'y' : 'x';
    t.equal(decodeAddress(address.slice(0, at) + other + address.slice(at + 1)), undefined);
  }
  t.equal(decodeAddress('1'.repeat(100_000)), undefined);
  t.end();
});

void t.test('hotkey files', (t) => {
  const file = createHotkeyFile();
  const { secretSeed, secretPhrase, ss58Address } = file;
  const read = (members: object): unknown => {
    const result = readHotkeyFile(JSON.stringify(members));
    return result.ok ? [result.address, result.keypair !== undefined] : result.reason;
  };
  t.same(read(file), [ss58Address, true], 'a new one');
  t.not(createHotkeyFile().ss58Address, ss58Address);
  t.same(read({ secretPhrase }), [ss58Address, true], 'a phrase alone');
  t.same(read({ secretSeed }), [ss58Address, true], 'a seed alone');
  t.same(read({ ss58Address }), [ss58Address, false], 'an address alone');
  t.match(read({}), /neither a secret nor an ss58Address/);
  t.match(read([]), /neither/);
  t.match(read({ secretSeed: '0x12' }), /secretSeed is not/);
  t.match(read({ secretPhrase: `${secretPhrase} zoo` }), /secret phrase is none/);
  t.notMatch(read({ secretPhrase: `${secretPhrase} zoo` }), secretPhrase?.split(' ')[0] ?? 'missing');
  t.match(read({ ...file, ss58Address: root.address }), /does not belong to its ss58Address/);
  t.match(read({ ss58Address: '5x' }), /is no address/);
  t.same(readHotkeyFile('$NACL'), { ok: false, reason: 'it is not JSON: encrypted hotkeys are not read' });
  t.same(readHotkeyFile('null'), { ok: false, reason: 'it holds no object' });
  t.end();
});

void t.test('a private key alone is read in both forms, checked by the public key', (t) => {
  // Plain scalars below 2^252, and what the polkadot libraries write: eight times as much.
  const plain = new Uint8Array(64).fill(7);
  plain[31] = 3;
  const times8 = Uint8Array.from(plain);
  const scalar = plain.slice(0, 32).reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n) * 8n;
  for (let at = 0; at < 32; at += 1) times8[at] = Number((scalar >> BigInt(at * 8)) & 255n);
  const publicKey = hex(getPublicKey(times8));
  for (const privateKey of [hex(plain), hex(times8)]) {
    const read = readHotkeyFile(JSON.stringify({ privateKey, publicKey }));
    t.ok(read.ok && read.keypair?.address === encodeAddress(getPublicKey(times8)), privateKey);
  }
  const reason = (members: object): unknown => {
    const read = readHotkeyFile(JSON.stringify(members));
    return read.ok ? 'read' : read.reason;
  };
  t.match(
    reason({ privateKey: hex(plain), publicKey: hex(root.publicKey) }),
    /does not belong to its publicKey/,
  );
  t.match(reason({ privateKey: hex(plain) }), /no publicKey to check it by/);
  t.match(reason({ privateKey: '0x1', publicKey }), /privateKey is not/);
  t.end();
});
