/** The engine of the order log, whose calls fail as the injector says. See fault-random-hooks.ts. */
import { open as openReal } from 'lmdb';
import type { RootDatabase, RootDatabaseOptions } from 'lmdb';

export { ABORT } from 'lmdb';

type Call = (this: unknown, ...args: unknown[]) => unknown;
type Methods = Record<string, Call>;

/** The system's errors, as the engine throws them: only those without a code say that the file is damaged. */
const NO_ROOM = 'No space left on device';
const BROKEN = 'Input/output error';
const CODES: Readonly<Record<string, number>> = { [NO_ROOM]: 28, [BROKEN]: 5 };

function engineError(message: string): Error {
  return Object.assign(new Error(message), { code: CODES[message] });
}
const WRITES = ['putSync', 'removeSync'];
const READS = ['getBinary', 'doesExist', 'getRange', 'readerCheck', 'resetReadTxn'];

function kindAt(
  wrapper: (...args: never[]) => unknown,
  name: string,
  kinds: readonly string[],
): string | undefined {
  const site = globalThis.ptnSiteAbove?.(wrapper, name);
  return site === undefined ? undefined : globalThis.ptnFaultAt?.(site, kinds);
}

function patch(methods: Methods, name: string, message: string): void {
  const original = methods[name];
  if (original === undefined) throw new Error(`the engine of the order log has no ${name}`);
  methods[name] = function wrapper(...args) {
    if (kindAt(wrapper, name, [message]) !== undefined) throw engineError(message);
    return original.apply(this, args);
  };
}

function patchTransactions(methods: Methods): void {
  const original = methods['transactionSync'] as Call;
  methods['transactionSync'] = function wrapper(...args) {
    const [change] = args as [() => unknown];
    switch (kindAt(wrapper, 'transactionSync', ['before', 'within', 'after'])) {
      case 'before':
        throw engineError(NO_ROOM);
      case 'within':
        return original.call(this, () => {
          change();
          throw engineError(NO_ROOM);
        });
      case 'after':
        original.apply(this, args);
        throw engineError(BROKEN);
      case undefined:
      default:
        return original.apply(this, args);
    }
  };
}

function patchClose(methods: Methods): void {
  const original = methods['close'] as Call;
  methods['close'] = async function wrapper(...args) {
    const kind = kindAt(wrapper, 'close', [BROKEN]);
    await original.apply(this, args);
    if (kind !== undefined) throw engineError(BROKEN);
  };
}

export function open(path: string, options: RootDatabaseOptions): RootDatabase {
  if (kindAt(open, 'open', [NO_ROOM]) !== undefined) throw engineError(NO_ROOM);
  const environment: RootDatabase = openReal(path, options);
  const methods = environment as unknown as Methods;
  // A log that is only read has none of these.
  if (options.readOnly !== true) {
    patchTransactions(methods);
    for (const name of WRITES) patch(methods, name, NO_ROOM);
  }
  for (const name of READS) patch(methods, name, BROKEN);
  patchClose(methods);
  return environment;
}
