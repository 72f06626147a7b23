import { setImmediate as turn } from 'node:timers/promises';
import { waitFor } from '@ptn-api/testkit';
import fc from 'fast-check';
import t from 'tap';
import { Replica } from '../dist/replica.js';
import { HeldRest, ModelServer, ModelStream } from './replica-fixture.ts';

const hotkey = fc.constantFrom('a', 'b', 'c');
const uuid = fc.constantFrom('p', 'q');
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('place'), hotkey, uuid, isClosing: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('rewrite'), hotkey, uuid }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove'), hotkey, uuid }) },
  // A generation is sure of fewer orders than it can hold.
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('publish'), behind: fc.nat(3) }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('deliver'), count: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('ask') }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('answer') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('prune') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('replace-log') }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function act(server: ModelServer, step: Step): void {
  if ('isClosing' in step) server.place(step.hotkey, step.uuid, step.isClosing);
  else if ('behind' in step) server.publish(server.sequence - step.behind);
  else if ('hotkey' in step && step.kind === 'rewrite') server.rewrite(step.hotkey, step.uuid);
  else if ('hotkey' in step) server.remove(step.hotkey, step.uuid);
  else if (step.kind === 'forget') server.forgetGenerations();
  else if (step.kind === 'prune') server.log.shift();
  else if (step.kind === 'replace-log') server.replaceLog();
}

/** Lets the replica make its request; while it waits to try again after a failure, there is none to wait for. */
async function requestArrives(rest: HeldRest): Promise<void> {
  const deadlineMs = performance.now() + 5;
  while (rest.waiting === 0 && performance.now() < deadlineMs) await turn();
}

await t.test(
  'orders, rewrites, deletions, answers, gaps and restarts in any order: the replica ends as the server, never goes back, and never lacks an order up to its sequence',
  async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const server = new ModelServer();
        server.place('a', 'p');
        server.publish();
        const rest = new HeldRest(server);
        let stream: ModelStream | undefined;
        const wrongs: string[] = [];
        let last = { epoch: '', sequence: 0 };
        const replica: Replica = new Replica({
          rest,
          createStream: (wishes) => (stream = new ModelStream(server, wishes)),
          pollMs: 1_000_000,
          gatherMs: 1_000_000,
          onChange: (_hotkeys, sequence) => {
            const epoch = replica.epoch ?? '';
            if (epoch === last.epoch && sequence < last.sequence)
              wrongs.push(`${sequence} after ${last.sequence}`);
            last = { epoch, sequence };
            for (const placed of server.placed.filter((order) => order.sequence <= sequence)) {
              const orders = replica.get(placed.hotkey)?.positions.flatMap((position) => position.orders);
              const isThere = orders?.some((order) => order.order_uuid === placed.orderUuid) === true;
              if (!isThere) wrongs.push(`${placed.orderUuid} is not there at ${sequence}`);
            }
            for (const [key, { positions }] of replica.positions) {
              const uuids = positions.map((position) => position.position_uuid);
              if (new Set(uuids).size < uuids.length) wrongs.push(`twice in ${key}: ${uuids.join()}`);
            }
          },
        });
        await replica.start();
        rest.isHeld = true;
        // Those that fail by a snapshot that is behind are asked again below.
        const refreshes: Promise<unknown>[] = [];
        for (const one of steps) {
          if ('count' in one) stream?.deliver(one.count);
          else if (one.kind === 'ask') {
            refreshes.push(replica.refresh().catch((error: unknown) => error));
            await requestArrives(rest);
          } else if (one.kind === 'answer') rest.answer();
          else act(server, one);
          await turn();
        }
        rest.isHeld = false;
        while (rest.waiting > 0) rest.answer();
        server.publish();
        await waitFor(
          async () => {
            stream?.deliver();
            await replica.refresh();
            return (
              replica.epoch === server.epoch &&
              replica.generation === server.generation &&
              replica.sequence === server.sequence
            );
          },
          { what: 'the replica has caught up' },
        );
        await Promise.all(refreshes);
        t.same(Object.fromEntries(replica.positions), server.published);
        t.same(wrongs, []);
        await replica.stop();
      }),
      { numRuns: 60 },
    );
  },
);
