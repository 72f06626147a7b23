import type { KeyGrant } from '@ptn-api/runtime';
import { parseAuthentication, parseClientMessage } from './client-message.ts';
import type { ClientMessage, ResumePoint } from './client-message.ts';
import type { Connection } from './connection.ts';
import type { Frame } from './frame.ts';
import type { StreamLimits } from './limits.ts';
import { admit, repeatedLogin } from './login.ts';
import type { Login, LoginHost } from './login.ts';
import type { OrderLogCursor } from './order-log-cursor.ts';
import type { Refusal } from './refusal.ts';
import { subscriptionOf } from './subscription.ts';
import type { Subscription } from './subscription.ts';

/** What a session needs of the server it belongs to. */
export interface StreamSessionHost extends LoginHost {
  readonly limits: StreamLimits;
  /** `undefined` while there is no order log. */
  readonly stream: () => OrderLogCursor | undefined;
  /** Has it fed on when live orders and other replays leave time. */
  readonly replayLater: (session: StreamSession) => void;
  readonly onAuthenticated: (grant: KeyGrant) => void;
  readonly onDelivered: (frame: Frame) => void;
}

/** Orders in one message to a client without a cursor of its own: one that it cannot parse costs no more than these. */
const LEGACY_BATCH = 16;

/** Who has no more than these to come keeps up: a burst is no reason to wait. */
const LIVE_ORDERS = 256;

/** What one client may do and has asked for, and where it stands in the stream. */
export class StreamSession {
  readonly #connection: Connection;
  readonly #host: StreamSessionHost;
  readonly #openedMs: number;
  #digest: string | undefined;
  #userId: string | undefined;
  #resume: ResumePoint | undefined;
  #isLegacy = false;
  /** It has logged in by its handshake and sent nothing yet. */
  #mayRepeatLogin = false;
  #startedAt = Infinity;
  /** Orders up to it are not replayed. */
  #floor = 0;
  #subscription: Subscription | undefined;

  constructor(connection: Connection, host: StreamSessionHost) {
    this.#connection = connection;
    this.#host = host;
    this.#openedMs = performance.now();
  }

  /** Digest of the key, once authenticated. */
  get digest(): string | undefined {
    return this.#digest;
  }

  /** Id of the key's user, once authenticated. */
  get userId(): string | undefined {
    return this.#userId;
  }

  /** Up to which order it was sent what it wants; `undefined` while it wants none. */
  get sentUpTo(): number | undefined {
    return this.#subscription?.cursor?.after;
  }

  /** The last order that there was when it began to be sent any. */
  get startedAt(): number {
    return this.#startedAt;
  }

  /** For how long it has been open. */
  get openMs(): number {
    return performance.now() - this.#openedMs;
  }

  receive(bytes: Buffer): void {
    if (this.#digest === undefined) this.#authenticate(bytes);
    else if (!this.#isLoginRepeated(bytes)) this.#answer(parseClientMessage(bytes.toString('utf8')));
  }

  /** Logs it in with the key of its handshake, so that the server speaks first. */
  loginByHeader(key: string): void {
    if (key === '') {
      this.refuse({ code: 'PTN_ERR_WS_AUTH_HEADER' });
      return;
    }
    this.#mayRepeatLogin = true;
    // Its clients know nothing of epochs.
    this.#login({ key, isLegacy: true });
  }

  refuse(refusal: Refusal): void {
    this.#connection.refuse(refusal);
  }

  terminate(): void {
    this.#connection.terminate();
  }

  /** Sends what there is, up to what may wait, says so and closes. */
  shutDown(): void {
    if (this.#connection.isEnding) return;
    if (this.#digest !== undefined) {
      // No more than may be under way.
      while (this.feedPart());
      this.#connection.send({ type: 'serverShutdown' });
    }
    this.#connection.close(1001);
  }

  check(): void {
    const { authenticationMs } = this.#host.limits;
    if (this.#digest === undefined && performance.now() - this.#openedMs >= authenticationMs) {
      this.refuse({ code: 'PTN_ERR_WS_AUTH_TIMEOUT', values: { seconds: authenticationMs / 1000 } });
    }
    this.#connection.check();
  }

  /** There is an order log from now on, which those who wait for one begin with. */
  streamOpened(stream: OrderLogCursor): void {
    const subscription = this.#subscription;
    if (subscription === undefined || subscription.cursor !== undefined) return;
    this.#start(subscription, stream);
    // That it could not go on where it wanted was not known when it was answered.
    if (subscription.status.resumed === false) this.#connection.send(subscription.status);
  }

  /** The order log is another one: places in the old one say nothing. */
  streamReplaced(): void {
    if (this.#subscription?.cursor !== undefined || this.#resume !== undefined) {
      this.refuse({ code: 'PTN_ERR_WS_LOG_REPLACED' });
    }
  }

  /**
   * Sends the next part of what it has not got, at once to who keeps up. Whatever follows one part is a replay, and so is
   * all that is sent to who is far behind: replays share the time that live orders leave.
   */
  feed(): void {
    if (this.#ordersBehind > LIVE_ORDERS || this.feedPart()) this.#host.replayLater(this);
  }

  get #ordersBehind(): number {
    const last = this.#host.stream()?.state.last ?? 0;
    return last - (this.sentUpTo ?? last);
  }

  /** Sends one part, if there is one and room for it. True where more may follow. */
  feedPart(): boolean {
    const stream = this.#host.stream();
    if (stream === undefined || this.#connection.isEnding || this.#connection.isFull) return false;
    return this.#sendNext(stream) && !this.#connection.isFull;
  }

  /** False when there is nothing for it. */
  #sendNext(stream: OrderLogCursor): boolean {
    const subscription = this.#subscription;
    if (subscription?.cursor === undefined) return false;
    const part = stream.next(
      subscription.cursor,
      subscription.filter,
      this.#isLegacy ? LEGACY_BATCH : undefined,
    );
    if (part === undefined) return false;
    if (part.kind === 'gap') {
      const after = Math.max(part.to, this.#floor);
      subscription.cursor = { after, previous: after };
      this.#connection.send({ type: 'gap', from: part.from, to: part.to });
      return true;
    }
    const { after, previous, bytes } = part.frame;
    subscription.cursor = { after, previous };
    if (bytes === undefined) return true;
    this.#connection.sendText(bytes);
    this.#host.onDelivered(part.frame);
    return true;
  }

  #authenticate(bytes: Buffer): void {
    const { maxFirstMessageBytes } = this.#host.limits;
    if (bytes.length > maxFirstMessageBytes) {
      this.refuse({ code: 'PTN_ERR_WS_TOO_LARGE', values: { limit: maxFirstMessageBytes } });
      return;
    }
    const message = parseAuthentication(bytes.toString('utf8'));
    if (message.kind === 'refused') {
      this.refuse(message.refusal);
      return;
    }
    this.#login(message);
  }

  /** One answer is enough for who sends the key twice; where it wants to go on counts. */
  #isLoginRepeated(bytes: Buffer): boolean {
    const login = this.#mayRepeatLogin
      ? repeatedLogin(bytes.toString('utf8'), this.#digest, this.#host)
      : undefined;
    this.#mayRepeatLogin = false;
    if (login === undefined) return false;
    this.#resume = login.resume;
    this.#isLegacy = login.isLegacy;
    return true;
  }

  #login({ key, resume, isLegacy }: Login): void {
    const admitted = admit(key, this.#host);
    if ('refusal' in admitted) {
      this.refuse(admitted.refusal);
      return;
    }
    const { grant } = admitted;
    this.#digest = grant.sha256;
    this.#userId = grant.userId;
    this.#resume = resume;
    this.#isLegacy = isLegacy;
    const state = this.#host.stream()?.refresh();
    this.#connection.send({
      status: 'success',
      message: 'Authentication successful.',
      current_sequence: state?.last ?? 0,
      tier: grant.tier,
      ...(state && { epoch: state.epoch, oldest_sequence: state.oldest }),
    });
    this.#host.onAuthenticated(grant);
  }

  #answer(message: ClientMessage): void {
    switch (message.kind) {
      case 'subscribe':
        this.#subscribe(message);
        break;
      case 'unsubscribe':
        this.#subscription = undefined;
        this.#connection.send({
          type: 'subscription_status',
          status: 'success',
          all: true,
          action: 'unsubscribe',
        });
        break;
      case 'ping': {
        const nowMs = this.#host.now();
        this.#connection.send({
          type: 'pong',
          client_timestamp: message.timestamp,
          server_timestamp: nowMs,
          timestamp: nowMs,
        });
        break;
      }
      case 'invalid':
        this.#connection.send(message.error);
        break;
    }
  }

  #subscribe(message: ClientMessage & { kind: 'subscribe' }): void {
    // One that is subscribed changes its filter and keeps its place.
    const subscription = subscriptionOf(message, this.#host.now(), this.#subscription?.cursor);
    this.#subscription = subscription;
    const stream = this.#host.stream();
    if (subscription.cursor === undefined && stream !== undefined) this.#start(subscription, stream);
    this.#connection.send(subscription.status);
    this.feed();
  }

  /** What is older, a client without a cursor of its own has acted on already, as a rule. */
  #legacyStart(stream: OrderLogCursor, last: number): number {
    const { legacyReplayMs } = this.#host.limits;
    return legacyReplayMs === 0 ? last : stream.before(this.#host.now() - legacyReplayMs);
  }

  /** Where the client asked to go on, if it can; else at the end of the stream. */
  #start(subscription: Subscription, stream: OrderLogCursor): void {
    const { epoch, oldest, last } = stream.refresh();
    const resume = this.#resume;
    // Once: who subscribes again later goes on from then.
    this.#resume = undefined;
    const isUsable =
      resume !== undefined &&
      resume.lastSequence <= last &&
      (resume.epoch === undefined || resume.epoch === epoch);
    const asked = isUsable ? resume.lastSequence : last;
    if (this.#isLegacy) this.#floor = this.#legacyStart(stream, last);
    // What the log no longer holds is reported as a gap first.
    const held = Math.max(asked, oldest - 1);
    const start = held > asked ? asked : Math.max(asked, this.#floor);
    subscription.cursor = { after: start, previous: start };
    this.#startedAt = last;
    if (this.#floor > held) subscription.status.skipped = { from: held + 1, to: this.#floor };
    if (resume !== undefined && !isUsable) subscription.status.resumed = false;
  }
}
