import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { base58 } from '@scure/base';
import { verify } from '@scure/sr25519';

/** How a validator behaves towards one request, once it has found nothing wrong with it. */
export type Behaviour =
  | 'accept'
  | 'refuse'
  /** Accepts, and answers when the miner waits no more. */
  | 'late'
  /** Accepts, and ends the connection without an answer. */
  | 'hang up'
  /** Accepts, and never answers. */
  | 'silent'
  /** Accepts, and sends its answer twice. */
  | 'twice'
  /** Accepts nothing, and answers 500. */
  | 'error'
  /** Accepts, and answers what is no JSON. */
  | 'garbage';

export interface Order {
  readonly uuid: string;
  readonly sender: string;
  /** The JSON text of the signal, as it came. */
  readonly signal: string;
}

export interface StrictValidatorOptions {
  readonly hotkey: string;
  readonly registered: readonly string[];
  /** Of the n-th request, from 0. */
  readonly behaviour?: (request: number) => Behaviour;
  readonly lateMs?: number;
}

const DASH_PATH = '/GetDashData';
/** The field of a request that its hash is over, by path. */
const HASHED: Readonly<Record<string, string>> = { '/SendSignal': 'signal', [DASH_PATH]: 'data' };

const sha3 = (text: string): string => createHash('sha3-256').update(text).digest('hex');

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[a-zA-Z]+|[{}[\]:,]/g;
const WORDS: Readonly<Record<string, string>> = {
  ',': ', ',
  ':': ': ',
  true: 'True',
  false: 'False',
  null: 'None',
  NaN: 'nan',
  Infinity: 'inf',
};

/** A float as Python prints it, for what signals hold. */
function floatText(value: number): string {
  const text = String(value);
  if (/^-?\d+$/.test(text)) return `${text}.0`;
  const small = /^(-?)0\.0000(0*[1-9]\d*)$/.exec(text);
  if (small !== null) return value.toExponential().replace(/e-(\d)$/, 'e-0$1');
  return text;
}

/** What Python's `str()` makes of a JSON text whose strings hold plain letters. */
function pythonText(json: string): string {
  return (json.match(TOKEN) ?? [])
    .map((token) => {
      if (token.startsWith('"')) return `'${token.slice(1, -1)}'`;
      if (/^-?\d/.test(token)) return /[.eE]/.test(token) ? floatText(Number(token)) : token;
      return WORDS[token] ?? token;
    })
    .join('');
}

/** The text of the object that a member has as its value. */
function memberText(json: string, name: string): string {
  const start = json.indexOf(`"${name}": {`) + name.length + 4;
  let depth = 0;
  for (let at = start; at < json.length; at += 1) {
    if (json[at] === '{') depth += 1;
    if (json[at] === '}') depth -= 1;
    if (depth === 0) return json.slice(start, at + 1);
  }
  throw new Error(`no ${name} in ${json}`);
}

function publicKey(address: string): Uint8Array {
  return base58.decode(address).subarray(1, 33);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/**
 * A validator that takes nothing for granted, with its own reading of the protocol: it answers as the network's
 * validators do, and remembers which orders it has accepted.
 */
export class StrictValidator {
  readonly orders: Order[] = [];
  /** What was wrong with requests, and texts of refused orders. */
  readonly refusals: string[] = [];
  requests = 0;
  readonly hotkey: string;
  behaviour: (request: number) => Behaviour;
  readonly #options: StrictValidatorOptions;
  readonly #nonces = new Map<string, bigint>();
  #server: Server | undefined;
  #port = 0;

  constructor(options: StrictValidatorOptions) {
    this.#options = options;
    this.hotkey = options.hotkey;
    this.behaviour = options.behaviour ?? (() => 'accept');
  }

  get port(): number {
    return this.#port;
  }

  /** Listens, after a while of absence on the port that it had. */
  async listen(): Promise<void> {
    const server = createServer((request, response) => {
      void this.#answer(request, response);
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
  }

  async vanish(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request).catch(() => undefined);
    if (body === undefined) return;
    const number = this.requests;
    this.requests += 1;
    const problem = this.#problem(request.method ?? '', request.url ?? '', request.headers, body);
    if (problem !== undefined) {
      this.refusals.push(problem.text);
      this.#send(response, problem.status, JSON.stringify({ message: problem.text }));
      return;
    }
    const sender = String(request.headers['bt_header_dendrite_hotkey']);
    if (request.url === DASH_PATH) {
      const data = `{"timestamp": ${number + 1}, "positions": {"${sender}": {"n_positions": NaN}}}`;
      this.#send(response, 200, `{"successfully_processed": true, "error_message": "", "data": ${data}}`);
      return;
    }
    const behaviour = this.behaviour(number);
    if (behaviour === 'error') {
      this.#send(response, 500, '{"message":"Internal Server Error #1"}');
      return;
    }
    const { miner_order_uuid: uuid } = JSON.parse(body.replace(/NaN|Infinity/g, 'null')) as {
      miner_order_uuid: string;
    };
    const text = this.#submit(behaviour, uuid, sender, body);
    const answer = JSON.stringify({
      successfully_processed: text === '',
      error_message: text,
      validator_hotkey: this.hotkey,
      order_json: text === '' ? `{'order_uuid': '${uuid}'}` : '',
      miner_order_uuid: uuid,
    });
    if (behaviour === 'late') {
      setTimeout(() => {
        this.#send(response, 200, answer);
      }, this.#options.lateMs ?? 1_000);
    } else if (behaviour === 'hang up') request.socket.destroy();
    else if (behaviour === 'garbage') this.#send(response, 200, '{"successfully_');
    else if (behaviour !== 'silent') this.#send(response, 200, answer);
    if (behaviour === 'twice')
      request.socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${answer.length}\r\n\r\n${answer}`);
  }

  /** The text of a refusal, empty where the order is in. */
  #submit(behaviour: Behaviour, uuid: string, sender: string, body: string): string {
    if (this.orders.some((order) => order.uuid === uuid)) {
      const text = `Order with uuid [${uuid}] has already been processed. Please try again with a new order.`;
      this.refusals.push(text);
      return text;
    }
    if (behaviour === 'refuse') return 'Error processing order for [x] with error [no]';
    this.orders.push({ uuid, sender, signal: memberText(body, 'signal') });
    return '';
  }

  #send(response: ServerResponse, status: number, body: string): void {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(body);
  }

  #problem(
    method: string,
    url: string,
    headers: IncomingHttpHeaders,
    body: string,
  ): { readonly status: number; readonly text: string } | undefined {
    const of = (name: string): string => String(headers[name]);
    const dendrite = (name: string): string => of(`bt_header_dendrite_${name}`);
    const refused = (status: number, text: string) => ({ status, text });
    const hashed = HASHED[url];
    if (method !== 'POST' || hashed === undefined) return refused(404, `no ${method} ${url}`);
    for (const name of ['timeout', 'header_size', 'total_size', 'bt_header_axon_port']) {
      if (!/^\d+(\.\d+)?$/.test(of(name))) return refused(500, `header ${name}`);
    }
    const hotkey = dendrite('hotkey');
    if (!this.#options.registered.includes(hotkey)) return refused(403, `Key is blacklisted: ${hotkey}`);
    if (!/^\d{19}$/.test(dendrite('nonce'))) return refused(401, 'nonce is no time in nanoseconds');
    const nonce = BigInt(dendrite('nonce'));
    const ageNs = BigInt(Date.now()) * 1_000_000n - nonce;
    if (ageNs > 16_000_000_000n || ageNs < -1_000_000_000n) return refused(401, `nonce is ${ageNs} ns old`);
    const run = `${hotkey}:${dendrite('uuid')}`;
    if (nonce <= (this.#nonces.get(run) ?? 0n)) return refused(401, 'nonce was used');
    const hash = of('computed_body_hash');
    const text = `${nonce}.${hotkey}.${this.hotkey}.${dendrite('uuid')}.${hash}`;
    const signature = /^0x([0-9a-f]{128})$/.exec(dendrite('signature'))?.[1];
    const isSigned =
      signature !== undefined && verify(Buffer.from(text), Buffer.from(signature, 'hex'), publicKey(hotkey));
    if (!isSigned) return refused(401, 'signature');
    this.#nonces.set(run, nonce);
    if (sha3(sha3(pythonText(memberText(body, hashed)))) !== hash) return refused(500, 'hash of the body');
    return undefined;
  }
}
