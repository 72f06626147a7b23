/** What one connection, one key and one slow reader may cost. */
import { once } from 'node:events';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import t from 'tap';
import { AddressLimit } from '../../access/dist/limits/address-limit.js';
import { ByteBudget } from '../dist/byte-budget.js';
import { Downloads } from '../dist/downloads.js';
import { RequestCounts } from '../dist/request-counts.js';
import { BEARER, grant, keysTransaction, testApp } from './rest-fixture.ts';
import type { TestApp } from './rest-fixture.ts';
import { AUTH_LINES, LARGE, serve, until } from './rest-served.ts';

const GET_ALL = `GET /miner-positions HTTP/1.1\r\n${AUTH_LINES}Accept-Encoding: gzip\r\n\r\n`;

await t.test('requests of one connection are answered one after the other', async (t) => {
  const served = await serve(t, testApp(t, [LARGE]));
  let begun = 0;
  served.app.server.prependListener('request', () => (begun += 1));
  const before = process.memoryUsage().arrayBuffers;
  const socket = await served.open();
  socket.pause();
  socket.write(GET_ALL.repeat(200));
  await until(() => socket.readableLength > 0 || socket.bytesRead > 0);
  await until(() => begun >= 1);
  const grown = process.memoryUsage().arrayBuffers - before;
  t.ok(grown < 60_000_000, `${Math.round(grown / 1e6)} MB for what nobody reads`);
  socket.resume();
  let received = 0;
  socket.on('data', (data: Buffer) => (received += data.length));
  await until(() => received > 3 * 24_000_000);
  t.pass('and all of them as they are read');
});

await t.test('who pipelines without end is cut', async (t) => {
  const served = await serve(t);
  const socket = await served.open();
  const closed = once(socket, 'close');
  const request = `GET /nothing HTTP/1.1\r\n${AUTH_LINES}\r\n`;
  // The first one's answer is not over before the others are there.
  socket.write(request.repeat(600));
  socket.resume();
  await closed;
  t.ok(socket.bytesRead < 600 * 200, `${socket.bytesRead} bytes of answers`);
});

await t.test('a key that is removed ends the answers that are under way', async (t) => {
  const app = testApp(t, [LARGE]);
  const served = await serve(t, app);
  const socket = await served.open();
  socket.write(GET_ALL);
  socket.once('data', () => socket.pause());
  await until(() => socket.bytesRead > 0);
  app.snapshots.apply([keysTransaction([grant('other', 100)])]);
  await until(() => served.connections.openCount === 0);
  t.pass('cut');
});

const of = (userId: string) => ({ ...grant(userId, 100), userId });

/** An answer whose connection has taken so many bytes. */
function answer(bytes: { taken: number }) {
  const socket = new Socket();
  Object.defineProperty(socket, 'bytesWritten', { get: () => bytes.taken });
  const response = new ServerResponse(new IncomingMessage(socket));
  Object.defineProperty(response, 'socket', { value: socket });
  let isCut = false;
  response.destroy = () => {
    isCut = true;
    response.emit('close');
    return response;
  };
  return { response, isCut: () => isCut };
}

void t.test('who reads too slowly is cut, and who reads is not', (t) => {
  let now = 0;
  const told: object[] = [];
  const downloads = new Downloads({
    isValid: () => true,
    log: { info: (fields: object) => told.push(fields) } as never,
    now: () => now,
  });
  t.teardown(() => {
    downloads.close();
  });
  const [slowBytes, fastBytes] = [{ taken: 0 }, { taken: 0 }];
  const [slow, fast] = [answer(slowBytes), answer(fastBytes)];
  downloads.add(of('k'), slow.response);
  downloads.add(of('k'), fast.response);
  for (now = 0; now <= 130_000; now += 1000) {
    slowBytes.taken += 2000;
    fastBytes.taken += 20_000;
    downloads.check();
  }
  t.same([slow.isCut(), fast.isCut()], [true, false]);
  t.match(told, [{ event: 'download-too-slow', user_id: 'k' }]);
  t.end();
});

void t.test('large answers of one user, and of all, are limited', (t) => {
  const downloads = new Downloads({ isValid: () => true, log: { info: () => undefined } as never });
  t.teardown(() => {
    downloads.close();
  });
  const open = [];
  for (let user = 0; user < 8; user++) {
    for (let number = 0; number < 8; number++) {
      t.equal(downloads.refusal(of(`k${user}`)), undefined);
      const { response } = answer({ taken: 0 });
      downloads.add(of(`k${user}`), response);
      open.push(response);
    }
  }
  t.equal(downloads.refusal(of('k0')), 'PTN_ERR_DOWNLOADS_OF_KEY');
  t.equal(downloads.refusal(of('other')), 'PTN_ERR_HTTP_OVERLOADED');
  open[0]?.emit('close');
  t.equal(downloads.refusal(of('k0')), undefined);
  t.end();
});

void t.test('answers of one user are decompressed in turn', async (t) => {
  const downloads = new Downloads({ isValid: () => true, log: { info: () => undefined } as never });
  t.teardown(() => {
    downloads.close();
  });
  const [one, two] = [answer({ taken: 0 }), answer({ taken: 0 })];
  const begun: string[] = [];
  await downloads.inflationTurn(of('k'), one.response);
  const second = downloads.inflationTurn(of('k'), two.response).then(() => begun.push('two'));
  await downloads.inflationTurn(of('other'), answer({ taken: 0 }).response);
  t.same(begun, [], 'another user waits for nobody');
  one.response.emit('close');
  await second;
  t.same(begun, ['two']);
});

void t.test('a user may be sent so many bytes in a minute', (t) => {
  let now = 5000;
  const budget = new ByteBudget(1000, () => now);
  t.strictSame(budget.left('amy'), { bytes: 1000, seconds: 60 });
  budget.spend('amy', 1500);
  now += 10_000;
  t.strictSame(budget.left('amy'), { bytes: 0, seconds: 50 });
  t.strictSame(budget.left('ben'), { bytes: 1000, seconds: 60 });
  now += 50_000;
  t.strictSame(budget.left('amy'), { bytes: 1000, seconds: 60 });
  t.end();
});

void t.test('what a user is sent beyond a 32nd of the minute waits for what was sent before', (t) => {
  let now = 0;
  const budget = new ByteBudget(3200, () => now);
  t.equal(budget.spend('amy', 1000), 0, 'one answer never waits for itself');
  t.equal(budget.spend('amy', 100), 9000);
  t.equal(budget.spend('ben', 100), 0);
  now += 9900;
  t.equal(budget.spend('amy', 0), 100);
  now += 100;
  t.equal(budget.spend('amy', 0), 0);
  t.end();
});

void t.test('large answers of a user with limits are paced, of one without they are not', async (t) => {
  const get = ({ app }: TestApp) =>
    app.inject({ url: '/miner-positions', headers: { ...BEARER, 'accept-encoding': 'gzip' } });
  const sizeBytes = (await get(testApp(t, [LARGE]))).rawPayload.length;
  /** Answers, beside which so much may be sent in a minute. */
  const limited = (requestsPerMinute: number, bytesPerMinute: number) =>
    testApp(t, [LARGE], undefined, {
      limits: {
        config: { requestsPerMinute, trustedProxies: [], corsOrigins: [] },
        counts: new RequestCounts({ pid: 1, publish: () => undefined, now: Date.now }),
        bytes: new ByteBudget(bytesPerMinute),
        failures: new AddressLimit(0, []),
      },
    });
  // An answer is what is sent in four seconds, the first of which is not waited for.
  const paced = limited(600, sizeBytes / (4 / 32));
  const startedMs = performance.now();
  for (let request = 0; request < 2; request++) t.equal((await get(paced)).statusCode, 200);
  t.ok(performance.now() - startedMs >= 2990);
  // It would wait for an hour.
  const unlimited = limited(0, (sizeBytes * 32) / 3600);
  for (let request = 0; request < 2; request++) t.equal((await get(unlimited)).statusCode, 200);
});
