export { answerRequest, refuseRequest } from './answer/answer-request.ts';
export type { WireAnswer } from './answer/answer-request.ts';
export { readAnswer } from './answer/read-answer.ts';
export type { AnswerRead, Exchange } from './answer/read-answer.ts';
export { bodyHash } from './body-hash.ts';
export { boolOf } from './fields.ts';
export { createHotkeyFile, readHotkeyFile, seedOfPhrase } from './keys/hotkey-file.ts';
export type { HotkeyFile, HotkeyRead } from './keys/hotkey-file.ts';
export { Keypair, signatureProblem } from './keys/keypair.ts';
export { decodeAddress, encodeAddress } from './keys/ss58.ts';
export { MetagraphFile, readMetagraphFile } from './metagraph/metagraph-file.ts';
export { hasLostTooMany, lostHotkeys, parseMetagraph } from './metagraph/parse-metagraph.ts';
export type { Metagraph, Neuron } from './metagraph/parse-metagraph.ts';
export { NonceMemory } from './request/nonce-memory.ts';
export type { Headers } from './request/request-headers.ts';
export { NONCE_WINDOW_NS } from './request/sender-problem.ts';
export { signRequest, signedText } from './request/sign-request.ts';
export type { AxonAddress, RequestToSign, SignedRequest } from './request/sign-request.ts';
export { verifyRequest } from './request/verify-request.ts';
export type {
  AcceptedRequest,
  AxonState,
  ReceivedRequest,
  RefusedRequest,
} from './request/verify-request.ts';
export { SYNAPSES } from './synapses.ts';
export type { SynapseName } from './synapses.ts';
