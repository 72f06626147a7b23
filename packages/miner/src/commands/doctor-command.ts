import { statSync } from 'node:fs';
import { readMetagraphFile } from '@ptn-api/wire';
import type { Metagraph } from '@ptn-api/wire';
import type { CommandModule, InferredOptionTypes, Options } from 'yargs';
import { request } from 'undici';
import { miningFolder } from '../folder/mining-folder.ts';
import { readApiKey } from '../signals/read-api-key.ts';
import { NETWORKS, validatorsOf } from '../sender/validators.ts';
import type { Validator } from '../sender/validators.ts';
import { hotkeyPath, readHotkey } from '../wallet/hotkey-path.ts';
import type { Hotkey } from '../wallet/hotkey-path.ts';
import { MINING_DIR, NETWORK, WALLET, fullPath, walletNames } from './options.ts';

const OPTIONS = { ...WALLET, ...NETWORK, ...MINING_DIR } as const satisfies Record<string, Options>;

const TIMEOUT_MS = 5_000;
/** A request counts as too old after 4 s and its own timeout, and as from the future after 4 s at strict validators. */
const MAX_CLOCK_ERROR_MS = 3_000;

interface Finding {
  readonly level: 'ok' | 'warning' | 'error';
  readonly text: string;
}

const ok = (text: string): Finding => ({ level: 'ok', text });
const warning = (text: string): Finding => ({ level: 'warning', text });
const failure = (text: string): Finding => ({ level: 'error', text });

/** The value, or the finding that there is none. */
function tried<T>(read: () => T): T | Finding {
  try {
    return read();
  } catch (error) {
    return failure((error as Error).message);
  }
}

const isFinding = (value: object): value is Finding => 'level' in value;

function keyFindings(hotkey: Hotkey): Finding[] {
  const mode = statSync(hotkey.path).mode & 0o777;
  return [
    hotkey.keypair === undefined
      ? failure(`hotkey ${hotkey.path} holds no secret, so it cannot sign`)
      : ok(`hotkey ${hotkey.address} can sign`),
    ...((mode & 0o077) === 0
      ? []
      : [warning(`others can read ${hotkey.path} (mode ${mode.toString(8)}): chmod 600`)]),
  ];
}

function metagraphFindings(
  { neurons }: Metagraph,
  validators: readonly Validator[],
  hotkey: Hotkey | Finding,
): Finding[] {
  const known = validators.length;
  const isRegistered = !isFinding(hotkey) && neurons.some((neuron) => neuron.hotkey === hotkey.address);
  return [
    known === 0
      ? failure(`the metagraph has ${neurons.length} neurons and no validator that signals could be sent to`)
      : ok(
          `the metagraph has ${neurons.length} neurons, ${known} of them validators that signals are sent to`,
        ),
    ...(isFinding(hotkey)
      ? []
      : [
          isRegistered
            ? ok('this hotkey is registered')
            : failure('Your miner is not registered. Please register and try again.'),
        ]),
  ];
}

/** Whether a validator answers, and how far apart its clock and this one are. */
async function ask({ axon, hotkey }: Validator): Promise<Finding> {
  const place = `${hotkey} at ${axon.ip}:${axon.port}`;
  const host = axon.ip.includes(':') ? `[${axon.ip}]` : axon.ip;
  try {
    const { headers, body } = await request(`http://${host}:${axon.port}/`, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await body.dump();
    const date = Date.parse(String(headers['date']));
    const apartMs = Math.abs(Date.now() - date);
    // The header counts in whole seconds.
    return apartMs > MAX_CLOCK_ERROR_MS
      ? warning(`${place} answers; its clock and this one are ${Math.round(apartMs / 1000)} s apart`)
      : ok(`${place} answers`);
  } catch (error) {
    return warning(
      `${place} does not answer (${(error as NodeJS.ErrnoException).code ?? (error as Error).name})`,
    );
  }
}

const SIGNS = { ok: 'ok     ', warning: 'warning', error: 'ERROR  ' } as const;

/** `ptn-miner doctor`. */
export const doctorCommand: CommandModule<object, InferredOptionTypes<typeof OPTIONS>> = {
  command: 'doctor',
  describe: 'Check what run needs: keys, metagraph, validators, clock',
  builder: (yargs) => yargs.options(OPTIONS),
  handler: async (args) => {
    const { secretsFile } = miningFolder(fullPath(args['mining-dir']));
    const apiKey = tried(() => ({ key: readApiKey(secretsFile) }));
    const hotkey = tried(() => readHotkey(hotkeyPath(walletNames(args))));
    const metagraph = tried(() => readMetagraphFile(fullPath(args.metagraph), args.netuid));
    const validators = isFinding(metagraph)
      ? []
      : validatorsOf(metagraph, NETWORKS[args.netuid] ?? 'mainnet');
    const findings: Finding[] = [
      isFinding(apiKey) ? apiKey : ok(`signals need the key in ${secretsFile}`),
      ...(isFinding(hotkey) ? [hotkey] : keyFindings(hotkey)),
      ...(isFinding(metagraph) ? [metagraph] : metagraphFindings(metagraph, validators, hotkey)),
      ...(await Promise.all(validators.map(ask))),
    ];
    for (const { level, text } of findings) process.stdout.write(`${SIGNS[level]} ${text}\n`);
    if (findings.some(({ level }) => level === 'error')) process.exitCode = 1;
  },
};
