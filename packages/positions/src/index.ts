export { accountOrders } from './accounting.ts';
export { encodeMiner } from './encoding/encode-miner.ts';
export type { EncodedMiner, EncodeMinerInput } from './encoding/encode-miner.ts';
export type { EncodedGroup } from './encoding/live-part.ts';
export { MinerEncoding } from './encoding/miner-encoding.ts';
export type { EncodedValue, EncodingPlan } from './encoding/miner-encoding.ts';
export { buildSettled, summarized } from './encoding/settled-blocks.ts';
export type { EncodeOptions, PositionText, SettledBlock } from './encoding/settled-blocks.ts';
export { carryFee, feeFactor, nextCarryMs, spreadFee } from './fees.ts';
export { combineCrc32, crc32 } from './gzip/crc32.ts';
export {
  combineDigests,
  deflateSegment,
  gzipMember,
  inflateSegment,
  memberLayout,
  memberPieces,
  storedSegment,
} from './gzip/segment.ts';
export type { Segment } from './gzip/segment.ts';
export { CompleteObject } from './json/complete-object.ts';
export { findMember, putMember, removeMember } from './json/edit-object.ts';
export { formatFloat } from './json/format-float.ts';
export { isJsonObject, JsonNumber, jsonValueOf, plainValue } from './json/json-value.ts';
export type { JsonObject, JsonValue } from './json/json-value.ts';
export { JsonTextError, parseJson } from './json/parse-json.ts';
export { writeCompactJson, writeJson } from './json/write-json.ts';
export { floatText, pythonFloat, pythonInt } from './python/python-number.ts';
export { pythonRepr, pythonStr, pythonTypeName } from './python/python-str.ts';
export { joinMembers, pythonJsonWriter, quote } from './json/python-json.ts';
export type { Shape as PythonShape } from './json/python-json.ts';
export { replaceNonFinite } from './json/non-finite.ts';
export { JsonSyntaxError, skipValue } from './json/skip-value.ts';
export { lastMembers, sliceArray, sliceObject } from './json/slice.ts';
export type { Member } from './json/slice.ts';
export { readPosition } from './read-position.ts';
export type { PositionFacts } from './read-position.ts';
export { rebuildPosition } from './rebuild-position.ts';
export { rebuildRecord } from './rebuild-record.ts';
export { liquidationOrder } from './liquidation-order.ts';
export { currentReturnAt, refreshPosition, returnAt } from './refresh-position.ts';
export { sampleBucket } from './sample-bucket.ts';
export { statesAfterOrders, statesNotRebuilt } from './states-after-orders.ts';
export type { StateParts } from './states-after-orders.ts';
export { cutPosition } from './tiers/cut-position.ts';
export { NotADashboardError, filterDashboard, sliceDashboard } from './tiers/dashboard.ts';
export type { FilteredDashboard } from './tiers/dashboard.ts';
export { nextStripMs, stripPriceSources } from './tiers/strip-price-sources.ts';
export { comparePositions, summaryFields, summaryText } from './tiers/summary.ts';
export type { SummarizedPosition, SummaryFields } from './tiers/summary.ts';
export { DAY_MS, isSettled, nextTierChangeMs, positionAtTier } from './tiers/tier-filter.ts';
export { TRADE_PAIRS, assetClassOf, pairTerms, quotedPair } from './trade-pairs.ts';
export type { AssetClass } from './trade-pairs.ts';
export { positionPath, writeOrder, writePosition } from './write-position.ts';
