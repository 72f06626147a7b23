// What a stream client of ours gets, and in what time, when it loses its right to the stream.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PtnStreamClient } from '@ptn-api/client';
import { streamUrl } from './lib/orders.mjs';
import { row } from './lib/report.mjs';
import { atEnd, finish, makeRoot, startServer } from './lib/world.mjs';

const CONNECTIONS = 5;
/** A client that comes back would do so within this. */
const COME_BACK_MS = 5000;

const keyFile = (root) => join(root, 'ptn_api', 'api_keys.json');
const grants = {
  crowd: { key: 'key-crowd', tier: 100 },
  gone: { key: 'key-gone', tier: 100 },
  less: { key: 'key-less', tier: 100 },
};

function writeKeys(root, entries) {
  writeFileSync(keyFile(root), JSON.stringify(entries), { mode: 0o600 });
}

/** A client that is subscribed, and how it ended. */
async function connect(server, apiKey) {
  const states = [];
  const client = new PtnStreamClient({
    url: streamUrl(server),
    apiKey,
    onOrders: () => undefined,
    onState: (state) => states.push(state),
  });
  await client.start();
  atEnd(() => client.stop());
  return { client, states };
}

async function lose(what, { client, states }, act) {
  const startedMs = performance.now();
  await act();
  const error = await client.finished;
  const tookMs = performance.now() - startedMs;
  await new Promise((resolve) => setTimeout(resolve, COME_BACK_MS));
  row(
    what,
    'told why at once, and does not come back',
    `"${error.message}" (${error.code ?? error.closeCode ?? 'without a code'}) after ${tookMs.toFixed(0)} ms; ${
      states.at(-1) === 'failed' ? 'not back' : `BACK: ${states}`
    } within ${COME_BACK_MS / 1000} s`,
  );
}

try {
  delete process.env.PTN_BENCH_ROOT;
  const root = await makeRoot({ miners: 16, positions: 640, name: 'keys' });
  writeKeys(root, grants);
  const server = await startServer(root);
  const crowd = [];
  for (let index = 0; index < CONNECTIONS; index++) crowd.push(await connect(server, grants.crowd.key));
  await lose('a sixth connection of the key: the oldest', crowd[0], () => connect(server, grants.crowd.key));
  const gone = await connect(server, grants.gone.key);
  const less = await connect(server, grants.less.key);
  await lose('the key is removed from the file', gone, () => {
    const { crowd: kept, less: alsoKept } = grants;
    writeKeys(root, { crowd: kept, less: alsoKept });
  });
  await lose('the tier of the key is lowered to 50', less, () => {
    writeKeys(root, { crowd: grants.crowd, less: { ...grants.less, tier: 50 } });
  });
} finally {
  await finish();
}
