import { randomUUID } from 'node:crypto';
import { isJsonObject, parseJson, plainValue, writePosition } from '@ptn-api/positions';
import type { JsonObject, JsonValue } from '@ptn-api/positions';
import { NONCE_WINDOW_NS, NonceMemory, answerRequest, refuseRequest, verifyRequest } from '@ptn-api/wire';
import type { AcceptedRequest, ReceivedRequest, SynapseName, WireAnswer } from '@ptn-api/wire';
import type { Validator } from './validator.ts';

/** What happened to a request, for the log. */
export interface AxonReport {
  readonly synapse?: SynapseName;
  readonly status: number;
  /** Whose signature it has. */
  readonly sender?: string;
  /** Why the request, or its order, was refused; empty where it was not. */
  readonly problem: string;
  /** What went wrong in the validator itself. */
  readonly fault?: unknown;
}

export interface AxonOptions {
  readonly validator: Validator;
  /** The validator's time, Unix ms. */
  readonly nowMs: () => number;
  /** The real time, Unix ns: nonces are of it. */
  readonly nowNs: () => bigint;
  readonly report: (report: AxonReport) => void;
}

/** Fields that the handler sets in the answer. */
type Answered = Readonly<Record<string, JsonValue>>;

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** None where the miner sent none. */
function signalOf({ fields }: AcceptedRequest): JsonObject {
  const signal = fields.get('signal');
  return isJsonObject(signal) ? signal : new Map<string, JsonValue>();
}

type Handler = (validator: Validator, request: AcceptedRequest, nowMs: number) => Answered;

const HANDLERS: Readonly<Partial<Record<SynapseName, Handler>>> = {
  SendSignal: (validator, request, nowMs) => {
    const uuid = textOf(request.fields.get('miner_order_uuid'));
    return { ...validator.submit({ hotkey: request.sender, signal: signalOf(request), uuid }, nowMs) };
  },
  GetPositions: (validator, { sender, fields }, nowMs) => {
    const version = Number(plainValue(fields.get('version') ?? null));
    const answer = validator.answerPositions({ hotkey: sender, version }, nowMs);
    return {
      // Through their text, as numbers keep the form that they have in the files.
      positions: answer.positions.map((position) => parseJson(writePosition(position))),
      successfully_processed: answer.successfully_processed,
      error_message: answer.error_message,
    };
  },
  GetDashData: (validator, { sender }, nowMs) => {
    const { data, ...answer } = validator.answerDashData(sender, nowMs);
    return { ...answer, data: parseJson(data) };
  },
};

const SERVED = Object.keys(HANDLERS) as SynapseName[];

/** Answers what miners send to a validator: checks who they are, hands the rest to the validator. */
export class Axon {
  readonly #options: AxonOptions;
  readonly #nonces = new NonceMemory(NONCE_WINDOW_NS);

  constructor(options: AxonOptions) {
    this.#options = options;
  }

  answer(received: ReceivedRequest): WireAnswer {
    const { validator, nowNs, report } = this.#options;
    const request = verifyRequest(received, {
      hotkey: validator.hotkey,
      served: SERVED,
      isRegistered: (hotkey) => validator.registered.has(hotkey),
      nonces: this.#nonces,
      nowNs: nowNs(),
      errorId: randomUUID(),
    });
    if (!request.accepted) {
      report({ status: request.status, problem: request.reason });
      return refuseRequest(received.headers, request);
    }
    const startedMs = performance.now();
    const { synapse, sender } = request;
    try {
      const set = HANDLERS[synapse]?.(validator, request, this.#options.nowMs()) ?? {};
      report({ synapse, status: 200, sender, problem: textOf(set['error_message']) });
      return answerRequest(request, set, performance.now() - startedMs);
    } catch (error) {
      return this.#fail(request, error);
    }
  }

  /** Whatever goes wrong in a handler is answered like this, as by Python's validators, and the next request comes. */
  #fail({ synapse, sender, headers }: AcceptedRequest, error: unknown): WireAnswer {
    const id = randomUUID();
    const reason = error instanceof Error ? error.message : String(error);
    const problem = `${reason} (answered as error #${id})`;
    this.#options.report({ synapse, status: 500, sender, problem, fault: error });
    const body = { message: `Internal Server Error #${id}` };
    return refuseRequest(headers, { accepted: false, status: 500, body, reason });
  }
}
