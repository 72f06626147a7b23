import {
  MinerData,
  afterAttempt,
  keyDigest,
  newDelivery,
  nextAttemptAfterMs,
  outcomeOf,
  readSignalFile,
  receiveSignal,
  unsentOutcome,
  validatorsOf,
} from '@ptn-api/miner';
import { parseJson, plainValue } from '@ptn-api/positions';
import { parseMetagraph } from '@ptn-api/wire';
import type { Difference } from './compare-texts.ts';
import { readText } from './read-text.ts';
import { expectEqual, isNamed } from './vector-form.ts';
import type { VectorForm } from './vector-form.ts';

interface SignalCase {
  readonly name: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string | null;
  };
  readonly response: {
    readonly status: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body: string;
  };
  readonly files_written?: readonly { readonly path: string; readonly content: string }[];
}

const SIGNALS_ON_PURPOSE: Readonly<Record<string, string>> = {
  'order-uuid-path': 'an order_uuid that leads out of the folder is refused',
};

/** Texts of pydantic hold its version and internals behind this. */
const INTERNALS = / \[type=.*$/s;

/** A file that is written again with the same content is not listed there. */
const WRITTEN_AGAIN = new Set(['cancel-twice-overwrites']);

function runSignals(generation: 'ptn' | 'vanta') {
  return (path: string, difference: Difference): number => {
    const file = JSON.parse(readText(path)) as SignalCase[] | { readonly cases: SignalCase[] };
    const cases = Array.isArray(file) ? file : file.cases;
    const receiver = { generation, apiKeyDigest: keyDigest('xxxx'), createUuid: () => '<uuid4>' };
    // A fresh name has letters of its own only here.
    for (const { name, request, response, files_written: files = [] } of cases) {
      const answer = receiveSignal(
        {
          method: request.method,
          path: request.path,
          contentType: request.headers['Content-Type'],
          body: Buffer.from(request.body ?? ''),
        },
        { ...receiver, createUuid: () => '00000000-0000-4000-8000-000000000000' },
      );
      const why = SIGNALS_ON_PURPOSE[name];
      if (why !== undefined) {
        expectEqual(difference, name, [answer.status, answer.file], [400, undefined]);
        difference.expected.push(`${name}: ${why}`);
        continue;
      }
      expectEqual(difference, name, answer.status, response.status);
      expectEqual(difference, name, answer.body.replace(INTERNALS, ''), response.body.replace(INTERNALS, ''));
      const { allow, 'content-type': type } = response.headers ?? {};
      if (type !== undefined) expectEqual(difference, name, answer.headers['content-type'], type);
      expectEqual(difference, name, answer.headers['allow'], allow);
      if (WRITTEN_AGAIN.has(name)) continue;
      const written = answer.file === undefined ? [] : [answer.file];
      expectEqual(
        difference,
        name,
        written.map(({ name: uuid, content }) => [uuid, content]),
        files.map(({ path: place, content }) => [
          place
            .replace('mining/received_signals/', '')
            .replace('<uuid4>', '00000000-0000-4000-8000-000000000000'),
          content,
        ]),
      );
    }
    return cases.length;
  };
}

interface LoopCase {
  readonly name: string;
  readonly input: {
    readonly network: 'mainnet' | 'testnet';
    readonly write_failed_signal_logs: boolean;
    readonly recently_acked: readonly string[];
    readonly validators: readonly {
      readonly name: string;
      readonly hotkey: string;
      readonly validator_trust: number;
      readonly stake_rao: number;
      readonly ip: string;
      readonly port: number;
    }[];
    readonly answers_by_attempt: Readonly<Record<string, readonly string[]>>;
    readonly received_signals: Readonly<
      Record<string, { readonly content: string; readonly mtime_s: number }>
    >;
    readonly uuids_already_used?: readonly string[];
  };
  readonly output: {
    readonly attempts: readonly {
      readonly queried_in_order: readonly string[];
      readonly synapse: { readonly miner_order_uuid: string };
    }[];
    readonly sleeps_s: readonly number[];
    readonly files: Readonly<
      Record<'processed_signals' | 'failed_signals', Readonly<Record<string, string>>>
    >;
  };
}

/** What is done otherwise in the miner's loop, by case; docs/decisions/0026 has the reasons at length. */
const LOOP_ON_PURPOSE: Readonly<Record<string, string>> = {
  'one-times-out-always': 'a timeout is recorded as one',
  'all-time-out': 'a timeout is recorded as one',
  'testnet-high-trust-absent-timeout': 'an order that a validator has not taken has failed',
  'no-validators-at-all': 'an order that nobody got has failed',
  'same-pair-older-file-read-first': 'the older signal is sent too, and first',
  'same-pair-newer-file-read-first': 'the older signal is sent too, and first',
  'same-pair-same-mtime': 'both signals are sent',
  'bad-json-file': 'a bad file is set aside, and the others are sent',
  'file-without-trade-pair': 'a bad file is set aside',
  'uuid-used-before': 'a signal whose uuid was used before is kept as failed',
  'ack-with-unknown-hotkey': 'whoever was asked has answered',
  'duplicate-axon-hotkey': 'a hotkey that is listed twice is asked once',
};

const COLDKEY = '5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV';

interface LoopRun {
  readonly attempts: (readonly [uuid: string, number: number, validators: string[]])[];
  readonly waitsMs: Set<number>;
  readonly files: Record<'processed_signals' | 'failed_signals', Record<string, string>>;
}

function answerText(answer: string, name: string): Parameters<typeof afterAttempt>[2] {
  if (answer === 'ok' || answer === 'strange') {
    return { kind: 'accepted', orderJson: `{'trade_pair_id': 'BTCUSD', 'by': '${name}'}` };
  }
  if (answer === 'okflat') return { kind: 'accepted', orderJson: '' };
  if (answer === 'timeout') return { kind: 'unknown', text: 'Request timeout after 12.0 seconds' };
  return { kind: 'refused', text: answer };
}

/** Every signal of a case, to its end. */
function loop({ input }: LoopCase): LoopRun {
  const nameOf = new Map(input.validators.map(({ hotkey, name }) => [hotkey, name]));
  const metagraph = parseMetagraph(
    JSON.stringify({
      netuid: 8,
      neurons: input.validators.map(({ hotkey, validator_trust, stake_rao, ip, port }) => ({
        hotkey,
        coldkey: COLDKEY,
        validator_trust,
        stake_rao,
        axon: { ip, port },
      })),
    }),
  );
  const recentlyAcked = new Set(
    input.validators.filter(({ name }) => input.recently_acked.includes(name)).map(({ hotkey }) => hotkey),
  );
  const run: LoopRun = {
    attempts: [],
    waitsMs: new Set(),
    files: { processed_signals: {}, failed_signals: {} },
  };
  const signals = Object.entries(input.received_signals)
    .filter(([name]) => !name.endsWith('.swp'))
    .sort(([a, { mtime_s: at }], [b, { mtime_s: bt }]) => at - bt || (a < b ? -1 : 1));
  for (const [uuid, { content }] of signals) {
    const read = readSignalFile(content);
    const isUsed = input.uuids_already_used?.includes(uuid) === true;
    if (!read.ok || isUsed) {
      const reason = read.ok ? `Duplicate miner order uuid ${uuid}` : read.reason;
      run.files.failed_signals[uuid] = unsentOutcome(read.ok ? read.signal : content, reason).content;
      continue;
    }
    const rounds: string[][] = [];
    const deliveries = validatorsOf(metagraph, input.network).map((validator) => {
      const name = nameOf.get(validator.hotkey) ?? '';
      const answers = input.answers_by_attempt[name] ?? ['ok'];
      let delivery = newDelivery(validator);
      for (let waitMs = nextAttemptAfterMs(delivery, recentlyAcked); waitMs !== undefined;) {
        if (waitMs > 0) run.waitsMs.add(waitMs);
        const made = delivery.results.length;
        (rounds[made] ??= []).push(name);
        const answer = answers[Math.min(made, answers.length - 1)] ?? 'ok';
        delivery = afterAttempt(delivery, uuid, answerText(answer, name));
        waitMs = nextAttemptAfterMs(delivery, recentlyAcked);
      }
      return delivery;
    });
    run.attempts.push(...rounds.map((names, number) => [uuid, number, names] as const));
    const options = { writeFailed: input.write_failed_signal_logs, recentlyAcked };
    const outcome = outcomeOf(read.signal, deliveries, options);
    run.files[`${outcome.folder}_signals`][uuid] = outcome.content;
  }
  return run;
}

function runLoop(path: string, difference: Difference): number {
  const cases = JSON.parse(readText(path)) as LoopCase[];
  for (const item of cases) {
    const { name, output } = item;
    const run = loop(item);
    const attempts = run.attempts.map(([uuid, , names]) => [names, uuid]);
    const wanted = output.attempts.map(({ queried_in_order, synapse }) => [
      queried_in_order,
      synapse.miner_order_uuid,
    ]);
    const why = LOOP_ON_PURPOSE[name];
    if (why !== undefined) {
      if (JSON.stringify(run.files) === JSON.stringify(output.files)) {
        difference.unequal.push(`${name}: is answered as Python does it, and should not be`);
      }
      difference.expected.push(`${name}: ${why}`);
      continue;
    }
    expectEqual(difference, `${name}: attempts`, attempts, wanted);
    expectEqual(
      difference,
      `${name}: pauses`,
      [...run.waitsMs].map((ms) => ms / 1000),
      output.sleeps_s,
    );
    expectEqual(difference, `${name}: files`, run.files, output.files);
  }
  return cases.length;
}

interface DashboardStep {
  readonly name: string;
  readonly at_ms: number;
  /** What each validator says, `error` for none; or, as one text, that all of it failed. */
  readonly validators_answer: null | string | readonly unknown[];
  readonly validator_queries: readonly unknown[];
  readonly response: { readonly request: { readonly path: string }; readonly body: string };
}

function runMinerData(path: string, difference: Difference): number {
  const { steps, initial_miner_data: initial } = JSON.parse(readText(path)) as {
    steps: DashboardStep[];
    initial_miner_data: unknown;
  };
  const data = new MinerData();
  expectEqual(difference, 'at first', JSON.parse(data.body), initial);
  for (const { name, at_ms, validators_answer, validator_queries, response } of steps) {
    if (response.request.path !== '/miner-data') continue;
    const asks = data.mayAsk(at_ms);
    expectEqual(difference, `${name}: asks`, asks, validator_queries.length > 0);
    if (asks && Array.isArray(validators_answer)) {
      const answers = validators_answer.filter((answer) => answer !== 'error');
      data.take(answers.map((answer) => parseJson(JSON.stringify(answer))));
    }
    expectEqual(difference, name, plainValue(parseJson(data.body)), JSON.parse(response.body));
  }
  return steps.length;
}

/** The miner's side of the network. */
export const MINER_FORMS: readonly VectorForm[] = [
  {
    name: 'requests to the signals server, PTN of May 2025',
    recognises: (path) => isNamed(path, 'signals', 'http.json'),
    run: runSignals('ptn'),
  },
  {
    name: 'requests to the signals server, Vanta of December 2025',
    recognises: (path) => isNamed(path, 'signals', 'http_vanta_2025-12.json'),
    run: runSignals('vanta'),
  },
  {
    name: 'signals from their files to their outcomes',
    recognises: (path) => isNamed(path, 'miner_loop', 'outcomes.json'),
    run: runLoop,
  },
  {
    name: 'what the miner’s page is given',
    recognises: (path) => isNamed(path, 'dashboard', 'miner_data_api.json'),
    run: runMinerData,
  },
];
