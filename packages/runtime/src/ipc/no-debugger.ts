/**
 * Loaded before everything else of a process. SIGUSR1, which log rotation sends many programs, makes Node open its
 * debugger on a port of this machine: whoever may log in could read all that this process knows. A listener keeps it
 * from that.
 */
process.on('SIGUSR1', () => undefined);
