/** What Node's cluster, pm2 and systemd leave in the environment for the process that they started, and for no other. */
const PRIVATE_NAMES = new Set([
  'NODE_UNIQUE_ID',
  'NODE_CHANNEL_FD',
  'NODE_CHANNEL_SERIALIZATION_MODE',
  'NODE_APP_INSTANCE',
  'NOTIFY_SOCKET',
  // Not theirs to know.
  'PTN_API_ALERT_WEBHOOK_URL',
]);
const PM2_NAMES = /^(pm2|pm|axm)_/i;

/**
 * glibc's allocator keeps what was freed in up to eight arenas per core, and keeps more the larger the blocks were. With
 * these, what a worker's threads needed to read and encode the first snapshot goes back to the system: 15 % less memory
 * of all processes together (bench/feed.mjs). Other C libraries ignore them.
 */
const ALLOCATOR_DEFAULTS = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_TRIM_THRESHOLD_: '131072',
};

/**
 * The environment of a worker. Under pm2's cluster mode the supervisor is itself a cluster worker; a worker that
 * inherited the marks of that would take itself for one as well and listen through a channel that it does not have.
 * What the operator has set stays as it is.
 */
export function workerEnvironment(own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const inherited = Object.entries(own).filter(([name]) => !PRIVATE_NAMES.has(name) && !PM2_NAMES.test(name));
  return { ...ALLOCATOR_DEFAULTS, ...Object.fromEntries(inherited) };
}
