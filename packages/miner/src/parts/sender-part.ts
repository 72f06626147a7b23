import { watch } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { writeJson } from '@ptn-api/positions';
import type { JsonValue } from '@ptn-api/positions';
import { lockFolder } from '@ptn-api/runtime';
import { MetagraphFile } from '@ptn-api/wire';
import type { Metagraph } from '@ptn-api/wire';
import type { Logger } from 'pino';
import { Slack } from '../alerts/slack.ts';
import { makeMiningFolder, miningFolder, removeOldDrafts } from '../folder/mining-folder.ts';
import { SYSTEM_CLOCK } from '../sender/clock.ts';
import { MAX_ATTEMPTS } from '../sender/delivery.ts';
import type { Outcome } from '../sender/outcome.ts';
import { REPO_VERSIONS, sendOrder } from '../sender/send-order.ts';
import { SenderStatus } from '../sender/sender-status.ts';
import { Sender } from '../sender/sender.ts';
import { ValidatorClient } from '../sender/validator-client.ts';
import { NETWORKS, validatorsOf } from '../sender/validators.ts';
import { readSigningKey } from '../wallet/hotkey-path.ts';
import { CannotStartError } from './cannot-start.ts';
import type { RunConfig, RunningPart } from './run-config.ts';

/** New signals are noticed at once; this finds those whose notice was lost. */
const SCAN_EVERY_MS = 1_000;
/** A burst of signals is scanned for a few times, not once for each of them. */
const SCAN_PAUSE_MS = 50;
/** What the sender of a miner that was killed takes to end. */
const LOCK_WAIT_MS = 5_000;

/** Resolves when something changed in the folder, or after a while. */
class FolderChanges {
  #wake: () => void = () => undefined;
  #isChanged = false;
  readonly #watcher;

  constructor(path: string, log: Logger) {
    this.#watcher = watch(path, () => {
      this.#isChanged = true;
      this.#wake();
    });
    this.#watcher.on('error', (error) => {
      log.warn({ err: error }, 'the folder of signals is scanned once a second only');
    });
  }

  async next(): Promise<void> {
    await delay(SCAN_PAUSE_MS);
    if (!this.#isChanged) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, SCAN_EVERY_MS);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#isChanged = false;
  }

  close(): void {
    this.#watcher.close();
    this.#isChanged = true;
    this.#wake();
  }
}

function checkRegistered(metagraph: Metagraph, hotkey: string): void {
  if (metagraph.neurons.some((neuron) => neuron.hotkey === hotkey)) return;
  throw new CannotStartError(
    `Your miner is not registered. Please register and try again. (${hotkey} is not in the metagraph file)`,
  );
}

function outcomeReporter(log: Logger, slack: Slack, writeFailed: boolean) {
  return (uuid: string, signal: JsonValue, { isGood, folder, reason }: Outcome): void => {
    const shown = writeJson(signal).slice(0, 500);
    if (isGood) {
      log.info({ uuid, signal: shown }, 'signal processed');
      slack.inform(`Signal ${uuid} processed: ${shown}`);
      return;
    }
    const hint = writeFailed ? `; ptn-miner failed --resend ${uuid} sends it again` : '';
    log.error({ uuid, signal: shown, reason, folder }, `signal failed${hint}`);
    slack.warn(`Signal ${uuid} failed: ${reason}. ${shown}`);
  };
}

/** The part that sends signals. @throws CannotStartError and others that {@link startProblem} knows. */
export async function startSender(config: RunConfig, log: Logger): Promise<RunningPart> {
  const folder = miningFolder(config.miningDir);
  await makeMiningFolder(folder);
  // Two senders would send each order twice.
  const unlock = await lockFolder(folder.path, {
    name: 'ptn-miner',
    inUse: `another miner sends the signals in ${folder.path}: give each its own --mining-dir`,
    waitMs: LOCK_WAIT_MS,
  });
  await removeOldDrafts(folder, Date.now());
  const keypair = readSigningKey(config.hotkeyFile);
  const network = NETWORKS[config.netuid] ?? 'mainnet';
  const warn = log.warn.bind(log);
  const metagraph = new MetagraphFile({ path: config.metagraphFile, netuid: config.netuid, warn });
  checkRegistered(metagraph.current, keypair.address);
  const client = new ValidatorClient();
  const { slackWebhookUrl: webhookUrl, slackErrorWebhookUrl: errorWebhookUrl } = config;
  const slack = new Slack({ webhookUrl, errorWebhookUrl, log });
  const { timeoutMs, writeFailed, secondAfterMs, thirdAfterMs } = config.sending;
  const orders = { client, keypair, repoVersion: REPO_VERSIONS[config.generation], timeoutMs };
  const status = new SenderStatus(folder, keypair.address, () => sender.waiting);
  const reportOutcome = outcomeReporter(log, slack, writeFailed);
  const sender = new Sender({
    folder,
    validators: () => validatorsOf(metagraph.current, network),
    attempt: (validator, signal, uuid, abort) => {
      const now = metagraph.current.neurons.find(({ hotkey }) => hotkey === validator.hotkey);
      return sendOrder(orders, { ...validator, axon: now?.axon ?? validator.axon }, signal, uuid, abort);
    },
    clock: SYSTEM_CLOCK,
    retryTimes: { secondAfterMs, thirdAfterMs },
    retryWithinMs: secondAfterMs + thirdAfterMs + MAX_ATTEMPTS * timeoutMs,
    writeFailed,
    recentlyAcked: new Set(),
    onAttempt: (uuid, { validator, results }, result) => {
      status.record(validator, result);
      const { hotkey, validatorTrust: trust } = validator;
      if (result.kind === 'accepted') log.debug({ uuid, hotkey, attempt: results.length }, 'order accepted');
      else
        log.warn({ uuid, hotkey, trust, attempt: results.length, error: result.text }, 'order not accepted');
    },
    onOutcome: (uuid, signal, outcome) => {
      status.changed();
      reportOutcome(uuid, signal, outcome);
    },
    onFault: (error, text) => {
      log.error({ err: error }, text);
      slack.warn(text);
    },
  });
  await sender.resume();
  status.write();

  const changes = new FolderChanges(folder.received, log);
  const stopping = new AbortController();
  const scanning = (async () => {
    let used = metagraph.current;
    while (!stopping.signal.aborted) {
      try {
        await sender.scan();
      } catch (error) {
        log.error({ err: error }, 'the signals could not be scanned');
      }
      if (metagraph.current !== used) client.keepOnly(metagraph.current.neurons.map(({ axon }) => axon));
      used = metagraph.current;
      await changes.next();
    }
  })();

  const count = validatorsOf(metagraph.current, network).length;
  if (count === 0) log.warn('the metagraph has no validator that signals could be sent to');
  return {
    text: `sends as ${keypair.address} to ${count} validators`,
    stop: async () => {
      stopping.abort();
      changes.close();
      await scanning;
      await sender.close();
      metagraph.close();
      await client.close();
      status.write();
      unlock();
    },
  };
}
