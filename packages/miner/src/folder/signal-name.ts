const SIGNAL_NAME = /^[A-Za-z0-9-]{1,64}$/;

/** Whether a name can be that of a signal: it is a file's name, and the order's uuid at the validators. */
export function isSignalName(name: string): boolean {
  return SIGNAL_NAME.test(name);
}
