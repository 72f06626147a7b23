import type { ServerConfig } from '@ptn-api/runtime';
import { StartError } from '@ptn-api/runtime';
import { probePort } from '@ptn-api/supervisor';
import { ok, problem, warning } from './finding.ts';
import type { Finding } from './finding.ts';

/** Whether the ports can be opened. A server that runs already holds them, which the advice says. */
export async function checkPorts({ host, restPort, wsPort, adminPort }: ServerConfig): Promise<Finding[]> {
  const places = [
    { host, port: restPort, flag: '--api-rest-port', report: problem },
    { host, port: wsPort, flag: '--api-ws-port', report: problem },
    // Without its admin port the server serves all the same.
    ...(adminPort === null
      ? []
      : [{ host: '127.0.0.1', port: adminPort, flag: '--admin-port', report: warning }]),
  ];
  const findings: Finding[] = [];
  for (const { report, ...place } of places) {
    const subject = `port ${place.port}`;
    try {
      await probePort(place);
      findings.push(ok(subject, `free (${place.flag})`));
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      const advice = 'if ptn-api runs already, it holds it (ptn-api status); else ss -ltnp shows who does';
      findings.push(report(subject, error.message, advice));
    }
  }
  return findings;
}
