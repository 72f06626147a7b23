export { backoffMs } from './backoff.ts';
export type { Backoff } from './backoff.ts';
export type { LogLevel, PositionsSource, ServerConfig, ServerLimits } from './config.ts';
export { lockFolder } from './files/lock-folder.ts';
export { PAGE, pageHeaders, readBuiltPage } from './http/built-page.ts';
export { answerClientError, answerFault, commonHeaders, sendError } from './http/errors.ts';
export { answerHalfClosed } from './http/half-closed.ts';
export { isOfOtherSite } from './http/other-site.ts';
export { refuseMalformed } from './http/refuse-malformed.ts';
export { clientRequestId, createRequestId } from './http/request-id.ts';
export { SCHEMAS_FOR_READERS } from './http/schemas-for-readers.ts';
export { SocketLimits } from './http/socket-limits.ts';
export { UntrustedProxyWarning } from './http/untrusted-proxy.ts';
export { servingMemoryLimit } from './ipc/memory-limit.ts';
export { connectionKey, minersFileTopic, segmentKey } from './ipc/messages.ts';
export type {
  AlertMessage,
  AnyTransaction,
  DocumentValue,
  FeedHealth,
  FromWorker,
  KeyGrant,
  ListeningPorts,
  MetricsMessage,
  MinersFileHead,
  MinersFileMember,
  MinersFileTopic,
  MinerValue,
  OrdersHead,
  Part,
  PositionsHead,
  RequestCount,
  ServingRole,
  SegmentReference,
  SourcesHealth,
  StatisticsHead,
  StatisticsMiner,
  ToWorker,
  Topic,
  TopicValues,
  Transaction,
  WorkerRole,
  WsConnection,
} from './ipc/messages.ts';
export { Outbox } from './ipc/outbox.ts';
export { ChunkAssembler, sendInParts } from './ipc/parts.ts';
export { RetainedState } from './ipc/retained.ts';
export { runWorker } from './ipc/worker-process.ts';
export { openLogFile } from './log/log-file.ts';
export { createLogger, isStdoutReplaced, openStandardOutput } from './log/logger.ts';
export { monotonicMs } from './metrics/monotonic-clock.ts';
export { METRIC_PREFIX } from './metrics/metric-prefix.ts';
export type { MetricFamily } from './metrics/process-metrics.ts';
export { recentErrors } from './metrics/recent-errors.ts';
export type { LoggedError } from './metrics/recent-errors.ts';
export { maxConnections, maxOpenFiles } from './open-files.ts';
export { StartError } from './start-error.ts';
export { UserLines } from './log/user-lines.ts';
export { TOPICS } from './ipc/topics.ts';
export type { TopicRow, TopicsHeardBy } from './ipc/topics.ts';
export { ORDER_STATUSES } from './served-file.ts';
export type { FileLoader, MinersFile, MinersRoute, MinerView, OrderStatus } from './served-file.ts';
export { minersFiles, STATISTICS_FILE, wholeFiles } from './served-files.ts';
export type { MinersFileName, ServedFileName } from './served-files.ts';
