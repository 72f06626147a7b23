import { formatChange, formatDuration, formatShare, formatWeight, formatWhole } from '../../model/format.ts';
import { Fact, Facts, Return } from '../../views/parts.tsx';
import type { MinerReport } from '../model/miner-report.ts';

export function StatisticsSection({ report }: { report: MinerReport }) {
  const { weight, drawdown, engagement } = report;
  return (
    <section aria-labelledby="statistics-title">
      <h2 id="statistics-title">Statistics</h2>
      <Facts>
        <Fact name="Weight">{formatWeight(weight.value)}</Fact>
        <Fact name="Rank">{formatWhole(weight.rank)}</Fact>
        <Fact name="Percentile">{formatShare(weight.percentile)}</Fact>
        <Fact name="Largest drawdown">{drawdown === null ? '–' : formatChange(-drawdown)}</Fact>
        <Fact name="Closed positions">{formatWhole(engagement.closedPositions)}</Fact>
        <Fact name="Time with open positions">{formatDuration(engagement.openMs)}</Fact>
        <Fact name="Return, recent closed positions">
          <Return factor={report.recentReturn} />
        </Fact>
        <Fact name="Return, all closed positions">
          <Return factor={report.allTimeReturn} />
        </Fact>
        <Fact name="Positions counted">{formatWhole(report.countedPositions)}</Fact>
        <Fact name="Profitable positions">{formatShare(report.profitable)}</Fact>
      </Facts>
    </section>
  );
}
