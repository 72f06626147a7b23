import { pythonFloat, pythonInt } from '@ptn-api/positions';

/** As `node:http` gives them: names in lower case. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What a validator reads of a request's headers. */
export interface RequestHeaders {
  readonly nonceNs: bigint | undefined;
  readonly timeoutSeconds: number | undefined;
  readonly hotkey: string | undefined;
  readonly uuid: string | undefined;
  readonly signature: string | undefined;
  readonly bodyHash: string;
}

export function headerText(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.join(', ');
}

const INTEGERS = [
  'bt_header_dendrite_nonce',
  'bt_header_dendrite_version',
  'bt_header_dendrite_port',
  'bt_header_dendrite_status_code',
  'bt_header_axon_port',
  'bt_header_axon_version',
  'bt_header_axon_nonce',
  'bt_header_axon_status_code',
  'header_size',
  'total_size',
];
const FLOATS = ['timeout', 'bt_header_dendrite_process_time', 'bt_header_axon_process_time'];

/** The headers with their types, or the name of the first that does not fit. All but the hash may be missing. */
export function readHeaders(headers: Headers): RequestHeaders | string {
  const of = (name: string): string | undefined => headerText(headers, name);
  const unfit = (names: readonly string[], parse: (text: string) => unknown): string | undefined =>
    names.find((name) => {
      const text = of(name);
      return text !== undefined && parse(text) === undefined;
    });
  const wrong = unfit(INTEGERS, pythonInt) ?? unfit(FLOATS, pythonFloat);
  if (wrong !== undefined) return wrong;
  const bodyHash = of('computed_body_hash');
  if (bodyHash === undefined) return 'computed_body_hash';
  const nonce = of('bt_header_dendrite_nonce');
  const timeout = of('timeout');
  return {
    nonceNs: nonce === undefined ? undefined : pythonInt(nonce),
    timeoutSeconds: timeout === undefined ? undefined : pythonFloat(timeout),
    hotkey: of('bt_header_dendrite_hotkey'),
    uuid: of('bt_header_dendrite_uuid'),
    signature: of('bt_header_dendrite_signature'),
    bodyHash,
  };
}
