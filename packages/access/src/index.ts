export {
  ExemptAddresses,
  addressGroup,
  clientAddress,
  parseProxy,
  plainAddress,
  trustFunction,
} from './addresses/client-address.ts';
export { apiKeyForm, createApiKey } from './keys/api-key.ts';
export { KeyRing, keyDigest } from './keys/key-ring.ts';
export type { KeyGrant } from './keys/key-ring.ts';
export { parseKeyExpiry, parseKeyFile } from './keys/parse-key-file.ts';
export { AddressLimit } from './limits/address-limit.ts';
export { Budgets } from './limits/budgets.ts';
export { WindowCounts } from './limits/window-counts.ts';
