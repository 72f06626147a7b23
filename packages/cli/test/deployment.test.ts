/** The files for those who run it: alert rules, pm2, systemd, Docker. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { makePtnRoot, startServer, waitFor } from '@ptn-api/testkit';
import { parseCommandLine } from '../dist/command-line.js';
import { ERRORS } from '@ptn-api/protocol';
import pino from 'pino';
import t from 'tap';
import { AdminServer } from '../../supervisor/dist/monitoring/admin-server.js';

const ROOT = new URL('../../../', import.meta.url);
const textOf = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');
const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

void t.test('Prometheus reads the metrics, and the alert rules name metrics that there are', async (t) => {
  const root = makePtnRoot(t, { keys: { user: { key: 'the-key', tier: 100 } }, outputs: '{}' });
  const server = await startServer(t, { root: root.path, args: ['--admin-port', '0'] });
  await fetch(`${server.url}/miner-hotkeys`, { headers: { authorization: 'Bearer the-key' } });
  const port = await waitFor(() => /"listening-admin".*?"port":(\d+)/.exec(server.output())?.[1], {
    what: 'the admin port',
  });
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const names = new Set([...metrics.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name));
  const used = [...textOf('docs/prometheus/alerts.yml').matchAll(/ptn_api_\w+/g)].map(([name]) => name);
  t.ok(used.length >= 5);
  for (const name of used) t.ok(names.has(name.replace(/_bucket$/, '')), name);
  if (!hasPromtool) {
    t.comment('promtool is not installed: the rules are not tried');
    return;
  }
  const checked = spawnSync('promtool', ['check', 'metrics'], { input: metrics, encoding: 'utf8' });
  t.same([checked.status, checked.stdout, checked.stderr], [0, '', '']);
  const cwd = fileURLToPath(new URL('docs/prometheus/', ROOT));
  for (const args of [
    ['check', 'rules', 'alerts.yml'],
    ['test', 'rules', 'alerts.test.yml'],
  ]) {
    const { status, stdout, stderr } = spawnSync('promtool', args, { cwd, encoding: 'utf8' });
    t.equal(status, 0, stdout + stderr);
  }
});

void t.test(
  'the lines of the migration guide are taken, and a trial needs no port of the Python server',
  (t) => {
    const [, guide = ''] = textOf('docs/operations.md').split(/^## From the Python API manager$/m);
    const [, trial = '', switching = '', back = ''] = (guide.split(/^## /m)[0] ?? '')
      .split(/^### .*$/m)
      .slice(1);
    const linesOf = (text: string): string[] =>
      [...text.matchAll(/^ *ptn-api (.*?)(?: *[|#].*)?$/gm)].map(([, line = '']) => line);
    const read = (line: string) => parseCommandLine(line.split(' '), { version: '0', env: {}, nowMs: 0 });
    const [doctor, serve] = linesOf(trial).map(read);
    t.match([doctor?.kind, serve?.kind], ['doctor', 'serve']);
    for (const command of [doctor, serve])
      t.match(command, { values: { 'api-rest-port': '48889', 'api-ws-port': '8766' } });
    const [after] = linesOf(switching).map(read);
    t.match(after, { kind: 'serve', values: { 'api-rest-port': '48888', 'api-ws-port': '8765' } });
    // The Python server's new port is the one that is named, and its others are nobody's.
    const python = / --api-rest-port (\d+) --api-ws-port (\d+)$/m.exec(switching);
    t.match(after, { values: { 'forward-to': `http://127.0.0.1:${python?.[1]}` } });
    t.match(linesOf(back).map(read), [{ kind: 'doctor' }]);
    t.end();
  },
);

/** What no restart of the process changes: what the operator has to correct first. */
const FINAL = [
  'PTN_ERR_CLI_USAGE',
  'PTN_ERR_START_NO_ROOT',
  'PTN_ERR_START_NO_KEYS',
  'PTN_ERR_START_BAD_KEYS',
] as const;

interface Pm2App {
  readonly args: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stop_exit_codes: readonly number[];
  readonly treekill: boolean;
}

void t.test(
  'the environment decides on the address, and errors of the configuration end the restarts',
  (t) => {
    const require = createRequire(import.meta.url);
    const path = fileURLToPath(new URL('ecosystem.config.cjs', ROOT));
    const load = (host?: string): Pm2App => {
      const before = process.env['PTN_API_HOST'];
      if (host === undefined) delete process.env['PTN_API_HOST'];
      else process.env['PTN_API_HOST'] = host;
      // Node keeps what was required.
      // oxlint-disable-next-line typescript/no-dynamic-delete
      delete require.cache[path];
      const { apps } = require(path) as { apps: [Pm2App] };
      if (before === undefined) delete process.env['PTN_API_HOST'];
      else process.env['PTN_API_HOST'] = before;
      return apps[0];
    };
    t.equal(load().env['PTN_API_HOST'], '0.0.0.0');
    t.equal(load('10.0.0.5').env['PTN_API_HOST'], '10.0.0.5');
    const app = load();
    const unit = textOf('docs/systemd/ptn-api.service');
    const dockerfile = textOf('docs/docker/Dockerfile');
    for (const text of [app.args, unit.replace(/^Environment=.*$/m, ''), dockerfile])
      t.notMatch(text, /--api-host/);
    t.match(
      unit,
      /^Environment=PTN_API_HOST=0\.0\.0\.0\n(?:.*\n)*EnvironmentFile=/m,
      'a file of variables comes after',
    );
    const prevented = /^RestartPreventExitStatus=(.*)$/m.exec(unit)?.[1]?.split(' ').map(Number);
    for (const code of FINAL) {
      t.ok(app.stop_exit_codes.includes(ERRORS[code].exitCode), code);
      t.ok(prevented?.includes(ERRORS[code].exitCode), code);
    }
    t.same(prevented, app.stop_exit_codes, 'the same for both');
    t.match(textOf('docs/docker/compose.yaml'), /PTN_API_TRUST_PROXY/);
    t.end();
  },
);

void t.test('a crowd of idle connections leaves the operator a way to the admin port', async (t) => {
  const lines: { event: string; port?: number }[] = [];
  const log = pino({}, { write: (line: string) => lines.push(JSON.parse(line) as (typeof lines)[number]) });
  const page = { contentType: 'text/plain', read: () => Promise.resolve('all is well') };
  const admin = new AdminServer(log, 0, { '/status': page });
  t.teardown(() => admin.close());
  await admin.open();
  const port = lines.find(({ event }) => event === 'listening-admin')?.port ?? 0;
  const idle = Array.from({ length: 200 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
  t.teardown(() => {
    for (const socket of idle) socket.destroy();
  });
  await Promise.all(idle.map((socket) => once(socket, 'connect')));
  for (let request = 0; request < 10; request++) {
    const answer = await fetch(`http://127.0.0.1:${port}/status`);
    t.equal((await answer.text()).trim(), 'all is well');
  }
});

void t.test('a server that takes over waits for the admin port, which is no error', async (t) => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address() as AddressInfo;
  const lines: { level: number; event: string }[] = [];
  const log = pino({}, { write: (line: string) => lines.push(JSON.parse(line) as (typeof lines)[number]) });
  const admin = new AdminServer(log, port, {});
  t.teardown(() => admin.close());
  await admin.open(true);
  t.same(
    lines.map(({ level, event }) => [level, event]),
    [[30, 'admin-port-waiting']],
  );
  holder.close();
  await waitFor(() => lines.some(({ event }) => event === 'listening-admin'), {
    what: 'the port is taken over',
  });
  t.notOk(lines.some(({ level }) => level >= 40));
});
