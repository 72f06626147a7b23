import { Keypair, parseMetagraph } from '@ptn-api/wire';
import t from 'tap';
import { validatorsOf } from '../dist/index.js';

const HOTKEYS = Array.from(
  { length: 4 },
  (_, index) => Keypair.fromSeed(new Uint8Array(32).fill(index + 1)).address,
);

void t.test('signals go to those who serve, the most trusted first', (t) => {
  const neurons = [
    { hotkey: HOTKEYS[0], stake_rao: 1001, validator_trust: 0.8, axon: { ip: '192.0.2.1', port: 1 } },
    { hotkey: HOTKEYS[1], stake_rao: 1000, validator_trust: 0.9, axon: { ip: '192.0.2.2', port: 1 } },
    { hotkey: HOTKEYS[2], stake_rao: 5000, validator_trust: 0.7, axon: { ip: '192.0.2.3', port: 1 } },
    { hotkey: HOTKEYS[3], stake_rao: 5000, validator_trust: 1, axon: { ip: '0.0.0.0', port: 1 } },
    { hotkey: HOTKEYS[2], stake_rao: 5000, validator_trust: 0.99, axon: { ip: '192.0.2.9', port: 1 } },
  ];
  const metagraph = parseMetagraph(JSON.stringify({ netuid: 8, neurons }));
  const found = (network: 'mainnet' | 'testnet') =>
    validatorsOf(metagraph, network).map(({ hotkey, isHighTrust }) => [HOTKEYS.indexOf(hotkey), isHighTrust]);
  t.same(found('mainnet'), [
    [0, true],
    [2, false],
  ]);
  t.same(found('testnet'), [
    [1, true],
    [0, true],
    [2, false],
  ]);
  t.end();
});
