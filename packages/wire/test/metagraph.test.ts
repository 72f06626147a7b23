import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeTemporaryFolder, waitFor } from '@ptn-api/testkit';
import t from 'tap';
import { Keypair, MetagraphFile, hasLostTooMany, parseMetagraph } from '../dist/index.js';

const HOTKEYS = Array.from(
  { length: 44 },
  (_, index) => Keypair.fromSeed(new Uint8Array(32).fill(index + 1)).address,
);
const json = (hotkeys: readonly string[]): string =>
  JSON.stringify({ netuid: 8, neurons: hotkeys.map((hotkey) => ({ hotkey })) });
const of = (hotkeys: readonly string[]) => parseMetagraph(json(hotkeys));

void t.test('what is wrong in a metagraph file is named with its place', (t) => {
  const neuron = (members: string): string =>
    `{"netuid": 8, "neurons": [{"hotkey": "${HOTKEYS[0]}", ${members}}]}`;
  const wrong: [string, RegExp][] = [
    ['{', /^no JSON: Expecting property name/],
    ['[]', /must be an object/],
    ['{"netuid": 8}', /neurons must be a list/],
    ['{"neurons": []}', /the file: netuid must be a number/],
    ['{"netuid": 8, "neurons": [{}]}', /neurons\[0\]: hotkey must be a text/],
    ['{"netuid": 8, "neurons": [{"hotkey": "5x"}]}', /hotkey "5x" is no SS58 address/],
    [neuron('"stake_rao": 1.5'), /stake_rao must be a whole number/],
    [neuron('"stake_rao": "-1"'), /stake_rao must be a whole number/],
    [neuron('"axon": {"port": 70000}'), /neurons\[0\]\.axon: port must be/],
    [neuron('"validator_trust": "high"'), /validator_trust must be a number/],
  ];
  for (const [text, reason] of wrong) t.throws(() => parseMetagraph(text), { message: reason });
  const [read] = parseMetagraph(
    neuron('"stake_rao": 123456789012345678901, "axon": {"ip": "192.0.2.1", "port": 1}'),
  ).neurons;
  t.equal(read?.stakeRao, 123456789012345678901n);
  t.end();
});

void t.test('a metagraph that has lost a quarter and more than ten is not believed', (t) => {
  t.equal(hasLostTooMany(of(HOTKEYS.slice(0, 40)), of(HOTKEYS.slice(0, 30))), false, '10 of 40');
  t.equal(hasLostTooMany(of(HOTKEYS), of(HOTKEYS.slice(0, 33))), true, '11 of 44');
  t.equal(hasLostTooMany(of(HOTKEYS.slice(0, 44)), of(HOTKEYS.slice(0, 34))), false, '10 of 44');
  t.equal(hasLostTooMany(of(HOTKEYS.slice(0, 8)), of([])), false, 'a small network may go');
  t.end();
});

void t.test(
  'a changed file counts at once; a bad one leaves the last good one, with a warning',
  async (t) => {
    const folder = makeTemporaryFolder(t);
    const path = join(folder, 'metagraph.json');
    const write = (text: string): void => {
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
    };
    write(json(HOTKEYS));
    const warnings: string[] = [];
    const file = new MetagraphFile({ path, netuid: 8, warn: (_fields, text) => warnings.push(text) });
    t.teardown(() => {
      file.close();
    });
    write('{"netuid": 8');
    await waitFor(() => warnings.length === 1, { what: 'the bad file is noticed' });
    t.match(warnings[0], /stays as it was: .*no JSON/);
    write(json(HOTKEYS.slice(0, 30)));
    await waitFor(() => warnings.length === 2, { what: 'the short file is noticed' });
    t.match(warnings[1], /the new one has lost 14 of 44 hotkeys \(a restart takes it\)$/);
    t.equal(file.current.neurons.length, 44);
    write(json(HOTKEYS.slice(0, 40)));
    await waitFor(() => file.current.neurons.length === 40, { what: 'the good file counts' });
    for (const isLoop of [false, true]) {
      const count = warnings.length;
      rmSync(path);
      if (isLoop) symlinkSync(path, path);
      await waitFor(() => warnings.length > count, { what: 'a file that is gone, or leads nowhere' });
      t.match(warnings.at(-1), /stays as it was: .*metagraph.json cannot be read/);
      t.equal(file.current.neurons.length, 40);
      rmSync(path, { force: true });
      write(json(HOTKEYS.slice(0, 40)));
    }
    t.throws(() => new MetagraphFile({ path, netuid: 116, warn: () => undefined }), {
      message: /netuid is 8/,
    });
  },
);
