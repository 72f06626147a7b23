// How many signed orders a second a validator of the devnet takes on one core: signature, hash, intake, files. With disk and
// without, and what each share of it costs. 256 miners, one order after the other, as their requests would come in.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseJson } from '@ptn-api/positions';
import { GENERATION_2025_05 } from '@ptn-api/rules';
import { Keypair, NONCE_WINDOW_NS, NonceMemory, signRequest, verifyRequest } from '@ptn-api/wire';
import { Axon } from '../packages/devnet/dist/validator/axon.js';
import { DurableFolder } from '../packages/devnet/dist/validator/durable-folder.js';
import { RandomPrices } from '../packages/devnet/dist/validator/random-prices.js';
import { Validator } from '../packages/devnet/dist/validator/validator.js';
import { row } from './lib/report.mjs';

const [MINERS, ORDERS_EACH] = [256, 8];
/** Wednesday 2025-05-14 14:00 UTC. */
const START_MS = 1_747_231_200_000;
/** From one order of a miner to its next. */
const STEP_MS = 61_000;
const NOW_NS = 1_800_000_000_000_000_000n;

const validatorKey = Keypair.fromSeed(new Uint8Array(32).fill(1));
const miners = Array.from({ length: MINERS }, (_, index) => {
  const seed = new Uint8Array(32).fill(2);
  new DataView(seed.buffer).setUint32(0, index);
  return Keypair.fromSeed(seed);
});

function signal(turn) {
  const type = turn % 4 === 3 ? 'FLAT' : 'LONG';
  return parseJson(
    `{"trade_pair": {"trade_pair_id": "BTCUSD"}, "order_type": "${type}", "leverage": ${type === 'FLAT' ? 0 : 0.1}}`,
  );
}

/** All requests, turn by turn. */
function sign() {
  const requests = [];
  for (let turn = 0; turn < ORDERS_EACH; turn++) {
    for (const [index, keypair] of miners.entries()) {
      const { path, method, headers, body } = signRequest({
        synapse: 'SendSignal',
        fields: { signal: signal(turn), miner_order_uuid: `order-${turn}-${index}` },
        axon: { ip: '127.0.0.1', port: 8091, hotkey: validatorKey.address },
        keypair,
        nonceNs: NOW_NS,
        uuid: `run-${turn}-${index}`,
        timeoutMs: 12_000,
        ip: '127.0.0.1',
      });
      requests.push({ path, method, headers, body: Buffer.from(body), nowMs: START_MS + turn * STEP_MS });
    }
  }
  return requests;
}

function measure(requests, answer) {
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  for (const request of requests) answer(request);
  const seconds = (performance.now() - startedMs) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: requests.length / seconds, cpuMs: (user + system) / 1000 / requests.length };
}

const figure = ({ perSecond, cpuMs }) =>
  `${Math.round(perSecond)} orders/s, ${cpuMs.toFixed(2)} ms of CPU each`;

const signing = performance.now();
const requests = sign();
row(
  'orders that a miner signs on one core',
  '-',
  `${Math.round((requests.length * 1000) / (performance.now() - signing))}/s`,
);

const registered = new Set(miners.map(({ address }) => address));
{
  const nonces = new NonceMemory(NONCE_WINDOW_NS);
  const state = {
    hotkey: validatorKey.address,
    served: ['SendSignal'],
    isRegistered: (hotkey) => registered.has(hotkey),
    nonces,
    nowNs: NOW_NS,
    errorId: 'e',
  };
  const measured = measure(requests, (request) => {
    if (!verifyRequest(request, state).accepted) throw new Error('not accepted');
  });
  row('verification alone', '560 orders/s', figure(measured));
}

for (const isDurable of [false, true]) {
  const root = mkdtempSync(join(tmpdir(), 'ptn-bench-'));
  try {
    const prices = new RandomPrices(1);
    const validator = new Validator({
      hotkey: validatorKey.address,
      generation: GENERATION_2025_05,
      folder: new DurableFolder(root, { isDurable }),
      prices,
      newUuid: () => 'new',
      warn: (text) => process.stderr.write(`${text}\n`),
    });
    validator.load();
    validator.setRegistered(registered);
    let nowMs = START_MS;
    const problems = new Map();
    const axon = new Axon({
      validator,
      nowMs: () => nowMs,
      nowNs: () => NOW_NS,
      report: ({ problem }) => {
        if (problem !== '') problems.set(problem, (problems.get(problem) ?? 0) + 1);
      },
    });
    const measured = measure(requests, (request) => {
      nowMs = request.nowMs;
      axon.answer(request);
    });
    row(
      `verification, intake and files${isDurable ? ', synced before the answer' : ', not synced'}`,
      '400 orders/s',
      figure(measured),
    );
    for (const [problem, count] of problems) process.stdout.write(`  ${count} × ${problem}\n`);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
