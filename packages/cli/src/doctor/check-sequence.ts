import { join } from 'node:path';
import type { ServerConfig } from '@ptn-api/runtime';
import { pythonSequence, stateOfLog } from '@ptn-api/order-log';
import { ok, warning } from './finding.ts';
import type { Finding } from './finding.ts';

/** The last numbers of orders: of the Python server and of the order log. The larger counts at every start. */
export async function checkSequence({ ptnRoot, stateDir }: ServerConfig): Promise<Finding[]> {
  const problems: string[] = [];
  const python = pythonSequence(ptnRoot, { warn: ({ place }, text) => problems.push(`${place}: ${text}`) });
  const findings = problems.map((text) =>
    warning('order numbers', text, 'put its last number there, or remove the file'),
  );
  let last: number | undefined;
  try {
    last = (await stateOfLog(join(stateDir, 'orders')))?.last;
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return [
      ...findings,
      warning(
        'order numbers',
        detail,
        'a damaged one is moved aside by the next start, which begins a new one',
      ),
    ];
  }
  const numbers = `the Python server's last number is ${python}, that of the order log is ${last ?? 'none yet'}`;
  const next = Math.max(python, last ?? 0) + 1;
  findings.push(
    last !== undefined && python > last
      ? warning(
          'order numbers',
          `${numbers}: the next start goes on with ${next}`,
          'clients then cannot resume from what the order log holds; stop the Python server before, as it goes on counting',
        )
      : ok('order numbers', `${numbers}: the next order is ${next}`),
  );
  return findings;
}
