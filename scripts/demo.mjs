// Installs, builds and starts the server on a simulated validator. Further arguments go to ptn-api.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build, install, projectRoot } from './steps.mjs';

install();
build();
// The same file as the command ptn-api, so that there is one place that knows where it is.
const cli = join(projectRoot, 'scripts', 'ptn-api.mjs');
const server = spawn(process.execPath, [cli, '--serve', '--demo', ...process.argv.slice(2)], {
  stdio: 'inherit',
});
// The terminal sends Ctrl-C to the server as well; waiting for it here keeps its last lines in order.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    if (signal === 'SIGTERM') server.kill(signal);
  });
}
server.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === null ? 1 : 128);
});
