import t from 'tap';
import { workerEnvironment } from '../dist/worker-environment.js';

void t.test('a worker inherits the environment without the marks of cluster and pm2', (t) => {
  const own = {
    PATH: '/bin',
    PTN_ROOT: '/validator',
    NODE_OPTIONS: '--max-old-space-size=900',
    NODE_UNIQUE_ID: '1',
    NODE_CHANNEL_FD: '3',
    NODE_CHANNEL_SERIALIZATION_MODE: 'json',
    NODE_APP_INSTANCE: '0',
    pm_id: '0',
    pm_exec_path: '/x',
    PM2_HOME: '/y',
    pm2_env: '{}',
    axm_options: '{}',
  };
  const inherited = Object.entries(workerEnvironment(own)).filter(([name]) => !name.startsWith('MALLOC_'));
  t.same(Object.fromEntries(inherited), {
    PATH: '/bin',
    PTN_ROOT: '/validator',
    NODE_OPTIONS: '--max-old-space-size=900',
  });
  t.end();
});

void t.test('the allocator keeps little, unless the operator has set it otherwise', (t) => {
  t.equal(workerEnvironment({})['MALLOC_ARENA_MAX'], '2');
  t.equal(workerEnvironment({ MALLOC_ARENA_MAX: '8' })['MALLOC_ARENA_MAX'], '8');
  t.end();
});
