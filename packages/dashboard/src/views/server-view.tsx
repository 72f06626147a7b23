import { NOTHING, formatAge, formatDuration, formatTime, formatWhole } from '../model/format.ts';
import { lagSummary } from '../model/tape.ts';
import { Fact, Facts } from './parts.tsx';
import type { Session } from './session.ts';

function readyText(isReady: boolean | null, reasons: readonly string[]): string {
  if (isReady === null) return 'not known yet';
  return isReady ? 'ready' : `not ready: ${reasons.join(', ')}`;
}

export function ServerView({ session }: { session: Session }) {
  const { state, tape, miners, statisticsMs, restUrl, wsUrl } = session;
  const lag = lagSummary(tape);
  const fault = state?.lastFault ?? null;
  const nowMs = Date.now();
  // By the server's clock, which orders are stamped with.
  const serverMs = nowMs + (state?.clockOffsetMs ?? 0);
  return (
    <>
      <Facts>
        <Fact name="Readiness">{readyText(state?.isReady ?? null, state?.reasons ?? [])}</Fact>
        <Fact name="Connection">{state?.connection ?? 'connecting'}</Fact>
        <Fact name="Newest order">{formatWhole(state?.sequence)}</Fact>
        <Fact name="Miners">{formatWhole(miners.length)}</Fact>
        <Fact name="Last order placed">{formatAge(tape[0]?.placedMs, serverMs)}</Fact>
        <Fact name="Positions changed">{formatAge(state?.changedMs, nowMs)}</Fact>
        <Fact name="Statistics written">{formatAge(statisticsMs, serverMs)}</Fact>
        <Fact name="Live orders in this tab">{formatWhole(lag?.count ?? 0)}</Fact>
        <Fact name="Lag, median">{formatDuration(lag?.median)}</Fact>
        <Fact name="Lag, highest">{formatDuration(lag?.highest)}</Fact>
        <Fact name="Server's clock ahead">{formatDuration(state?.clockOffsetMs)}</Fact>
      </Facts>
      <dl class="list">
        <dt>REST</dt>
        <dd>
          <code>{restUrl}</code>
        </dd>
        <dt>Stream</dt>
        <dd>
          <code>{wsUrl}</code>
        </dd>
        <dt>Order log</dt>
        <dd>
          <code>{state?.epoch ?? NOTHING}</code>
        </dd>
        <dt>Generation of positions</dt>
        <dd>
          <code>{state?.generation ?? NOTHING}</code>
        </dd>
        <dt>Last fault</dt>
        <dd>{fault === null ? 'none' : `${formatTime(fault.atMs)} UTC: ${fault.message}`}</dd>
        <dt>Processes</dt>
        <dd>
          <code>ptn-api status</code> on the server’s machine shows them, their memory and restarts.
        </dd>
      </dl>
    </>
  );
}
