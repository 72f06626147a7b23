import { makePtnRoot, startServer, waitFor } from '@ptn-api/testkit';
import t from 'tap';

void t.test('SIGUSR1 opens no debugger in any process', async (t) => {
  const root = makePtnRoot(t, { keys: { amy: { key: 'k', tier: 100 } }, outputs: '{}' });
  const server = await startServer(t, { root: root.path });
  const pids = [server.pid, ...server.childPids()];
  t.ok(pids.length >= 4, 'the supervisor, the feed, REST and WebSocket');
  for (const pid of pids) process.kill(pid, 'SIGUSR1');
  // Node says at once where its debugger listens; until the workers are replaced it has had the time.
  server.kill('SIGHUP');
  await waitFor(() => server.output().includes('"rolling-restart-done"'), { what: 'new workers' });
  t.notMatch(server.output(), /Debugger listening/);
  t.equal((await fetch(`${server.url}/readyz`)).status, 200);
});
