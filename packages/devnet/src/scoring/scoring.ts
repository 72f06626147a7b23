import {
  detectPlagiarism,
  keptEliminations,
  minerRecord,
  minerStatistics,
  scoreRound,
} from '@ptn-api/scoring';
import type { ChallengeState, Elimination, Generation, MinerRecord, Round, Weights } from '@ptn-api/scoring';
import {
  challengeText,
  checkpointParts,
  eliminationsText,
  inDashboardOrder,
  ledgersFile,
  outputFiles,
  plagiarismText,
  SCORING_PATHS,
  statisticsFile,
  weightsText,
} from '@ptn-api/validator-files';
import { LedgerKeeper } from './ledger-keeper.ts';
import type { LedgerSubject } from './ledger-keeper.ts';
import type { ClosePrices, ScoredValidator } from './scored-validator.ts';
import { writeInParts } from './scoring-folder.ts';
import type { ScoringFolder } from './scoring-folder.ts';
import { readStoredState } from './stored-state.ts';

export interface ScoringOptions {
  readonly validator: ScoredValidator;
  readonly prices: ClosePrices;
  readonly folder: ScoringFolder;
  /** One that pays by scores: what others pay depends on the live chain. */
  readonly generation: Generation;
  /** Of the validator whose files these are. */
  readonly version: string;
  readonly newUuid: () => string;
  /** One line for whoever runs it. */
  readonly say: (line: string) => void;
}

/** Whether a round leaves everybody where they are. */
function isQuiet({ inspection: { promoted, demoted, moved, failed }, eliminations }: Round): boolean {
  return promoted.length + demoted.length + moved.size + failed.size + eliminations.length === 0;
}

/**
 * What a validator makes of its miners' positions: ledgers, challenge period, eliminations, weights, statistics, and the files
 * that hold all of it. It has no clock: whoever runs it says when each of its methods is due.
 */
export class Scoring {
  readonly #options: ScoringOptions;
  readonly #ledgers: LedgerKeeper;
  #state: ChallengeState = new Map();
  #writtenState = '';
  #weights: Weights = [];
  #liquidations: readonly Elimination[] = [];
  #plagiarism: ReadonlyMap<string, number> = new Map();
  /** The last round, if it decided nothing: what it weighed is right as long as nothing else has happened. */
  #quietRound: Round | undefined;
  /** Whether the challenge period has not been refreshed since the start. */
  #isFirst = true;
  /** Miners that a look at present prices suspected and their ledgers did not confirm, until the next update. */
  readonly #cleared = new Set<string>();

  constructor(options: ScoringOptions) {
    this.#options = options;
    this.#ledgers = new LedgerKeeper(options.generation.ledger, options.prices);
  }

  /** Who is where in the challenge period. */
  get challenge(): ChallengeState {
    return this.#state;
  }

  /** As they were set last. */
  get weights(): Weights {
    return this.#weights;
  }

  /**
   * Takes up what is in the folder, after the validator has.
   *
   * @throws DamagedFileError where that cannot be read and not be made anew.
   */
  load(): void {
    const { folder, say } = this.#options;
    const stored = readStoredState(folder.root, say);
    this.#state = stored.challenge;
    this.#ledgers.load(stored.ledgers);
    this.#liquidations = stored.liquidations;
    this.#weights = stored.weights;
    this.#plagiarism = stored.plagiarism;
    this.#isFirst = true;
  }

  /** Brings the ledgers of all miners that are not eliminated up to 10 minutes before `nowMs`. */
  *updateLedgers(nowMs: number): Generator<void> {
    this.#cleared.clear();
    this.#ledgers.keepOnly(this.#options.validator.registered);
    for (const liquidation of this.#ledgers.update(this.#subjects(), nowMs)) {
      if (liquidation !== undefined) this.#liquidate(liquidation);
      yield;
    }
  }

  /** Writes `perf_ledgers.json`. */
  *writeLedgers(): Generator<void> {
    yield* writeInParts(this.#options.folder, SCORING_PATHS.ledgers, ledgersFile(this.#ledgers.ledgers));
  }

  /** Eliminates miners that are beyond the drawdown limit at the prices of `nowMs`, without waiting for their ledgers. */
  watchDrawdowns(nowMs: number): void {
    let isAnyBeyond = false;
    for (const subject of this.#subjects()) {
      const { hotkey } = subject;
      if (this.#cleared.has(hotkey) || !this.#ledgers.isBelowLimit(subject, nowMs)) continue;
      const { isBeyondLimit, liquidation } = this.#ledgers.settle(subject, nowMs);
      if (liquidation !== undefined) this.#liquidate(liquidation);
      if (isBeyondLimit || liquidation !== undefined) isAnyBeyond = true;
      this.#cleared.add(hotkey);
    }
    if (isAnyBeyond) this.refreshChallenge(nowMs);
  }

  /** Admits newcomers, promotes and eliminates, and drops rows of eliminations that are old. */
  refreshChallenge(nowMs: number): void {
    const { validator } = this.#options;
    const round = this.#round(nowMs);
    this.#quietRound = isQuiet(round) ? round : undefined;
    this.#isFirst = false;
    // The row first: a miner that a crash leaves in the challenge period is taken out of it by its row.
    for (const row of round.eliminations) validator.closeAll(row.hotkey, row, nowMs);
    this.#keepState(new Map([...round.stateAfter].filter(([hotkey]) => !validator.eliminated.has(hotkey))));
    const rows = [...validator.eliminated.values()];
    const kept = keptEliminations(rows, nowMs, validator.registered);
    if (kept.length < rows.length) {
      validator.keepEliminations(new Set(kept.map(({ hotkey }) => hotkey)));
    }
  }

  /** Scores everybody, and sets the weights: into a file, in place of the chain. */
  setWeights(nowMs: number): void {
    const { weights } = this.#quietRound?.nowMs === nowMs ? this.#quietRound : this.#round(nowMs);
    this.#weights = weights;
    const { folder, generation } = this.#options;
    folder.write(SCORING_PATHS.weights, weightsText(weights, nowMs, generation.name));
  }

  /** Writes who copies whom, a file for each miner that traded in the last days. */
  *reportPlagiarism(nowMs: number): Generator<void> {
    const { validator, folder, newUuid } = this.#options;
    const positions = new Map(
      this.#subjects().map(({ hotkey, positions: own }) => [hotkey, inDashboardOrder(own)]),
    );
    const scores = new Map<string, number>();
    for (const report of detectPlagiarism(positions, nowMs)) {
      const path = `${SCORING_PATHS.plagiarism}/${report.plagiarist}.json`;
      folder.write(path, plagiarismText(report, newUuid(), nowMs));
      scores.set(report.plagiarist, report.overall_score);
      yield;
    }
    const known = new Set(validator.hotkeys());
    this.#plagiarism = new Map([...this.#plagiarism, ...scores].filter(([hotkey]) => known.has(hotkey)));
  }

  /** Writes `minerstatistics.json`. */
  *writeStatistics(nowMs: number): Generator<void> {
    const { generation, version, folder } = this.#options;
    const statistics = minerStatistics({
      nowMs,
      generation,
      version,
      state: this.#state,
      miners: this.#records(),
      weights: this.#weights,
      plagiarism: this.#plagiarism,
      withCheckpoints: true,
    });
    yield* writeInParts(folder, SCORING_PATHS.statistics, statisticsFile(statistics));
  }

  /** Writes the outputs: the dashboard map, and what each tier shows of it. */
  *writeOutputs(nowMs: number): Generator<void> {
    const { folder } = this.#options;
    for (const { path, parts, isGzip } of outputFiles(this.#miners(), nowMs)) {
      yield* writeInParts(folder, path, parts, isGzip);
    }
  }

  /** Writes the checkpoint: everything that another validator needs to go on from here. */
  *writeCheckpoint(nowMs: number): Generator<void> {
    const { folder, validator, version } = this.#options;
    const parts = checkpointParts({
      nowMs,
      version,
      challenge: challengeText(this.#state),
      eliminations: [...validator.eliminated.values()],
      miners: this.#miners(),
      ledgers: this.#ledgers.ledgers,
    });
    yield* writeInParts(folder, SCORING_PATHS.checkpoint, parts);
  }

  #round(nowMs: number): Round {
    const { generation, validator } = this.#options;
    return scoreRound({
      nowMs,
      generation,
      miners: this.#records(),
      state: this.#state,
      eliminations: [...validator.eliminated.values()],
      liquidations: this.#liquidations,
      metagraph: validator.registered,
      isFirst: this.#isFirst,
    });
  }

  /** All miners that have positions or ledgers. */
  #records(): MinerRecord[] {
    const { ledgers } = this.#ledgers;
    const traders = this.#miners();
    const known = new Set(traders.map(({ hotkey }) => hotkey));
    const others = [...ledgers.keys()].filter((hotkey) => !known.has(hotkey));
    return [...traders, ...others.map((hotkey): LedgerSubject => ({ hotkey, positions: [] }))].map(
      ({ hotkey, positions }) => minerRecord({ hotkey, positions, ledgers: ledgers.get(hotkey) }),
    );
  }

  /** All miners, each with its positions in the order of the dashboard, so that sums over them are always the same. */
  #miners(): LedgerSubject[] {
    const { validator } = this.#options;
    return validator
      .hotkeys()
      .map((hotkey) => ({ hotkey, positions: inDashboardOrder(validator.positionsOf(hotkey)) }));
  }

  /** Miners whose ledgers go on. */
  #subjects(): LedgerSubject[] {
    const { validator } = this.#options;
    const ended = new Set(this.#liquidations.map(({ hotkey }) => hotkey));
    return validator
      .hotkeys()
      .filter((hotkey) => !validator.eliminated.has(hotkey) && !ended.has(hotkey))
      .map((hotkey) => ({ hotkey, positions: validator.positionsOf(hotkey) }));
  }

  #liquidate(row: Elimination): void {
    this.#liquidations = [...this.#liquidations, row];
    this.#options.folder.write(SCORING_PATHS.liquidations, eliminationsText(this.#liquidations));
  }

  #keepState(next: ChallengeState): void {
    const { folder } = this.#options;
    const text = challengeText(next);
    this.#state = next;
    if (text === this.#writtenState) return;
    folder.write(SCORING_PATHS.challenge, text);
    this.#writtenState = text;
  }
}
