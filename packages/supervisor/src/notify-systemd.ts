import { execFile } from 'node:child_process';
import type { Logger } from 'pino';

/**
 * Notifies systemd, where it waits for that (`Type=notify`), by its own program: Node has no sockets of the kind that it
 * listens on.
 */
export function notifySystemd(state: 'READY=1' | 'STOPPING=1', log: Logger, env = process.env): void {
  if (env['NOTIFY_SOCKET'] === undefined) return;
  execFile('systemd-notify', [state], { env }, (error) => {
    if (error !== null)
      log.warn(
        { event: 'systemd-not-notified', state, err: error },
        `systemd could not be notified of ${state}`,
      );
  });
}
