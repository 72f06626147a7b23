export { OrderLogInUseError } from './errors.ts';
export { stateOfLog } from './log-check.ts';
export { openOrderLogWriter } from './open-order-log-writer.ts';
export { openOrderLogReader } from './order-log-reader.ts';
export { emptyClaim } from './order-log.ts';
export type {
  LoggedOrder,
  OrderEvent,
  OrderLogReader,
  OrderLogState,
  OrderLogWriter,
  OrderMessage,
  OrderRetention,
  PositionParts,
} from './order-log.ts';
export { pythonSequence } from './python-sequence.ts';
