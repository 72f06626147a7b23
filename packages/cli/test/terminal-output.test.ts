/** What a miner writes into files, or an operator into the key file, must not steer the terminal of who reads it. */
import { printable } from '@ptn-api/protocol';
import { makePtnRoot } from '@ptn-api/testkit';
import { Writable } from 'node:stream';
import t from 'tap';
import { runFilter } from '../dist/filter.js';
import { runKeys } from '../dist/keys.js';
import { createLogger } from '../../runtime/dist/log/logger.js';
import { HOUR_MS, trade } from '../../feed/dist-test/feed-fixture.js';

/** Clears the screen, by ESC and by CSI; goes to the line's begin; begins a line; writes from right to left. */
const EVIL = 'x\u001b[2Jy\u009b2Jz\rbegin\nline\u202eover\u2028';
// oxlint-disable-next-line no-control-regex -- these are looked for
const STEERING = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e]/;

// oxlint-disable-next-line no-control-regex -- how a terminal is told a colour
const COLOUR = /\u001b\[\d+m/g;

class Taken extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

void t.test('printable', (t) => {
  t.equal(printable(EVIL), 'x?[2Jy?2Jz?begin?line?over?');
  t.equal(printable('miner-ä €'), 'miner-ä €');
  t.end();
});

void t.test('a log on a terminal shows the text of others in its line', (t) => {
  const out = new Taken();
  const log = createLogger({ name: 'feed', level: 'info', destination: out, isForTerminal: true });
  log.warn({ path: EVIL, deep: { uuid: EVIL } }, `warning ${EVIL}`);
  log.error({ err: new Error(`error ${EVIL}`) }, 'C:\\build\\u001b');
  const colourless = out.text.replaceAll(COLOUR, '');
  t.notMatch(colourless, STEERING);
  t.match(colourless, /WARN.* warning x\?\[2Jy\?2Jz\?begin\?line\?over\?\n/);
  t.match(colourless, /C:\\build\\u001b\n/);
  t.match(colourless, /error x\?\[2J/);
  t.end();
});

void t.test('warnings of filter, and the list of keys with its warnings', async (t) => {
  const [stdout, stderr] = [new Taken(), new Taken()];
  const root = makePtnRoot(t, {
    outputs: JSON.stringify({
      miner: {
        positions: [
          { ...trade({ uuid: EVIL, times: [Date.now() - HOUR_MS] }), generation: 99, orders: EVIL },
        ],
      },
    }),
    keys: { [`eve${EVIL}`]: { key: 'k', tier: 100 }, [EVIL]: { key: '', tier: 1 } },
  });
  await runFilter(
    { tier: 0, now: Date.now(), file: root.join('validation/outputs/output.json') },
    { stdin: process.stdin, stdout, stderr },
  );
  t.ok(stderr.text.length > 0, 'a warning of filter');
  const places = { 'ptn-root': root.path, 'api-keys': undefined, 'state-dir': undefined };
  await runKeys(
    { action: 'list', isJson: false },
    { places, cwd: '/', env: {}, nowMs: Date.now() },
    { stdin: process.stdin, stdout, stderr },
  );
  t.match(stdout.text, /eve.*: tier 100\n/);
  t.notMatch(stdout.text + stderr.text, STEERING);
});
