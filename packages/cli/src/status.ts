import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { optionLabel } from './options/options.ts';
import { resolveAdminPort } from './options/resolve-config.ts';
import { StartError } from '@ptn-api/runtime';
import type { ServerStatus } from '@ptn-api/supervisor';
import { statusText } from './status-text.ts';

const EXIT_OK = 0;
const EXIT_DEGRADED = 1;
const EXIT_NOT_RUNNING = 2;
/** The server gives its workers a second to answer. */
const ANSWER_TIMEOUT_MS = 5000;
/** While one server takes over from another, the port is handed over within this time. */
const HANDOVER_MS = 1000;
const HANDOVER_RETRY_MS = 50;

export interface StatusOutput {
  readonly isJson: boolean;
  readonly write: (text: string) => void;
  /** For what went wrong. */
  readonly printError: (text: string) => void;
}

/**
 * Shows the state of the server that runs on this machine.
 *
 * @returns the exit code: 0 when all is well, 1 when it is degraded, 2 when none answers.
 * @param adminPort as on the command line.
 * @throws StartError when that is no port.
 */
export async function runStatus(
  adminPort: string,
  { isJson, write, printError }: StatusOutput,
): Promise<number> {
  const port = resolveAdminPort(adminPort);
  if (port === null || port === 0) {
    throw new StartError('PTN_ERR_CLI_USAGE', {
      detail: `${optionLabel('admin-port')} has to name the port of the server that runs`,
    });
  }
  const answer = await askThroughHandover(port);
  if (typeof answer !== 'string') {
    printError(
      `no server answers at 127.0.0.1:${port} (${answer.problem}): is it running, with this --admin-port?`,
    );
    return EXIT_NOT_RUNNING;
  }
  const status = readStatus(answer);
  if (status === undefined) {
    printError(
      `what answers at 127.0.0.1:${port} is not the admin port of ptn-api: give the right --admin-port`,
    );
    return EXIT_NOT_RUNNING;
  }
  write(isJson ? answer : statusText(status));
  return status.status === 'ok' ? EXIT_OK : EXIT_DEGRADED;
}

async function askThroughHandover(port: number): ReturnType<typeof ask> {
  const deadlineMs = performance.now() + HANDOVER_MS;
  for (;;) {
    const answer = await ask(port);
    if (typeof answer === 'string' || !/ECONNREFUSED|ECONNRESET/.test(answer.problem)) return answer;
    if (performance.now() > deadlineMs) return answer;
    await sleep(HANDOVER_RETRY_MS);
  }
}

function ask(port: number): Promise<string | { readonly problem: string }> {
  return new Promise((resolve) => {
    const url = { host: '127.0.0.1', port, path: '/status', agent: false, timeout: ANSWER_TIMEOUT_MS };
    const request = get(url, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve(text);
      });
    });
    request.on('timeout', () => request.destroy(new Error(`no answer within ${ANSWER_TIMEOUT_MS} ms`)));
    request.on('error', (error) => {
      resolve({ problem: error.message });
    });
  });
}

/** `undefined` where something else answered. */
function readStatus(text: string): ServerStatus | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const isStatus =
    typeof value === 'object' && value !== null && 'workers' in value && Array.isArray(value.workers);
  return isStatus ? (value as ServerStatus) : undefined;
}
