/**
 * Loaded into every process and thread of a server under test (`node --import`): makes the calls of the feed's own
 * modules fail, as the injector says. What other modules and other processes call is left alone.
 */
/* oxlint-disable typescript/no-unnecessary-type-assertion -- what is put in takes the type of what it replaces */
import childProcess from 'node:child_process';
import fs from 'node:fs';
import { register, syncBuiltinESMExports } from 'node:module';
import timersPromises from 'node:timers/promises';
import workerThreads, { isMainThread } from 'node:worker_threads';
import type * as InjectorModule from './fault-random-injector.ts';
import { FEED_VARIABLE } from './fault-random-control.ts';

type Call = (this: unknown, ...args: unknown[]) => unknown;
type Injector = typeof InjectorModule;

/** Longer than most waits of the feed, shorter than what a client would notice as a stop. */
const LATE_MS = 3000;
const READ_CODES = ['EIO', 'EACCES', 'EMFILE', 'ENOMEM'];
const WRITE_CODES = ['ENOSPC', 'EIO', 'EROFS'];
const WATCH_CODES = ['ENOSPC', 'EMFILE', 'EACCES'];
const WRITES =
  /^(?:append|copy|cp|fsync|fdatasync|link|mkdir|mkdtemp|rename|rm|rmdir|symlink|truncate|unlink|utimes|write)/;
const OWN_MODULE = /\/packages\/(feed|order-log)\/dist\/(.+\.js)$/;
/** Passes a task on for its caller. */
const PASSES_ON = 'feed/task-pool.js';
const TIMERS = new Set(['setTimeout', 'setInterval', 'setImmediate']);
/** Is no call of the system. */
const NO_CALLS = new Set([
  'Stats',
  'Dirent',
  'ReadStream',
  'WriteStream',
  'FileReadStream',
  'FileWriteStream',
  'Dir',
]);

/** The call of the feed's own modules that stands directly above `wrapper`, as `module:line name`. */
// oxlint-disable-next-line typescript/no-unsafe-function-type -- a class, too
function siteAbove(wrapper: Function, name: string): string | undefined {
  // oxlint-disable-next-line typescript/unbound-method -- is only put back
  const { prepareStackTrace, stackTraceLimit } = Error;
  const holder: { stack?: unknown } = {};
  Error.stackTraceLimit = 4;
  Error.prepareStackTrace = (_error, frames) => frames;
  Error.captureStackTrace(holder, wrapper);
  const frames = holder.stack as NodeJS.CallSite[];
  Error.prepareStackTrace = prepareStackTrace;
  Error.stackTraceLimit = stackTraceLimit;
  for (const frame of frames) {
    const found = OWN_MODULE.exec(frame.getFileName() ?? '');
    const module = found === null ? undefined : `${found[1] ?? ''}/${found[2] ?? ''}`;
    if (module === PASSES_ON && !TIMERS.has(name)) continue;
    return module === undefined ? undefined : `${module}:${frame.getLineNumber() ?? 0} ${name}`;
  }
  return undefined;
}

function systemError(code: string, name: string, path: unknown): Error {
  const error = new Error(`${code}: made to fail, ${name} ${typeof path === 'string' ? `'${path}'` : ''}`);
  return Object.assign(error, { code, syscall: name.replace(/Sync$/, '') });
}

function install({ faultAt, isDenied, runArmed, someMs, started }: Injector): void {
  const codesOf = (name: string): readonly string[] => (WRITES.test(name) ? WRITE_CODES : READ_CODES);
  // Only a thread can end alone; the end of the process is a matter of the run.
  const ofThread = isMainThread ? [] : ['the thread ends'];

  function patchSync(name: string, original: Call): Call {
    return function wrapper(...args) {
      const site = siteAbove(wrapper, name);
      if (site === undefined) return original.apply(this, args);
      if (isDenied(args[0])) {
        if (name === 'existsSync') return false;
        throw systemError('EACCES', name, args[0]);
      }
      const kind = faultAt(site, name === 'existsSync' ? ['false'] : [...codesOf(name), ...ofThread]);
      if (kind === undefined) return original.apply(this, args);
      if (kind === 'false') return false;
      if (kind === 'the thread ends') process.exit(1);
      // A failing close has closed, a write that fails for want of room has written something.
      if (name === 'closeSync') original.apply(this, args);
      if (name === 'writeFileSync' && kind === 'ENOSPC') {
        const [file, data] = args as [unknown, string | Buffer];
        original.call(this, file, data.slice(0, data.length / 2), ...args.slice(2));
      }
      throw systemError(kind, name, args[0]);
    };
  }

  function patchCallback(name: string, original: Call): Call {
    return function wrapper(...args) {
      const site = siteAbove(wrapper, name);
      const callback = args.at(-1);
      if (site === undefined || typeof callback !== 'function') return original.apply(this, args);
      const kind = isDenied(args[0]) ? 'EACCES' : faultAt(site, codesOf(name));
      if (kind === undefined) return original.apply(this, args);
      process.nextTick(callback, systemError(kind, name, args[0]));
      return undefined;
    };
  }

  function patchPromise(name: string, original: Call): Call {
    return function wrapper(...args) {
      const site = siteAbove(wrapper, name);
      if (site === undefined) return original.apply(this, args);
      const kind = isDenied(args[0]) ? 'EACCES' : faultAt(site, codesOf(name));
      return kind === undefined
        ? original.apply(this, args)
        : Promise.reject(systemError(kind, name, args[0]));
    };
  }

  function patchFiles(): void {
    const all = fs as unknown as Record<string, unknown>;
    for (const [name, original] of Object.entries(all)) {
      if (typeof original !== 'function' || NO_CALLS.has(name) || name === 'watch') continue;
      if (name.endsWith('Sync')) all[name] = patchSync(name, original as Call);
      else if (`${name}Sync` in all)
        all[name] = Object.assign(patchCallback(name, original as Call), original);
    }
    const promises = fs.promises as unknown as Record<string, unknown>;
    for (const [name, original] of Object.entries(promises)) {
      if (typeof original === 'function' && name !== 'watch')
        promises[name] = patchPromise(name, original as Call);
    }
    const { watch } = fs;
    fs.watch = function wrapper(path: string, listener: fs.WatchListener<string>) {
      const site = siteAbove(wrapper, 'watch');
      if (site === undefined) return watch(path, listener);
      if (isDenied(path)) throw systemError('EACCES', 'watch', path);
      const kind = faultAt(site, [...WATCH_CODES, 'error later', 'events are lost']);
      if (kind !== undefined && WATCH_CODES.includes(kind)) throw systemError(kind, 'watch', path);
      let isLosing = kind === 'events are lost';
      if (isLosing) later(LATE_MS, () => (isLosing = false));
      const watcher = watch(path, (event, name) => {
        if (!isLosing) listener(event, name);
      });
      if (kind === 'error later') {
        later(someMs(LATE_MS), () => {
          // One that was closed meanwhile has no errors.
          if (watcher.listenerCount('error') > 0) watcher.emit('error', systemError('EIO', 'watch', path));
        });
      }
      return watcher;
    } as typeof fs.watch;
  }

  const { setTimeout: later_, setInterval: repeat, setImmediate: soon } = globalThis;
  function later(ms: number, callback: () => void): NodeJS.Timeout {
    return later_(callback, ms).unref();
  }

  function patchTimers(): void {
    const kinds = ['late', 'its call'];
    const lateOf = (site: string, callback: () => void): { lateMs: number; run: () => void } => {
      const kind = faultAt(site, kinds);
      return {
        lateMs: kind === 'late' ? someMs(LATE_MS) : 0,
        run:
          kind === 'its call'
            ? () => {
                runArmed(site, callback);
              }
            : callback,
      };
    };
    globalThis.setTimeout = Object.assign(function wrapper(
      callback: (...args: unknown[]) => void,
      ms?: number,
      ...args: unknown[]
    ) {
      const site = siteAbove(wrapper, 'setTimeout');
      if (site === undefined) return later_(callback, ms, ...args);
      const { lateMs, run } = lateOf(site, () => {
        callback(...args);
      });
      return later_(run, (ms ?? 0) + lateMs);
    }, later_) as typeof setTimeout;
    globalThis.setImmediate = Object.assign(function wrapper(
      callback: (...args: unknown[]) => void,
      ...args: unknown[]
    ) {
      const site = siteAbove(wrapper, 'setImmediate');
      if (site === undefined) return soon(callback, ...args);
      const { lateMs, run } = lateOf(site, () => {
        callback(...args);
      });
      return soon(
        lateMs === 0
          ? run
          : () => {
              later_(run, lateMs);
            },
      );
    }, soon) as typeof setImmediate;
    globalThis.setInterval = Object.assign(function wrapper(
      callback: (...args: unknown[]) => void,
      ms?: number,
      ...args: unknown[]
    ) {
      const site = siteAbove(wrapper, 'setInterval');
      if (site === undefined) return repeat(callback, ms, ...args);
      let silentUntilMs = 0;
      return repeat(() => {
        if (performance.now() < silentUntilMs) return;
        const { lateMs, run } = lateOf(site, () => {
          callback(...args);
        });
        silentUntilMs = performance.now() + lateMs;
        if (lateMs === 0) run();
      }, ms);
    }, repeat) as typeof setInterval;
    const { setImmediate: soonPromise } = timersPromises;
    timersPromises.setImmediate = async function wrapper<T>(value?: T): Promise<T> {
      const site = siteAbove(wrapper, 'setImmediate');
      if (site !== undefined && faultAt(site, ['late']) !== undefined)
        await new Promise((resolve) => later_(resolve, someMs(LATE_MS)));
      return soonPromise(value) as Promise<T>;
    };
  }

  function patchStarts(): void {
    const { spawn } = childProcess;
    childProcess.spawn = function wrapper(command: string, ...rest: unknown[]) {
      const site = siteAbove(wrapper, 'spawn');
      const isRefused = site !== undefined && faultAt(site, ['no such program']) !== undefined;
      return (spawn as Call)(isRefused ? '/nowhere/node' : command, ...rest);
    } as typeof spawn;
    const { Worker } = workerThreads;
    workerThreads.Worker = class FaultyWorker extends Worker {
      constructor(...args: ConstructorParameters<typeof Worker>) {
        const site = siteAbove(FaultyWorker, 'Worker');
        const kind = site === undefined ? undefined : faultAt(site, ['refused', 'ends']);
        if (kind === 'refused') throw systemError('ERR_WORKER_INIT_FAILED', 'Worker', undefined);
        super(...args);
        if (kind === 'ends') later(someMs(LATE_MS), () => void this.terminate());
      }
    };
  }

  async function patchTasks(): Promise<void> {
    const { Piscina } = await import('piscina');
    const prototype = Piscina.prototype as unknown as { run: Call; threads: workerThreads.Worker[] };
    const { run } = prototype;
    prototype.run = async function wrapper(this: { threads: workerThreads.Worker[] }, input, options) {
      const { name } = options as { name: string };
      const site = siteAbove(wrapper, name);
      const kind =
        site === undefined
          ? undefined
          : faultAt(site, ['rejected', 'rejected when done', 'late', 'the thread ends']);
      if (kind === 'rejected') throw new Error(`${name} was made to fail`);
      const result = run.call(this, input, options) as Promise<unknown>;
      if (kind === 'the thread ends') for (const thread of this.threads) void thread.terminate();
      const output = await result;
      if (kind === 'rejected when done') throw new Error(`${name} was made to fail when it was done`);
      if (kind === 'late') await new Promise((resolve) => later_(resolve, someMs(LATE_MS)));
      return output;
    } as Call;
  }

  patchFiles();
  patchTimers();
  if (!isMainThread) return;
  patchStarts();
  // The engine of the order log is no module of Node: another one takes its place, which passes everything on.
  globalThis.ptnFaultAt = faultAt;
  globalThis.ptnSiteAbove = siteAbove;
  register('./fault-random-hooks.js', import.meta.url);
  const send = process.send?.bind(process) as Call | undefined;
  if (send !== undefined) {
    process.send = ((message: { type?: string }, ...rest: unknown[]) => {
      if (message.type === 'ready') started();
      return send(message, ...rest);
    }) as NonNullable<typeof process.send>;
  }
  tasks = patchTasks();
}

declare global {
  var ptnFaultAt: Injector['faultAt'] | undefined;
  var ptnSiteAbove: typeof siteAbove | undefined;
}

let tasks: Promise<void> | undefined;
if (process.argv[1]?.endsWith('/feed/dist/main.js') === true || process.env[FEED_VARIABLE] === '1') {
  process.env[FEED_VARIABLE] = '1';
  const injector = await import('./fault-random-injector.js');
  install(injector);
  syncBuiltinESMExports();
  await tasks;
}
