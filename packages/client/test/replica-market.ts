import { SimulatedValidator } from '@ptn-api/simulator';
import { isRunning, makePtnRoot, startServer, waitFor } from '@ptn-api/testkit';
import type { RunningServer, TestScope } from '@ptn-api/testkit';

export const apiKey = 'the-replica-key';

/** How long the market trades while workers are killed. */
const MARKET_MS = Number(process.env['PTN_TEST_REPLICA_MS'] ?? 2500);

/** A real server on the folder of a simulated validator that trades. */
export interface Market {
  readonly server: RunningServer;
  /**
   * For a while, kills worker processes at random, one after the other: the next when the server is complete again
   * and `progress`, a number that rises, has risen. Then stops trading.
   *
   * @returns how many were killed.
   */
  readonly killWorkersAndStop: (progress: () => number) => Promise<number>;
}

export async function startMarket(scope: TestScope): Promise<Market> {
  const folder = makePtnRoot(scope);
  const faults: unknown[] = [];
  const validator = new SimulatedValidator({
    root: folder.path,
    seed: 7,
    miners: 12,
    positions: 240,
    months: 1,
    endMs: Date.now(),
    generation: '2025',
    ordersPerSecond: 15,
    refreshMs: 1500,
    outputsMs: 0,
    onFault: (error) => faults.push(error),
  });
  await validator.writeHistory();
  // Not before: the simulated validator wants a folder without files of a validator.
  folder.writeKeys({ replica: { key: apiKey, tier: 100 } });
  const server = await startServer(scope, { root: folder.path, args: ['--rest-workers', '2'] });
  const workers = server.childPids().length;
  scope.teardown(() => validator.stop());
  validator.start();

  async function killWorkersAndStop(progress: () => number): Promise<number> {
    const endMs = performance.now() + MARKET_MS;
    let killed = 0;
    while (performance.now() < endMs) {
      const before = progress();
      const pids = server.childPids();
      const pid = pids[Math.floor(Math.random() * pids.length)];
      if (pid === undefined) throw new Error('the server has no workers');
      process.kill(pid, 'SIGKILL');
      killed += 1;
      // It closes all of a miner's positions.
      if (killed === 2) validator.eliminate();
      await waitFor(() => !isRunning(pid) && server.childPids().length === workers && progress() > before, {
        timeoutMs: 30_000,
        what: () => `worker ${pid} is replaced and orders go on after ${before}\n${server.output()}`,
      });
    }
    await validator.stop();
    if (faults.length > 0) throw new Error('the simulated validator could not go on', { cause: faults[0] });
    return killed;
  }

  return { server, killWorkersAndStop };
}
