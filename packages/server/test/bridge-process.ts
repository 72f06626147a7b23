import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@ptn-api/testkit';
import type { Test } from 'tap';

const SCRIPTS = fileURLToPath(new URL('../../../scripts', import.meta.url));

/** Obeys lines of JSON `[method, arguments…]` on a bridge; answers each by `[result, seconds]`. */
const PROGRAM = `
import enum, json, sys, time
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from ptn_bridge import PtnBridge

bridge = PtnBridge(sys.argv[2], **json.loads(sys.argv[3]))

class Side(enum.Enum):
    LONG = "LONG"

class Scalar:
    def __init__(self, value): self.value = value
    def item(self): return self.value

class Array:
    def tolist(self): return ["BTCUSD", "BTC/USD", 0.003, 0.01, 0.5]

class Position:
    def __init__(self, fields): self.fields = fields
    def to_dict(self): return self.fields

def put(position): bridge.put({"position": position})
def put_objects(fields):
    fields["orders"][0]["order_type"] = Side.LONG
    fields["orders"][0]["price"] = Scalar(100.25)
    fields["trade_pair"] = Array()
    fields["current_return"] = float("nan")
    bridge.put({"position": Position(fields)})
def put_bad():
    loop = []
    loop.append(loop)
    class Hostile:
        def to_dict(self): raise RuntimeError("no")
    for item in (None, 1, "text", {}, {"position": object()}, {"position": loop}, {"position": Hostile()}):
        bridge.put(item)

calls = dict(put=put, put_objects=put_objects, put_bad=put_bad, put_raw=bridge.put, stats=bridge.stats, close=bridge.close)
for line in sys.stdin:
    name, *given = json.loads(line)
    started = time.perf_counter()
    result = calls[name](*given)
    print(json.dumps([result, time.perf_counter() - started]), flush=True)
`;

export interface BridgeStats {
  readonly acknowledged: number;
  readonly duplicates: number;
  readonly refused: number;
  readonly bad: number;
  readonly dropped: number;
  readonly buffered: number;
  readonly connected: boolean;
}

/** A process of Python with a bridge in it, as the validator is one. */
export class BridgeProcess {
  readonly #child;
  readonly #answers: AsyncIterator<string, undefined>;
  log = '';
  /** How long each put took. */
  readonly putMs: number[] = [];

  constructor(t: Test, socketPath: string, options: Readonly<Record<string, number>> = {}) {
    this.#child = spawn('python3', ['-c', PROGRAM, SCRIPTS, socketPath, JSON.stringify(options)]);
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.log += text;
    });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    t.teardown(async () => {
      this.#child.stdin.end();
      if (this.#child.exitCode === null) await once(this.#child, 'exit');
    });
  }

  async call<T>(name: string, ...given: unknown[]): Promise<T> {
    this.#child.stdin.write(`${JSON.stringify([name, ...given])}\n`);
    const answer = await this.#answers.next();
    if (answer.done === true) throw new Error(`the Python process ended: ${this.log}`);
    const [result, seconds] = JSON.parse(answer.value) as [T, number];
    if (name.startsWith('put')) this.putMs.push(seconds * 1000);
    return result;
  }

  stats(): Promise<BridgeStats> {
    return this.call('stats');
  }

  async has(wanted: Partial<BridgeStats>): Promise<BridgeStats> {
    let stats: BridgeStats | undefined;
    await waitFor(
      async () => {
        stats = await this.stats();
        return Object.entries(wanted).every(([name, value]) => stats?.[name as keyof BridgeStats] === value);
      },
      {
        timeoutMs: 20_000,
        what: () => `${JSON.stringify(wanted)}, not ${JSON.stringify(stats)} ${this.log}`,
      },
    );
    return stats as BridgeStats;
  }
}
