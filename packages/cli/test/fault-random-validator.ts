/** A validator that does all that one may do to its files, at random, and knows what they hold. */
import { existsSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { gzipSync } from 'node:zlib';
import { summaryFields, summaryText } from '@ptn-api/positions';
import type { Position } from '@ptn-api/protocol';
import { addOrder, makePosition, positionPath } from '@ptn-api/testkit';
import type { PtnRoot } from '@ptn-api/testkit';
import { oneOf } from './fault-random-control.ts';

const HOUR_MS = 3_600_000;
const STEADY_MINERS = 8;
const MAX_ORDERS = 6;
/** A file that is broken, gone or denied is so for at most this long. */
const AWAY_MS = 4000;
const MINERS = 'validation/miners';

export type Source = 'outputs' | 'tree';

export interface ValidatorOptions {
  readonly root: PtnRoot;
  readonly random: () => number;
  /** Whether the stream has delivered an order: only then its position may go. */
  readonly isDelivered: (orderUuid: string) => boolean;
  /** Makes folders unreadable for the feed: this process may be root, whom no permission stops. */
  readonly deny: (folders: readonly string[]) => void;
}

interface Later {
  readonly atMs: number;
  readonly run: () => void;
}

export class Validator {
  /** Where orders are, by their uuid. */
  readonly placed = new Map<string, { readonly positionUuid: string; readonly hotkey: string }>();
  /** Positions that were taken away, for a while or for good, since {@link forgetAbsences}. */
  readonly absent = new Set<string>();
  source: Source;
  readonly #options: ValidatorOptions;
  readonly #positions = new Map<string, Position>();
  /** Positions whose files are being broken or are away: left alone until they are back. */
  readonly #busy = new Set<string>();
  readonly #denied = new Set<string>();
  #later: Later[] = [];
  #count = 0;
  #version = 0;

  constructor(options: ValidatorOptions, source: Source) {
    this.#options = options;
    this.source = source;
    this.#writeHistory();
  }

  /** What is back by now was read again: answers must hold it. */
  forgetAbsences(): void {
    for (const uuid of this.absent) if (this.#positions.has(uuid)) this.absent.delete(uuid);
  }

  /** One thing at random, and what is due of those that were begun before. */
  async step(): Promise<void> {
    this.#runLater(Date.now());
    const { random } = this.#options;
    const actions: readonly (readonly [number, () => void | Promise<void>])[] = [
      [
        6,
        () => {
          this.#open();
        },
      ],
      [
        8,
        () => {
          this.#add('LONG');
        },
      ],
      [
        3,
        () => {
          this.#add('FLAT');
        },
      ],
      [
        2,
        () => {
          this.#rewrite();
        },
      ],
      [
        1,
        () => {
          this.#breakFile();
        },
      ],
      [
        1,
        () => {
          this.#removeFile();
        },
      ],
      [
        1,
        () => {
          this.#removeMiner();
        },
      ],
      [
        1,
        () => {
          this.#denyMiner();
        },
      ],
      [
        2,
        () => {
          this.#writeDocument();
        },
      ],
      [
        1,
        () => {
          if (this.source === 'tree') this.#writeOutputs();
        },
      ],
    ];
    let drawn = random() * actions.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, run] of actions) {
      drawn -= weight;
      if (drawn < 0) return run();
    }
  }

  /** Everything that was begun is ended: what the files hold now stays. */
  settle(): void {
    this.#runLater(Infinity);
  }

  /** The tree of what was in the outputs file only. */
  beginTree(): void {
    this.source = 'tree';
    for (const position of this.#positions.values()) this.#writeFile(position, 'rename');
  }

  #runLater(nowMs: number): void {
    const due = this.#later.filter(({ atMs }) => atMs <= nowMs);
    this.#later = this.#later.filter(({ atMs }) => atMs > nowMs);
    for (const { run } of due) run();
  }

  #afterAWhile(run: () => void): void {
    this.#later.push({ atMs: Date.now() + this.#options.random() * AWAY_MS, run });
  }

  /** Positions of all ages, so that the tiers differ; what is there before the start is no order. */
  #writeHistory(): void {
    const now = Date.now();
    const ages: readonly (readonly number[])[] = [[400, 300], [200, 25], [60, 23], [50, 2], [30], [12], [3]];
    for (let miner = 0; miner < STEADY_MINERS; miner++) {
      for (const hours of ages) {
        this.#count += 1;
        const isClosed = hours.length > 1;
        const position = makePosition({
          hotkey: `steady-${miner}`,
          uuid: `position-${this.#count}`,
          orders: hours.map((hoursAgo, index) => ({
            timeMs: now - hoursAgo * HOUR_MS,
            uuid: `history-${this.#count}-${index}`,
            price: 100 + miner + index,
            ...(isClosed && index > 0 ? { type: 'FLAT', leverage: -0.1 } : {}),
            sources: [{ source: 'Polygon_rest', close: 100.5 }],
          })),
        });
        this.#positions.set(position.position_uuid, position);
      }
    }
    this.#publish([...this.#positions.values()]);
    for (let document = 0; document < 4; document++) this.#writeDocument(document);
  }

  #nextOrder(hotkey: string, positionUuid: string): { timeMs: number; uuid: string; price: number } {
    this.#count += 1;
    const uuid = `order-${this.#count}`;
    this.placed.set(uuid, { positionUuid, hotkey });
    return { timeMs: Date.now(), uuid, price: 90 + Math.round(this.#options.random() * 20) };
  }

  #newPosition(): Position {
    const { random } = this.#options;
    const kinds = [`steady-${Math.floor(random() * STEADY_MINERS)}`, `volatile-${Math.floor(random() * 4)}`];
    // A miner who was never there, now and then.
    if (random() < 0.1) kinds.push(`new-${this.#count}`, `volatile-new-${this.#count}`);
    const hotkey = oneOf(random, kinds) ?? '';
    const uuid = `position-${this.#count + 1}`;
    return makePosition({
      hotkey,
      uuid,
      orders: [this.#nextOrder(hotkey, uuid)],
      pair: random() < 0.5 ? 'BTCUSD' : 'ETHUSD',
    });
  }

  #open(): void {
    this.#take(this.#newPosition());
  }

  /** Many orders at once, each of a position of its own. */
  openMany(count: number): void {
    for (let made = 0; made < count; made++) this.#open();
  }

  #oneOpen(): Position | undefined {
    const open = [...this.#positions.values()].filter(
      (position) => !position.is_closed_position && !this.#busy.has(position.position_uuid),
    );
    return oneOf(this.#options.random, open);
  }

  #add(type: 'LONG' | 'FLAT'): void {
    const position = this.#oneOpen();
    if (position === undefined) return;
    const order = this.#nextOrder(position.miner_hotkey, position.position_uuid);
    const isLast = type === 'FLAT' || position.orders.length >= MAX_ORDERS;
    this.#take(addOrder(position, isLast ? { ...order, type: 'FLAT' } : order));
  }

  /** The same orders with other figures; in place, of the same size and with the old time, as some tools write. */
  #rewrite(): void {
    const position = this.#oneOpen();
    if (position === undefined) return;
    const figure = 1 + Math.floor(this.#options.random() * 9) / 10;
    const changed = { ...position, current_return: figure, return_at_close: figure };
    this.#positions.set(position.position_uuid, changed);
    if (this.source === 'outputs') {
      this.#writeOutputs();
      return;
    }
    const path = this.#options.root.join(positionPath(changed));
    writeFileSync(path, JSON.stringify(changed));
    utimesSync(path, new Date(0), new Date(0));
  }

  #breakFile(): void {
    const position = this.#oneOpen();
    if (position === undefined) return;
    if (this.source === 'outputs') {
      const path = this.#options.root.join('validation/outputs/output.json');
      writeFileSync(path, '{"half');
      this.#afterAWhile(() => {
        this.#writeOutputs();
      });
      return;
    }
    this.#busy.add(position.position_uuid);
    const text = JSON.stringify(position);
    writeFileSync(this.#options.root.join(positionPath(position)), text.slice(0, text.length / 2));
    this.#afterAWhile(() => {
      this.#busy.delete(position.position_uuid);
      this.#publish([position]);
    });
  }

  #isVolatile = (position: Position): boolean =>
    position.miner_hotkey.startsWith('volatile') &&
    !this.#busy.has(position.position_uuid) &&
    position.orders.every(({ order_uuid: uuid }) => this.#options.isDelivered(uuid));

  #removeFile(): void {
    const position = oneOf(this.#options.random, [...this.#positions.values()].filter(this.#isVolatile));
    if (position !== undefined)
      this.#takeAway([position], () => {
        this.#options.root.removePosition(position);
      });
  }

  #removeMiner(): void {
    const { random, root } = this.#options;
    const hotkeys = [...new Set([...this.#positions.values()].map(({ miner_hotkey: hotkey }) => hotkey))];
    const hotkey = oneOf(
      random,
      hotkeys.filter((name) => name.startsWith('volatile')),
    );
    const positions = [...this.#positions.values()].filter(({ miner_hotkey }) => miner_hotkey === hotkey);
    if (hotkey === undefined || !positions.every(this.#isVolatile)) return;
    const folder = root.join(MINERS, hotkey);
    this.#takeAway(positions, () => {
      if (random() < 0.5) rmSync(folder, { recursive: true });
      else renameSync(folder, root.join('validation', `aside-${hotkey}-${this.#count}-${Date.now()}`));
    });
  }

  #takeAway(positions: readonly Position[], remove: () => void): void {
    for (const { position_uuid: uuid } of positions) {
      this.absent.add(uuid);
      this.#positions.delete(uuid);
    }
    if (this.source === 'tree') remove();
    else this.#writeOutputs();
    // Some never come back.
    if (this.#options.random() < 0.2) return;
    this.#afterAWhile(() => {
      for (const position of positions) this.#positions.set(position.position_uuid, position);
      this.#publish(positions);
    });
  }

  #denyMiner(): void {
    if (this.source !== 'tree') return;
    const hotkey = oneOf(this.#options.random, [...this.#positions.values()])?.miner_hotkey ?? '';
    const folder = this.#options.root.join(MINERS, hotkey);
    this.#denied.add(folder);
    this.#options.deny([...this.#denied]);
    this.#afterAWhile(() => {
      this.#denied.delete(folder);
      this.#options.deny([...this.#denied]);
    });
  }

  #writeDocument(which = Math.floor(this.#options.random() * 4)): void {
    this.#version += 1;
    const version = this.#version;
    const { root, random } = this.#options;
    const [path, content] = [
      [
        'runnable/minerstatistics.json',
        { version, data: [{ hotkey: 'steady-0', version }, { hotkey: `m-${version % 3}` }] },
      ],
      ['runnable/validator_checkpoint.json', { version, positions: {} }],
      ['validation/eliminations.json', [{ hotkey: 'steady-1', version }]],
      [`validation/plagiarism/miners/steady-${version % 2}.json`, { version }],
    ][which] as [string, unknown];
    const text = JSON.stringify(content);
    if (random() < 0.5 && existsSync(root.join(path))) writeFileSync(root.join(path), text);
    else root.writeFile(path, text);
    // The newer of the two counts.
    if (path.endsWith('checkpoint.json') && random() < 0.5) root.writeFile(`${path}.gz`, gzipSync(text));
  }

  #take(position: Position): void {
    this.#positions.set(position.position_uuid, position);
    this.#publish([position]);
  }

  #publish(positions: readonly Position[]): void {
    if (this.source === 'outputs') this.#writeOutputs();
    else
      for (const position of positions)
        this.#writeFile(position, this.#options.random() < 0.3 ? 'in place' : 'rename');
  }

  #writeFile(position: Position, how: 'rename' | 'in place'): void {
    const { root } = this.#options;
    const path = root.join(positionPath(position));
    if (how === 'rename') {
      root.writePosition(position);
      return;
    }
    if (position.is_closed_position) rmSync(root.join(positionPath(position, false)), { force: true });
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, JSON.stringify(position));
  }

  #writeOutputs(): void {
    const miners = new Map<string, Position[]>();
    for (const position of this.#positions.values()) {
      const { miner_hotkey: hotkey } = position;
      miners.set(hotkey, [...(miners.get(hotkey) ?? []), position]);
    }
    const map = [...miners].map(([hotkey, positions]) => {
      const summary = summaryText(summaryFields([], Date.now()));
      return `${JSON.stringify(hotkey)}: {"positions": ${JSON.stringify(positions)}, ${summary}}`;
    });
    const text = `{${map.join(', ')}}`;
    const path = this.#options.root.join('validation/outputs/output.json');
    if (this.#options.random() < 0.3 && existsSync(path)) writeFileSync(path, text);
    else this.#options.root.writeOutputs(text);
  }
}
