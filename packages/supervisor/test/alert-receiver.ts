import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

/** How a request is answered: with a status, or never. */
type Manner = number | 'never';

export interface Receiver {
  /** With a secret in its path, as Slack's have. */
  readonly url: string;
  readonly port: number;
  /** The texts of all requests, also of those that were refused. */
  readonly texts: string[];
  /** From now on. */
  answer(manner: Manner): void;
}

export const SECRET = 'T0000-B0000-secretsecret';

/** A real receiver of alerts, gone after the test. */
export async function startReceiver(t: Test, first: Manner = 200): Promise<Receiver> {
  let manner = first;
  const texts: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      texts.push((JSON.parse(body) as { text: string }).text);
      if (manner === 'never') return;
      response.writeHead(manner, manner === 302 ? { Location: '/elsewhere' } : {}).end('ok');
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/services/${SECRET}`,
    port,
    texts,
    answer: (next) => {
      manner = next;
    },
  };
}
