import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { rebuildPosition } from '@ptn-api/positions';
import type { Order, Position } from '@ptn-api/protocol';
import { closeByElimination } from '@ptn-api/scoring';
import type { Elimination } from '@ptn-api/scoring';
import type { ScoredValidator, ScoringFolder } from '@ptn-api/devnet';

const BITCOIN = ['BTCUSD', 'BTC/USD', 0.003, 0.01, 0.5] as const;

/** A validator that has positions without anybody having sent orders. */
export class PaperValidator implements ScoredValidator {
  readonly eliminated = new Map<string, Elimination>();
  registered = new Set<string>();
  readonly #positions = new Map<string, Map<string, Position>>();

  hotkeys(): readonly string[] {
    return [...this.#positions.keys()];
  }

  positionsOf(hotkey: string): readonly Position[] {
    return [...(this.#positions.get(hotkey)?.values() ?? [])];
  }

  closeAll(hotkey: string, elimination: Elimination): void {
    this.eliminated.set(hotkey, elimination);
    for (const position of this.positionsOf(hotkey)) {
      this.#put(closeByElimination(position, elimination.elimination_initiated_time_ms));
    }
  }

  keepEliminations(hotkeys: ReadonlySet<string>): void {
    for (const hotkey of this.eliminated.keys()) if (!hotkeys.has(hotkey)) this.eliminated.delete(hotkey);
  }

  /** Opens, changes or closes the bitcoin position `name` of a miner, which is registered by that. */
  order(hotkey: string, name: string, timeMs: number, leverage: number, price: number): void {
    this.registered.add(hotkey);
    const uuid = `${hotkey}-${name}`;
    const before = this.#positions.get(hotkey)?.get(uuid);
    const order: Order = {
      order_type: leverage === 0 ? 'FLAT' : leverage > 0 ? 'LONG' : 'SHORT',
      leverage: leverage === 0 ? -(before?.net_leverage ?? 0) : leverage,
      price,
      bid: 0,
      ask: 0,
      slippage: 0,
      processed_ms: timeMs,
      order_uuid: `${uuid}-${timeMs}`,
      price_sources: [],
      src: 0,
    };
    const identity = { miner_hotkey: hotkey, position_uuid: uuid, trade_pair: BITCOIN };
    this.#put(rebuildPosition(identity, [...(before?.orders ?? []), order]));
  }

  #put(position: Position): void {
    const { miner_hotkey: hotkey, position_uuid: uuid } = position;
    const own = this.#positions.get(hotkey) ?? new Map<string, Position>();
    this.#positions.set(hotkey, own.set(uuid, position));
  }
}

/** A folder of which a write can be made to fail. */
export class PaperFolder implements ScoringFolder {
  readonly root: string;
  /** The file that the disk has no room for. */
  failing: string | undefined;

  constructor(root: string) {
    this.root = root;
  }

  write(path: string, content: string | Uint8Array): void {
    if (path === this.failing)
      throw Object.assign(new Error('no space left'), { code: 'ENOSPC', syscall: 'write' });
    const target = join(this.root, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
  }
}
