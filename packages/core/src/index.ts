export { counted } from './counted.ts';
export { printable } from './printable.ts';
export { combineCrc32, crc32 } from './gzip/crc32.ts';
export {
  combineDigests,
  deflateSegment,
  gzipMember,
  inflateSegment,
  joinSegments,
  memberLayout,
  storedSegment,
} from './gzip/segment.ts';
export type { MemberLayout, Segment } from './gzip/segment.ts';
export { apiKeyForm, createApiKey } from './keys/api-key.ts';
export type { ApiKeyForm } from './keys/api-key.ts';
export { KeyRing, keyDigest } from './keys/key-ring.ts';
export type { KeyGrant } from './keys/key-ring.ts';
export { parseKeyExpiry, parseKeyFile } from './keys/parse-key-file.ts';
export type { ParsedKeyFile } from './keys/parse-key-file.ts';
export { backoffMs } from './supervision/backoff.ts';
export { RestartBudget } from './supervision/restart-budget.ts';
export type { RestartBudgetLimits } from './supervision/restart-budget.ts';
export { WindowCounts } from './limits/window-counts.ts';
export type { WindowCountsOptions } from './limits/window-counts.ts';
export { findMember, putMember, removeMember } from './json/edit-object.ts';
export { CompleteObject } from './json/complete-object.ts';
export { formatFloat } from './json/format-float.ts';
export { replaceNonFinite } from './json/non-finite.ts';
export { JsonSyntaxError, skipValue } from './json/skip-value.ts';
export { sliceArray, sliceObject } from './json/slice.ts';
export type { Member, Span } from './json/slice.ts';
export { accountOrders } from './positions/accounting.ts';
export type {
  AccountedOrder,
  Accounting,
  AccountingResult,
  AccountingTerms,
} from './positions/accounting.ts';
export { readPosition } from './positions/read-position.ts';
export type { Generation, PositionFacts, PositionReading } from './positions/read-position.ts';
export { rebuildPosition } from './positions/rebuild-position.ts';
export type { PositionIdentity } from './positions/rebuild-position.ts';
export { refreshPosition, returnAt } from './positions/refresh-position.ts';
export { sampleBucket } from './positions/sample-bucket.ts';
export { assetClassOf, pairTerms, TRADE_PAIRS } from './positions/trade-pairs.ts';
export type { AssetClass, PairTerms } from './positions/trade-pairs.ts';
export { CUT_SEPARATOR, cutAround, cutPosition, orderText, parseForCut } from './tiers/cut-position.ts';
export type { CutParts, CutResult, ParsedPosition } from './tiers/cut-position.ts';
export { filterDashboard, NotADashboardError, sliceDashboard } from './tiers/dashboard.ts';
export type { DashboardMiner, DashboardSlices, FilteredDashboard } from './tiers/dashboard.ts';
export { nextStripMs, stripPriceSources } from './tiers/strip-price-sources.ts';
export { comparePositions, summaryFields, summaryText } from './tiers/summary.ts';
export type { SummarizedPosition, SummaryFields } from './tiers/summary.ts';
export { DAY_MS, isSettled, nextTierChangeMs, positionAtTier } from './tiers/tier-filter.ts';
export type { TierView } from './tiers/tier-filter.ts';
