/** What Node's cluster and pm2 leave in the environment for the process that they started, and for no other. */
const PRIVATE_NAMES = new Set([
  'NODE_UNIQUE_ID',
  'NODE_CHANNEL_FD',
  'NODE_CHANNEL_SERIALIZATION_MODE',
  'NODE_APP_INSTANCE',
]);
const PM2_NAMES = /^(pm2|pm|axm)_/i;

/**
 * The environment of a worker. Under pm2's cluster mode the supervisor is itself a cluster worker; a worker that
 * inherited the marks of that would take itself for one as well and listen through a channel that it does not have.
 */
export function workerEnvironment(own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(own).filter(([name]) => !PRIVATE_NAMES.has(name) && !PM2_NAMES.test(name)),
  );
}
