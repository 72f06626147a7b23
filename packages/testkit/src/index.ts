export { makePtnRoot, positionPath } from './ptn-root.ts';
export type { PtnRoot, PtnRootContents, WritePositionOptions } from './ptn-root.ts';
export { childPidsOf, isRunning } from './processes.ts';
export { startServer } from './start-server.ts';
export type { RunningServer, ServerExit, StartServerOptions } from './start-server.ts';
export type { TestScope } from './teardown.ts';
export { waitFor } from './wait-for.ts';
export type { WaitOptions } from './wait-for.ts';
