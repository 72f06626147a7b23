/** The systemd unit of the documentation, and what a server under it tells systemd. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makePtnRoot, makeTemporaryFolder, startServer, waitFor } from '@ptn-api/testkit';
import t from 'tap';

const has = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const skipUnless = (...programs: string[]): string | false => {
  const missing = programs.filter((program) => !has(program));
  return missing.length > 0 && `not installed: ${missing.join(', ')}`;
};
const UNIT = fileURLToPath(new URL('../../../docs/systemd/ptn-api.service', import.meta.url));

/** Prints each datagram that comes; Node has no such sockets. */
const LISTEN = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); print("listening", flush=True)
while True: print(s.recv(4096).decode(), flush=True)
`;

void t.test(
  'systemd is notified when it serves and when it stops',
  { skip: skipUnless('systemd-notify', 'python3') },
  async (t) => {
    const socket = join(makeTemporaryFolder(t), 'notify');
    const listener = spawn('python3', ['-c', LISTEN, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(listener, 'exit');
    t.teardown(async () => {
      listener.kill();
      await ended;
    });
    let told = '';
    listener.stdout.setEncoding('utf8').on('data', (text: string) => (told += text));
    await waitFor(() => told.includes('listening'), { what: 'the socket' });
    const server = await startServer(t, {
      root: makePtnRoot(t, { keys: {} }).path,
      args: ['--rest-workers', '1'],
      env: { NOTIFY_SOCKET: socket },
    });
    await waitFor(() => told.includes('READY=1'), { what: () => `READY=1 in ${told}` });
    t.notMatch(told, /STOPPING/);
    await server.stop();
    await waitFor(() => told.includes('STOPPING=1'), { what: () => `STOPPING=1 in ${told}` });
  },
);

void t.test('the unit is one that systemd understands', { skip: skipUnless('systemd-analyze') }, (t) => {
  const folder = makeTemporaryFolder(t);
  const unit = join(folder, 'ptn-api.service');
  copyFileSync(UNIT, unit);
  // What it names is not on this machine; all else is as documented.
  writeFileSync(
    unit,
    readFileSync(unit, 'utf8')
      .replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`)
      .replace(/^User=.*$/m, 'User=root'),
  );
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', unit], {
    encoding: 'utf8',
  });
  t.equal(status, 0, stdout + stderr);
  t.notMatch(stderr, /Unknown|ignoring/i);
  t.end();
});
