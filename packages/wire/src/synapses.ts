import { JsonNumber } from '@ptn-api/positions';
import type { JsonObject, JsonValue } from '@ptn-api/positions';
import type { Field } from './fields.ts';
import { TERMINAL_FIELDS } from './fields.ts';

const EMPTY: JsonObject = new Map();
const ZERO = new JsonNumber('0');
const TERMINAL: JsonObject = new Map(TERMINAL_FIELDS.map(([name]) => [name, null]));

const text = (name: string, maxLength?: number, initial = ''): Field => ({
  name,
  kind: 'text',
  initial,
  ...(maxLength === undefined ? {} : { maxLength }),
});

/** What stands in every body, before the fields of its kind. */
const COMMON_FIELDS: readonly Field[] = [
  { name: 'name', kind: 'optional text', initial: null },
  { name: 'timeout', kind: 'optional float', initial: JsonNumber.float(12) },
  { name: 'total_size', kind: 'optional int', initial: ZERO },
  { name: 'header_size', kind: 'optional int', initial: ZERO },
  { name: 'dendrite', kind: 'terminal', initial: TERMINAL },
  { name: 'axon', kind: 'terminal', initial: TERMINAL },
  { name: 'computed_body_hash', kind: 'optional text', initial: '' },
];

const SUCCEEDED: Field = { name: 'successfully_processed', kind: 'bool', initial: false };
const ERROR = text('error_message', 4096);

/** A kind of request. */
export interface SynapseForm {
  readonly fields: readonly Field[];
  /** The field that hash and signature protect; nothing else of a body is protected. */
  readonly hashed: string;
  /** Fields that only the validator fills: what a request says in them counts for nothing. */
  readonly answered: readonly string[];
}

function form(hashed: string, answered: readonly string[], own: readonly Field[]): SynapseForm {
  return { fields: [...COMMON_FIELDS, ...own], hashed, answered };
}

/** The kinds of requests. A name is the path of its requests, and case counts. */
export const SYNAPSES = {
  SendSignal: form(
    'signal',
    ['successfully_processed', 'error_message', 'validator_hotkey', 'order_json'],
    [
      { name: 'signal', kind: 'object', initial: EMPTY, maxLength: 4096 },
      text('repo_version', 256, 'N/A'),
      SUCCEEDED,
      ERROR,
      text('validator_hotkey', 256),
      text('order_json'),
      text('miner_order_uuid', 256),
    ],
  ),
  GetPositions: form(
    'positions',
    ['successfully_processed', 'error_message'],
    [
      { name: 'positions', kind: 'list', initial: [] },
      SUCCEEDED,
      ERROR,
      { name: 'version', kind: 'int', initial: ZERO },
    ],
  ),
  GetDashData: form(
    'data',
    ['successfully_processed', 'error_message'],
    [{ name: 'data', kind: 'object', initial: EMPTY }, SUCCEEDED, ERROR],
  ),
  ValidatorCheckpoint: form(
    'checkpoint',
    ['successfully_processed', 'error_message', 'validator_receive_hotkey'],
    [text('checkpoint'), SUCCEEDED, ERROR, text('validator_receive_hotkey', 256)],
  ),
} as const satisfies Readonly<Record<string, SynapseForm>>;

export type SynapseName = keyof typeof SYNAPSES;

/** The body's fields in their initial state, with some set. */
export function synapseBody(
  synapse: SynapseName,
  set: Readonly<Record<string, JsonValue>>,
): Map<string, JsonValue> {
  return new Map<string, JsonValue>(
    SYNAPSES[synapse].fields.map(({ name, initial }) => [name, set[name] ?? initial]),
  );
}

/** One end as it stands in a body: `null` for what is not given. */
export function terminal(known: Readonly<Record<string, JsonValue>>): JsonObject {
  return new Map(TERMINAL_FIELDS.map(([name]) => [name, known[name] ?? null]));
}
