// Many stream clients in a process of their own, as light as can be: frames are counted, not parsed, so that what is
// measured is the server. Told what to do by `process.send`; the parent speaks through `startCrowd`.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { atEnd, quantile } from './world.mjs';

const SAMPLE_EVERY = 10;
const TEXT = 1;
const PING = 9;
const PONG = 10;

/** One WebSocket client on a bare socket. */
class LightClient {
  received = 0;
  /** Frames that are no orders. */
  answers = 0;
  firstMs = 0;
  lastMs = 0;
  /** Of every tenth frame: ms from the message's own timestamp to here. */
  delays = [];
  #socket;
  #pending = Buffer.alloc(0);
  #isOpen = false;

  constructor({ host, port, path, hello }) {
    this.#socket = connect(port, host);
    this.#socket.setNoDelay(true);
    this.opened = once(this.#socket, 'connect').then(() => {
      this.#socket.write(
        `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
      );
    });
    this.#socket.on('data', (bytes) => this.#read(bytes));
    this.#socket.on('error', (error) => process.send({ type: 'broken', message: error.message }));
    this.hello = hello;
  }

  pause() {
    this.#socket.pause();
  }

  resume() {
    this.#socket.resume();
  }

  close() {
    this.#socket.destroy();
  }

  send(text) {
    this.#send(TEXT, Buffer.from(text));
  }

  /** Frames of up to 125 bytes, masked with zeros. */
  #send(opcode, payload) {
    const head = Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]);
    this.#socket.write(Buffer.concat([head, payload]));
  }

  #read(bytes) {
    let data = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    if (!this.#isOpen) {
      const end = data.indexOf('\r\n\r\n');
      if (end === -1) {
        this.#pending = data;
        return;
      }
      this.#isOpen = true;
      for (const text of this.hello) this.send(text);
      data = data.subarray(end + 4);
    }
    for (;;) {
      if (data.length < 2) break;
      let size = data[1] & 0x7f;
      let start = 2;
      if (size === 126) {
        if (data.length < 4) break;
        size = data.readUInt16BE(2);
        start = 4;
      } else if (size === 127) {
        if (data.length < 10) break;
        size = Number(data.readBigUInt64BE(2));
        start = 10;
      }
      if (data.length < start + size) break;
      const payload = data.subarray(start, start + size);
      const opcode = data[0] & 0xf;
      if (opcode === TEXT) this.#frame(payload);
      // By its pongs the server knows how far a client has read.
      else if (opcode === PING) this.#send(PONG, payload);
      data = data.subarray(start + size);
    }
    this.#pending = data;
  }

  #frame(payload) {
    // `{"sequence":…` or `{"type":"batch"…`; everything else is an answer to what this client sent.
    const isOrder = payload[2] === 0x73 && payload[3] === 0x65;
    const isBatch = payload[9] === 0x62;
    if (!isOrder && !isBatch) {
      this.answers += 1;
      return;
    }
    this.lastMs = performance.timeOrigin + performance.now();
    if (this.firstMs === 0) this.firstMs = this.lastMs;
    if (isBatch) {
      this.received += Number(/"count":(\d+)\}$/.exec(payload.latin1Slice(payload.length - 20))[1]);
      return;
    }
    this.received += 1;
    if (this.received % SAMPLE_EVERY === 0) {
      const [, timestamp] = /"timestamp":(\d+)/.exec(payload.latin1Slice(0, 60));
      this.delays.push(this.lastMs - Number(timestamp));
    }
  }
}

if (process.send !== undefined && process.argv[2] === 'crowd') {
  const clients = [];
  process.on('message', (message) => {
    if (message.type === 'connect') {
      for (let index = 0; index < message.count; index++) {
        const hello = message.hellos[index % message.hellos.length] ?? [];
        clients.push(new LightClient({ ...message, hello }));
      }
      void Promise.all(clients.map(({ opened }) => opened)).then(() => process.send({ type: 'connected' }));
    } else if (message.type === 'pause-one') clients[0].pause();
    else if (message.type === 'resume-one') clients[0].resume();
    else if (message.type === 'report') {
      // The one that was told to stop reading is not asked.
      const asked = clients.slice(message.skip);
      const delays = asked.flatMap((client) => client.delays);
      process.send({
        type: 'report',
        answers: Math.min(...asked.map(({ answers }) => answers)),
        least: Math.min(...asked.map(({ received }) => received)),
        total: asked.reduce((sum, { received }) => sum + received, 0),
        firstMs: Math.min(...asked.map(({ firstMs }) => firstMs || Infinity)),
        lastMs: Math.max(...asked.map(({ lastMs }) => lastMs)),
        p50: quantile(delays, 0.5),
        p99: quantile(delays, 0.99),
      });
    } else if (message.type === 'close') {
      for (const client of clients) client.close();
      process.disconnect();
    }
  });
}

/** Starts `count` clients at `url`; client i first sends the texts of `hellos[i % hellos.length]`. */
export async function startCrowd({ url, count, hellos }) {
  const child = fork(fileURLToPath(import.meta.url), ['crowd']);
  const exited = once(child, 'exit');
  atEnd(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const broken = [];
  child.on('message', (message) => message.type === 'broken' && broken.push(message.message));
  const answer = (type) =>
    new Promise((resolve, reject) => {
      const listen = (message) => {
        if (message.type !== type) return;
        child.off('message', listen);
        resolve(message);
      };
      child.on('message', listen);
      void exited.then(() => reject(new Error('the crowd has ended')));
    });
  const { hostname, port, pathname } = new URL(url);
  const connected = answer('connected');
  child.send({ type: 'connect', host: hostname, port: Number(port), path: pathname, count, hellos });
  await connected;
  return {
    pid: child.pid,
    broken,
    async report(skip = 0) {
      const report = answer('report');
      child.send({ type: 'report', skip });
      return report;
    },
    pauseOne: () => child.send({ type: 'pause-one' }),
    resumeOne: () => child.send({ type: 'resume-one' }),
    async close() {
      child.send({ type: 'close' });
      await exited;
    },
  };
}
