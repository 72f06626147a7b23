import { parseJson, plainValue } from '@ptn-api/positions';
import { signRequest } from '@ptn-api/wire';
import type { RequestToSign, SignedRequest } from '@ptn-api/wire';
import type { TestScope } from '@ptn-api/testkit';
import { Axon } from '../dist/validator/axon.js';
import type { AxonReport } from '../dist/validator/axon.js';
import { FailingCalls, MINER, VALIDATOR, WEDNESDAY_MS, makeValidator } from './validator-fixture.ts';
import type { TestValidator } from './validator-fixture.ts';

/** The real time: nonces know nothing of the simulated one. */
export const NOW_NS = 1_800_000_000_000_000_000n;

export interface TestAxon extends TestValidator {
  readonly axon: Axon;
  readonly reports: AxonReport[];
  clock: { nowMs: number; nowNs: bigint };
}

export function makeAxon(scope: TestScope, calls = new FailingCalls()): TestAxon {
  const parts = makeValidator(scope, { calls: calls.calls });
  const clock = { nowMs: WEDNESDAY_MS, nowNs: NOW_NS };
  const reports: AxonReport[] = [];
  const axon = new Axon({
    validator: parts.validator,
    nowMs: () => clock.nowMs,
    nowNs: () => clock.nowNs,
    report: (report) => reports.push(report),
  });
  return { ...parts, axon, clock, reports };
}

let uuids = 0;

export function signed(signal: string, changes: Partial<RequestToSign> = {}): SignedRequest {
  uuids += 1;
  return signRequest({
    synapse: 'SendSignal',
    fields: { signal: parseJson(signal), miner_order_uuid: `order-${uuids}` },
    axon: { ip: '127.0.0.1', port: 8091, hotkey: VALIDATOR.address },
    keypair: MINER,
    nonceNs: NOW_NS,
    uuid: `run-${uuids}`,
    timeoutMs: 12_000,
    ip: '127.0.0.1',
    ...changes,
  });
}

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export function ask({ axon }: TestAxon, request: SignedRequest): Answer {
  const answer = axon.answer({ ...request, body: Buffer.from(request.body) });
  return { status: answer.status, body: plainValue(parseJson(answer.body)) as Answer['body'] };
}
