import { spawnSync } from 'node:child_process';
import { PassThrough, Readable, Writable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { filterDashboard } from '@ptn-api/positions';
import t from 'tap';
import { runFilter } from '../dist/filter.js';
import { HOUR_MS, trade } from '../../feed/dist-test/feed-fixture.js';

const now = 1_762_793_234_567;
const old = trade({ uuid: 'old', times: [now - 50 * HOUR_MS, now - 40 * HOUR_MS], closed: true });
const cut = trade({ uuid: 'cut', times: [now - 30 * HOUR_MS, now - HOUR_MS] });
const young = trade({ uuid: 'young', times: [now - HOUR_MS] });
const map = JSON.stringify({ '5Hotkey': { positions: [old, cut, young], n_positions: 1 } });

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(
  input: string | Uint8Array,
  options: { file?: string; tier?: 0 | 100 } = {},
): Promise<Run> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const read = async (stream: PassThrough): Promise<string> => (await stream.toArray()).join('');
  const both = Promise.all([read(stdout), read(stderr)]);
  const stdin = Readable.from([input], { objectMode: false });
  const code = await runFilter(
    { tier: options.tier ?? 0, now, file: options.file },
    { stdin, stdout, stderr },
  );
  stdout.end();
  stderr.end();
  const [out, err] = await both;
  return { code, stdout: out, stderr: err };
}

void t.test('writes the map as the tier shows it', async (t) => {
  const { code, stdout, stderr } = await run(map);
  t.equal(stdout, `${filterDashboard(map, 0, now).text}\n`);
  const { '5Hotkey': miner } = JSON.parse(stdout) as Record<string, { positions: unknown[]; tier: number }>;
  t.equal(miner?.positions.length, 2);
  t.equal(miner?.tier, 0);
  t.equal(code, 0);
  t.equal(stderr, '');
});

void t.test('reads plain and gzip, from a file and from standard input', async (t) => {
  const want = (await run(map)).stdout;
  const folder = t.testdir({ plain: map, gzip: gzipSync(map) });
  t.equal((await run(gzipSync(map))).stdout, want);
  t.equal((await run('', { file: `${folder}/plain` })).stdout, want);
  t.equal((await run('', { file: `${folder}/gzip` })).stdout, want);
});

void t.test('says in one line what is wrong with the input, and answers 1', async (t) => {
  const folder = t.testdir({});
  const cases: [string | Uint8Array, string | undefined, string][] = [
    ['', `${folder}/none`, `${folder}/none does not exist`],
    ['', folder, `${folder} is a directory, not a file`],
    ['', undefined, 'standard input is empty'],
    [
      '{"a": ',
      undefined,
      'standard input is not JSON: unexpected end of text instead of a value at position 5',
    ],
    ['[]', undefined, 'standard input is not a dashboard map: it is no object'],
    ['{"a": 1}', undefined, 'standard input is not a dashboard map: the value of "a" is no object'],
    [
      gzipSync(map).subarray(0, 50),
      undefined,
      'standard input is not a complete gzip file (unexpected end of file)',
    ],
  ];
  for (const [input, file, line] of cases) {
    t.strictSame(await run(input, file === undefined ? {} : { file }), {
      code: 1,
      stdout: '',
      stderr: `${line}\n`,
    });
  }
});

void t.test('warns of what it had to leave out or replace', async (t) => {
  const odd = `{"a": {"positions": [{}], "all_time_returns": NaN}}`;
  t.strictSame(await run(odd, { tier: 100 }), {
    code: 0,
    stdout: '{"a": {"positions": [], "all_time_returns": null, "tier": 100}}\n',
    stderr:
      'warning: position 0 of a is left out: it has no position_uuid\n' +
      'warning: 1 NaN or Infinity in standard input became null\n',
  });
});

const large = `{"a": {"positions": [], "x": "${'x'.repeat(10_000_000)}"}}`;

void t.test('waits for a reader that is slow', async (t) => {
  let buffered = 0;
  let size = 0;
  const stdout = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _encoding, done) {
      buffered = Math.max(buffered, stdout.writableLength);
      size += chunk.byteLength;
      setImmediate(done);
    },
  });
  await runFilter(
    { tier: 0, now, file: undefined },
    { stdin: Readable.from([large], { objectMode: false }), stdout, stderr: new PassThrough() },
  );
  stdout.end();
  await new Promise((resolve) => stdout.once('finish', resolve));
  t.ok(size > 10_000_000);
  t.ok(buffered <= 2 * 1024 * 1024, `${buffered} bytes waiting at most`);
});

void t.test('a reader that leaves early is no failure', (t) => {
  const { file } = { file: `${t.testdir({ large })}/large` };
  const script = `
    import { runFilter } from ${JSON.stringify(new URL('../dist/filter.js', import.meta.url).href)};
    const code = await runFilter({ tier: 0, now: ${now}, file: ${JSON.stringify(file)} }, process);
    process.stderr.write('code ' + code);
  `;
  const shell = spawnSync('sh', [
    '-c',
    '"$0" --input-type=module -e "$1" | head -c 10',
    process.execPath,
    script,
  ]);
  t.equal(shell.stdout.toString(), '{"a": {"po');
  t.equal(shell.stderr.toString(), 'code 0');
  t.end();
});
