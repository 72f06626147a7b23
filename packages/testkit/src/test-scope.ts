/** What the helpers need of a test: tap's `t`, or anything that runs `fn` when the test is over. */
export interface TestScope {
  teardown(fn: () => void | Promise<void>): void;
}

/** `PTN_TEST_VERBOSE=1` shows what started servers print. */
export function isVerbose(): boolean {
  return process.env['PTN_TEST_VERBOSE'] === '1';
}

/** `PTN_TEST_KEEP_TMP=1` leaves the temporary folders of tests behind. */
export function keepsTemporary(): boolean {
  return process.env['PTN_TEST_KEEP_TMP'] === '1';
}
