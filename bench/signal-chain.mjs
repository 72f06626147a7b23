// From a signal's request until the order that it becomes is in the hands of a stream client: through ptn-miner, a validator of
// the devnet, its folder, the server. One signal after the other, so that each is the next order of the miner. The validator's
// time runs 60 times as fast, since it takes 10 orders of a miner in a minute; nothing else is changed by that.
// Options: --signals=300
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { portOr, prepareMiner, readyOf, startPart, stopPart } from '../scripts/network.mjs';
import { connect } from './lib/orders.mjs';
import { row } from './lib/report.mjs';
import { atEnd, finish, KEYS, quantile, startServer, temporaryFolder } from './lib/world.mjs';

const { values } = parseArgs({ options: { signals: { type: 'string', default: '300' } } });
const SIGNALS = Number(values.signals);
const SPEED = 60;
/** Pairs that trade at all times, each opened and closed in turns. */
const PAIRS = ['BTCUSD', 'ETHUSD', 'SOLUSD', 'XRPUSD', 'DOGEUSD'];
const PAUSE_MS = 250;

/** A subscribed client; `next()` resolves with the time at which the next order of the miner is there. */
async function subscribe(server, hotkey) {
  const waiting = [];
  const { close } = await connect(server, ({ data }, nowMs) => {
    if (data.position.miner_hotkey === hotkey) waiting.shift()?.(nowMs);
  });
  atEnd(close);
  return () =>
    new Promise((resolve, reject) => {
      waiting.push(resolve);
      setTimeout(() => reject(new Error('no order within 10 s')), 10_000).unref();
    });
}

try {
  const folder = temporaryFolder('chain');
  const root = join(folder, 'validator');
  mkdirSync(join(root, 'ptn_api'), { recursive: true });
  writeFileSync(
    join(root, 'ptn_api', 'api_keys.json'),
    JSON.stringify({ bench: { key: KEYS[100], tier: 100 } }),
  );
  const miner = prepareMiner(folder);
  const parts = [];
  atEnd(async () => {
    for (const part of parts.reverse()) await stopPart(part);
  });
  const start = async (name, args) => {
    const part = startPart(name, args, { log: join(folder, `${name}.log`) });
    parts.push(part);
    return readyOf(part);
  };
  const devnet = ['--root', root, '--metagraph', miner.own, '--axon-port', '0', '--miners', '0'];
  const { metagraph } = await start('ptn-devnet', ['run', ...devnet, '--speed', `${SPEED}`]);
  const server = await startServer(root);
  const signalsPort = await portOr(0);
  await start('ptn-miner', [
    ...['run', '--mining-dir', join(folder, 'mining'), '--metagraph', metagraph],
    ...['--signals-port', `${signalsPort}`, '--signals-per-minute', '10000', ...miner.wallet],
  ]);
  const next = await subscribe(server, miner.hotkey);

  const times = [];
  const answered = [];
  for (let signal = 0; signal < SIGNALS; signal++) {
    const isOpening = Math.floor(signal / PAIRS.length) % 2 === 0;
    const body = JSON.stringify({
      api_key: miner.signalsKey,
      trade_pair: PAIRS[signal % PAIRS.length],
      order_type: isOpening ? 'LONG' : 'FLAT',
      leverage: 0.1,
    });
    const order = next();
    const startedMs = performance.now();
    const answer = await fetch(`http://127.0.0.1:${signalsPort}/api/receive-signal`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body,
    });
    if (!answer.ok) throw new Error(`signal refused: ${answer.status} ${await answer.text()}`);
    await answer.arrayBuffer();
    answered.push(performance.now() - startedMs);
    times.push((await order) - startedMs);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  const figures = (list) => `${quantile(list, 0.5).toFixed(1)}, ${quantile(list, 0.99).toFixed(1)} ms`;
  row('signal sent -> the miner has answered, p50, p99', '', figures(answered));
  row(`signal sent -> order at a stream client, ${SIGNALS} signals, p50, p99`, '', figures(times));
} finally {
  await finish();
}
