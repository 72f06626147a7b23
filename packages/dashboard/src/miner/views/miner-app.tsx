import { useLayoutEffect, useRef } from 'preact/hooks';
import { formatAge, formatTime, shortHotkey } from '../../model/format.ts';
import type { MinerReport } from '../model/miner-report.ts';
import { freshnessOf } from '../model/miner-status.ts';
import type { Freshness, MinerStatus } from '../model/miner-status.ts';
import { PerformanceSection } from './performance-section.tsx';
import { PositionsSection } from './positions-section.tsx';
import {
  ChallengeSection,
  ContributionSection,
  MetricsSection,
  PenaltiesSection,
} from './score-sections.tsx';
import { StatisticsSection } from './statistics-section.tsx';
import { useMiner, useNow } from './use-miner.ts';
import type { MinerState } from './use-miner.ts';
import { ValidatorsSection } from './validators-section.tsx';

/** What the line at the top says; `class` is the colour of its dot. */
const STATES = {
  starting: { text: 'Connecting', dot: 'connecting' },
  lost: { text: 'The miner does not answer, retrying', dot: 'interrupted' },
  asking: { text: 'Asking validators', dot: 'connecting' },
  fresh: { text: 'Up to date', dot: 'connected' },
  stale: { text: 'Out of date', dot: 'interrupted' },
  unanswered: { text: 'No data from validators', dot: 'interrupted' },
} as const;

const BADGES: Readonly<Record<string, string>> = {
  testing: 'In challenge period',
  success: 'Main competition',
};

function stateOf({ status, fault }: MinerState, freshness: Freshness | null): keyof typeof STATES {
  if (fault !== null) return 'lost';
  return status === null || freshness === null ? 'starting' : freshness;
}

export function MinerApp() {
  const miner = useMiner();
  const { status, report, fault } = miner;
  const heading = useRef<HTMLHeadingElement>(null);
  const nowMs = useNow();
  const minerNowMs = nowMs + (status?.clockOffsetMs ?? 0);
  const freshness = status === null ? null : freshnessOf(status, minerNowMs);
  const { text, dot } = STATES[stateOf(miner, freshness)];
  const hotkey = status?.hotkey ?? '';
  useLayoutEffect(() => {
    document.title = hotkey === '' ? 'Miner · PTN' : `${shortHotkey(hotkey)} · PTN miner`;
  }, [hotkey]);
  const badge = report === null ? '' : report.challenge.status;
  return (
    <>
      <a
        class="skip"
        href="#content"
        onClick={(event) => {
          event.preventDefault();
          heading.current?.focus();
        }}
      >
        Skip to the content
      </a>
      <header>
        <span class="brand">PTN</span>
        <div class="state">
          <span role="status" class={`connection connection-${dot}`}>
            {text}
          </span>
        </div>
      </header>
      <main id="content">
        <h1 ref={heading} tabIndex={-1}>
          Miner {badge !== '' && <span class="badge">{BADGES[badge] ?? badge}</span>}
        </h1>
        {hotkey !== '' && (
          <p class="full-hotkey">
            <code>{hotkey}</code>
          </p>
        )}
        {fault !== null && (
          <p role="alert" class="card failure">
            The miner that serves this page cannot be reached: {fault}. Is <code>ptn-miner run</code> still
            running? {report !== null && 'What is shown was read before.'}
          </p>
        )}
        {status !== null && <Body status={status} report={report} freshness={freshness} nowMs={minerNowMs} />}
        {status === null && fault === null && <p role="status">Reading …</p>}
      </main>
      <footer class="muted">
        Times are UTC. Charts:{' '}
        <a href="https://www.tradingview.com/" rel="noreferrer noopener" target="_blank">
          TradingView Lightweight Charts™
        </a>
        . <a href="licenses.md">Licences</a>
      </footer>
    </>
  );
}

interface BodyProps {
  readonly status: MinerStatus;
  readonly report: MinerReport | null;
  readonly freshness: Freshness | null;
  /** By the miner's clock. */
  readonly nowMs: number;
}

function Body({ status, report, freshness, nowMs }: BodyProps) {
  return (
    <>
      <Ages status={status} report={report} nowMs={nowMs} />
      {freshness === 'asking' && <p role="status">Asking the validators for this miner’s data …</p>}
      {freshness === 'unanswered' && (
        <p role="alert" class="card failure">
          No validator has given this miner’s data yet. They are asked again every minute; what each of them
          answered is below.
        </p>
      )}
      {freshness === 'stale' && (
        <p role="alert" class="card failure">
          No validator has given newer data since {formatTime(status.answeredMs)} UTC. What is shown is from
          then.
        </p>
      )}
      {report !== null && status.answeredMs !== null && <Report report={report} />}
      {freshness !== 'asking' && <ValidatorsSection validators={status.validators} />}
    </>
  );
}

function Ages({ status: { askedMs, answeredMs }, report, nowMs }: Omit<BodyProps, 'freshness'>) {
  if (askedMs === null) return null;
  const { statisticsMs = null, lastOrderMs = null } = report ?? {};
  return (
    <p class="muted ages">
      <span>Validators asked {formatAge(askedMs, nowMs)}</span>
      {answeredMs !== null && <span>data from {formatAge(answeredMs, nowMs)}</span>}
      {statisticsMs !== null && <span>statistics written {formatAge(statisticsMs, nowMs)}</span>}
      {lastOrderMs !== null && <span>last order {formatAge(lastOrderMs, nowMs)}</span>}
    </p>
  );
}

function Report({ report }: { report: MinerReport }) {
  const { hasStatistics, positions } = report;
  if (!hasStatistics && positions.length === 0) {
    return (
      <p class="card">
        Validators have neither positions nor statistics of this miner yet. They appear after its first order;
        statistics also need a weight, which can take a day.
      </p>
    );
  }
  return (
    <>
      {hasStatistics ? (
        <>
          <ChallengeSection report={report} />
          <MetricsSection metrics={report.metrics} />
          <PenaltiesSection penalties={report.penalties} />
        </>
      ) : (
        <p class="card">
          There are no statistics of this miner yet: validators write them of miners that have a weight.
        </p>
      )}
      <StatisticsSection report={report} />
      <ContributionSection metrics={report.metrics} />
      <PerformanceSection performance={report.performance} />
      <PositionsSection positions={report.positions} />
    </>
  );
}
