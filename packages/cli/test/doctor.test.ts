import { chmodSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { makePtnRoot, makeTemporaryFolder } from '@ptn-api/testkit';
import type { PtnRoot } from '@ptn-api/testkit';
import { join } from 'node:path';
import t from 'tap';
import { checkOpenFiles, checkWatches } from '../dist/doctor/check-limits.js';
import { checkStateDir } from '../dist/doctor/check-state-dir.js';
import { parseCommandLine } from '../dist/command-line.js';
import { runDoctor } from '../dist/doctor/doctor.js';
import { HOUR_MS, trade } from '../../feed/dist-test/feed-fixture.js';
import { testConfig } from '../../runtime/dist-test/config-fixture.js';
import { openWriter, order } from '../../order-log/dist-test/order-log-fixture.js';

const contents = {
  positions: [trade({ uuid: 'p', hotkey: 'miner', times: [Date.now() - HOUR_MS] })],
  keys: { ann: { key: 'the-secret-key', tier: 100 } },
};
const KEY_FILE = 'ptn_api/api_keys.json';

/** What the doctor says of a root, and its exit code. */
async function doctor(root: PtnRoot, options: Readonly<Record<string, string>> = {}) {
  const given = {
    'ptn-root': root.path,
    'api-rest-port': '0',
    'api-ws-port': '0',
    'admin-port': '0',
    // Room for the default of a million orders is more than a test machine has to have.
    'order-retention-count': '1000',
    ...options,
  };
  const args = Object.entries(given).map(([name, value]) => `--${name}=${value}`);
  const command = parseCommandLine(['doctor', ...args], { version: '0', env: {}, nowMs: 0 });
  if (command.kind !== 'doctor') throw new Error(`asked for ${command.kind}`);
  let text = '';
  const code = await runDoctor(command.values, { cwd: '/', version: '0', write: (part) => (text += part) });
  return { code, text };
}

await t.test('a root that can be served has no problem', async (t) => {
  const root = makePtnRoot(t, contents);
  chmodSync(root.join(KEY_FILE), 0o600);
  const { code, text } = await doctor(root);
  t.equal(code, 0);
  t.match(text, /^ok +key file: .*api_keys\.json, 1 key$/m);
  t.match(text, /^ok +positions: read from the tree at /m);
  t.match(text, /^ok +clock: /m);
  t.match(text, /\n0 problems, /);
});

await t.test('no key file, a broken one and an open one are told with what to do', async (t) => {
  const root = makePtnRoot(t, { positions: contents.positions });
  const none = await doctor(root);
  t.equal(none.code, 1);
  t.match(none.text, /^PROBLEM +key file: there is none at .*\n +-> run ptn-api keys add /m);
  root.writeKeys('{"ann": the-secret-key');
  const broken = await doctor(root);
  t.equal(broken.code, 1);
  t.match(broken.text, /^PROBLEM +key file: .*: it is not valid JSON/m);
  root.writeKeys(contents.keys);
  chmodSync(root.join(KEY_FILE), 0o644);
  const open = await doctor(root);
  t.equal(open.code, 0);
  t.match(open.text, /^warning +key file: .*\(mode 644\)\n +-> run chmod 600 /m);
  t.notMatch(none.text + broken.text + open.text, /the-secret-key/);
});

await t.test('a port that is taken is a problem, the admin port alone is not', async (t) => {
  const root = makePtnRoot(t, contents);
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  t.teardown(() => holder.close());
  const port = String((holder.address() as AddressInfo).port);
  const rest = await doctor(root, { 'api-rest-port': port });
  t.equal(rest.code, 1);
  t.match(rest.text, new RegExp(`^PROBLEM +port ${port}: .*\\n +-> if ptn-api runs already`, 'm'));
  const admin = await doctor(root, { 'admin-port': port });
  t.equal(admin.code, 0);
  t.match(admin.text, new RegExp(`^warning +port ${port}: `, 'm'));
});

await t.test('a folder that is no root is a problem and not a fault', async (t) => {
  const { code, text } = await doctor(makePtnRoot(t), { 'ptn-root': makeTemporaryFolder(t) });
  t.equal(code, 1);
  t.match(text, /^PROBLEM +PTN_ROOT: .*holds no validation\//m);
});

await t.test('a file from the future is reported, and that there are no positions', async (t) => {
  const root = makePtnRoot(t, { keys: contents.keys, files: { 'validation/eliminations.json': '{}' } });
  const future = Date.now() / 1000 + 3600;
  utimesSync(root.join('validation/eliminations.json'), future, future);
  const { code, text } = await doctor(root);
  t.equal(code, 0);
  t.match(text, /^warning +clock: .*eliminations\.json is 3\d\d\d s newer than now/m);
  t.match(text, /^warning +positions: there is neither /m);
});

await t.test('limits of the system are compared with what is needed', (t) => {
  const folder = makeTemporaryFolder(t);
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const tree = { directories: 1000, files: 0, unreadable: [], newest: undefined };
  const few = file('few', '1200\n');
  t.match(checkWatches(testConfig(), tree, few), [{ level: 'warning', advice: /max_user_watches=3000/ }]);
  t.match(checkWatches(testConfig(), tree, file('many', '8192\n')), [{ level: 'ok' }]);
  t.match(checkWatches(testConfig({ watch: 'poll' }), tree, few), [{ level: 'ok' }]);
  t.strictSame(checkWatches(testConfig(), tree, join(folder, 'absent')), [], 'another system');
  const limits = (soft: string) =>
    file(
      'limits',
      `Limit                     Soft Limit           Hard Limit\nMax open files            ${soft}   9999 files\n`,
    );
  t.match(checkOpenFiles(limits('1024')), [{ level: 'warning', advice: /LimitNOFILE/ }]);
  t.match(checkOpenFiles(limits('65536')), [{ level: 'ok' }]);
  t.match(checkOpenFiles(limits('unlimited')), [{ level: 'ok' }]);
  t.end();
});

await t.test('the state folder has to be writable and have room', (t) => {
  const folder = makeTemporaryFolder(t);
  const stateDir = join(folder, 'not', 'yet', 'there');
  t.match(checkStateDir(testConfig({ stateDir, orderRetentionCount: 1000 })), [{ level: 'ok' }]);
  const many = checkStateDir(testConfig({ stateDir, orderRetentionCount: 1e15, orderRetentionBytes: 1e15 }));
  t.match(many, [{ level: 'warning', advice: /--order-retention-count/ }]);
  const limited = testConfig({ stateDir, orderRetentionCount: 1e15, orderRetentionBytes: 1 });
  t.match(checkStateDir(limited), [{ level: 'ok' }], 'the smaller limit counts');
  const closed = join(folder, 'closed');
  mkdirSync(closed);
  if (process.getuid?.() !== 0) {
    chmodSync(closed, 0o500);
    t.match(checkStateDir(testConfig({ stateDir: join(closed, 'state') })), [{ level: 'problem' }]);
  }
  t.end();
});

await t.test('a key file without a usable key is a problem', async (t) => {
  const root = makePtnRoot(t, { positions: contents.positions, keys: { alice: { key: '', tier: 100 } } });
  const { code, text } = await doctor(root);
  t.equal(code, 1);
  t.match(text, /^PROBLEM +key file: .* holds no usable key.*\n +-> run ptn-api keys add /m);
  t.match(text, /\n1 problem, /);
});

await t.test('statistics, eliminations and checkpoint that are missing, old or unreadable', async (t) => {
  const root = makePtnRoot(t, contents);
  const missing = await doctor(root);
  t.match(missing.text, /^warning +statistics: there is no runnable\/minerstatistics\.json/m);
  t.match(missing.text, /^warning +eliminations: there is no /m);
  t.match(missing.text, /^warning +checkpoint: there is no .*\.json nor .*\.json\.gz/m);
  root.writeFile('runnable/minerstatistics.json', '{}');
  root.writeFile('validation/eliminations.json', '[]');
  root.writeFile('runnable/validator_checkpoint.json.gz', '');
  const old = new Date(Date.now() - 3 * HOUR_MS);
  utimesSync(root.join('runnable/minerstatistics.json'), old, old);
  const { text } = await doctor(root);
  t.match(text, /^warning +statistics: .* was last written 180 minutes ago\n +-> does the validator run/m);
  t.match(text, /^ok +eliminations: .*, written 0 minutes ago$/m);
  t.match(text, /^ok +checkpoint: /m);
});

await t.test(
  'the numbers of orders: of the Python server and of the log, and which one counts',
  async (t) => {
    const root = makePtnRoot(t, contents);
    const numbers = async () =>
      (await doctor(root)).text.split('\n').filter((line) => / order numbers: /.test(line));
    const python = (text: string) => {
      root.writeFile('ptn_api/sequence_number.json', text);
    };
    t.match(await numbers(), [
      /^ok .* last number is 0, that of the order log is none yet: the next order is 1$/,
    ]);
    python('41');
    t.match(await numbers(), [/^ok .* is 41, that of the order log is none yet: the next order is 42$/]);

    const { writer } = await openWriter(root.join('.ptn-api/orders'), 41);
    await writer.append([order('a')]);
    await writer.close();
    t.match(await numbers(), [/^ok .* is 41, that of the order log is 42: the next order is 43$/]);
    python('500');
    t.match(await numbers(), [
      /^warning .* is 500, that of the order log is 42: the next start goes on with 501$/,
    ]);
    python('many');
    t.match(await numbers(), [
      /^warning .* ptn_api\/sequence_number\.json: .* no whole number/,
      /^ok .* order is 43$/,
    ]);
  },
);

await t.test('an order log that cannot be read is reported by the numbers, too', async (t) => {
  const root = makePtnRoot(t, contents);
  root.writeFile('.ptn-api/orders/data.mdb', 'x'.repeat(10_000));
  t.match(
    (await doctor(root)).text,
    /^warning +order numbers: .*\n +-> a damaged one is moved aside by the next start/m,
  );
});
