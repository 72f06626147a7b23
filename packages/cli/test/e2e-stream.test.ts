import { childPidsOf, killAtOnce, makePtnRoot, startServer, waitFor, workersOf } from '@ptn-api/testkit';
import type { PtnRoot } from '@ptn-api/testkit';
import t from 'tap';
import { WebSocket } from 'ws';
import { trade } from '../../feed/dist-test/feed-fixture.js';

const keys = { user: { key: 'the-key', tier: 100 } };

interface StreamedOrder {
  readonly sequence: number;
  readonly data: { readonly position: { readonly orders: readonly { readonly order_uuid: string }[] } };
}

/** A client that resumes by its last sequence number whenever its connection is lost, as the documentation says. */
class ResumingClient {
  readonly received: StreamedOrder[] = [];
  #socket: WebSocket | undefined;
  #retry: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(scope: { teardown(action: () => void): void }, url: string) {
    scope.teardown(() => {
      this.#isOver = true;
      clearTimeout(this.#retry);
      this.#socket?.terminate();
    });
    this.#connect(url);
  }

  get last(): number {
    return this.received.at(-1)?.sequence ?? 0;
  }

  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  #connect(url: string): void {
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.on('open', () => {
      socket.send(JSON.stringify({ api_key: 'the-key', last_sequence: this.last }));
      socket.send(JSON.stringify({ type: 'subscribe', all: true }));
    });
    socket.on('message', (bytes: Buffer) => {
      const message = JSON.parse(bytes.toString()) as Partial<StreamedOrder> & { messages?: StreamedOrder[] };
      if (message.messages !== undefined) this.received.push(...message.messages);
      else if (message.sequence !== undefined) this.received.push(message as StreamedOrder);
    });
    // What went wrong is reported by `close`, too.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (!this.#isOver) {
        this.#retry = setTimeout(() => {
          this.#connect(url);
        }, 50);
      }
    });
  }
}

/** Places an order as the validator does: the position's file is written again with one order more. */
function placer(root: PtnRoot) {
  const times = new Map<string, number[]>();
  let count = 0;
  return {
    get count() {
      return count;
    },
    place(): void {
      const uuid = `p-${count % 7}`;
      const list = [...(times.get(uuid) ?? []), Date.now()];
      times.set(uuid, list);
      count += 1;
      root.writePosition(trade({ uuid, hotkey: `miner-${count % 7}`, times: list }));
    },
  };
}

const root = makePtnRoot(t, { positions: [trade({ uuid: 'old', times: [Date.now() - 3_600_000] })], keys });
const server = await startServer(t, { root: root.path });

await t.test(
  'feed, REST and WebSocket workers are killed: every client has every order once, in order',
  async (t) => {
    const clients = Array.from({ length: 5 }, () => new ResumingClient(t, server.wsUrl));
    const orders = placer(root);
    const allHave = (count: number) => () => clients.every((client) => client.last >= count);
    await waitFor(() => clients.every((client) => client.isOpen), { what: 'all are connected' });

    for (const role of ['feed', 'ws', 'rest', 'ws', 'feed'] as const) {
      for (let index = 0; index < 20; index++) {
        orders.place();
        if (index === 10) {
          const pid = workersOf(server, role)[0];
          t.type(pid, 'number', `${role} is there`);
          killAtOnce(pid);
        }
        await waitFor(() => true, { what: 'a turn of the event loop' });
      }
      await waitFor(allHave(orders.count), {
        timeoutMs: 20_000,
        what: `all ${orders.count} orders after ${role} was killed`,
      });
      await waitFor(() => childPidsOf(server.pid).length === 3, { what: 'all workers are there again' });
    }
    const numbers = Array.from({ length: orders.count }, (_, index) => index + 1);
    for (const client of clients)
      t.same(
        client.received.map(({ sequence }) => sequence),
        numbers,
      );
    const uuids = clients[0]?.received.map(({ data }) => data.position.orders.at(-1)?.order_uuid) ?? [];
    t.equal(new Set(uuids).size, orders.count, 'each order is another one');
    const response = await fetch(`${server.url}/orders?since=0&limit=1000`, {
      headers: { Authorization: 'Bearer the-key' },
    });
    const { messages } = (await response.json()) as { messages: StreamedOrder[] };
    t.same(messages, clients[0]?.received, 'REST gives the same messages');
  },
);

await t.test('a second server on the same state directory refuses to start', async (t) => {
  await t.rejects(startServer(t, { root: root.path }), /is written by process \d+ already/);
  t.equal((await fetch(`${server.url}/healthz`)).status, 200, 'the first one goes on');
});
