// pm2 start ecosystem.config.cjs
// Set PTN_ROOT to the validator's checkout, or start pm2 in it. Further options as environment variables (PTN_API_HOST=…,
// see `ptn-api --help`); those of a later `pm2 reload ptn-api` count only with --update-env.
const { join } = require('node:path');

module.exports = {
  apps: [
    {
      name: 'ptn-api',
      script: join(__dirname, 'scripts', 'ptn-api.mjs'),
      args: '--serve',
      // Reachable from other machines unless the environment says otherwise.
      env: { PTN_API_HOST: process.env.PTN_API_HOST || '0.0.0.0' },
      cwd: process.env.PTN_ROOT || process.cwd(),
      // pm2's cluster mode, with one instance, because only there does `pm2 reload` start the new one, wait until it
      // is ready, and stop the old one then. In fork mode a reload is a restart, which refuses requests meanwhile.
      exec_mode: 'cluster',
      instances: 1,
      // `ready` is sent when every snapshot is loaded and the port is open: up to 20 s with 100,000 positions.
      wait_ready: true,
      listen_timeout: 120_000,
      // Answers that are under way get 10 s at a stop; pm2 would kill after 1.6 s.
      kill_timeout: 15_000,
      // The server stops its own workers in order; pm2 must not kill them under it.
      treekill: false,
      // The server starts its workers again by itself: an end of the whole is rare and need not be hurried.
      exp_backoff_restart_delay: 1000,
      // A wrong command line, a missing folder, unusable keys, state directory or log file: no restart changes that.
      stop_exit_codes: [2, 3, 4, 6, 8, 9],
      max_restarts: 50,
    },
  ],
};
