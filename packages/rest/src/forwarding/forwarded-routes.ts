import type { ErrorCode, KeyTier } from '@ptn-api/protocol';

export interface ForwardedRoute {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** `{name}` is a part of the path that is no fixed text. */
  readonly route: string;
  /** The least tier of the key that it needs; absent: the validator's own server asks for none, or decides itself. */
  readonly minTier?: KeyTier;
  /** For keys below; by default as for positions. */
  readonly tierAccess?: ErrorCode;
  readonly summary: string;
}

/**
 * What only the validator's own server can answer: it writes, asks the chain, or holds what it answers in memory. The
 * routes are those of validators from December 2025 on; one that has not got a route answers so itself.
 */
export const FORWARDED_ROUTES: readonly ForwardedRoute[] = [
  { method: 'POST', route: '/collateral/deposit', summary: 'Deposit collateral' },
  { method: 'POST', route: '/collateral/query-withdraw', summary: 'What withdrawing collateral would cost' },
  { method: 'POST', route: '/collateral/withdraw', summary: 'Withdraw collateral, signed by the coldkey' },
  { method: 'GET', route: '/collateral/balance/{address}', summary: 'Collateral of an address on the chain' },
  { method: 'POST', route: '/asset-selection', summary: 'Choose a class of assets, signed by the coldkey' },
  { method: 'POST', route: '/asset-selection/update/', minTier: 500, summary: 'Change a class of assets' },
  {
    method: 'POST',
    route: '/development/order',
    minTier: 200,
    tierAccess: 'PTN_ERR_DEVELOPMENT_TIER_ACCESS',
    summary: 'Place an order of the miner DEVELOPMENT',
  },
  { method: 'GET', route: '/api/health/rpc', summary: "Whether the validator's services answer" },
  { method: 'GET', route: '/trade-pairs', summary: 'Pairs that can be traded, and their limits' },
  { method: 'GET', route: '/miner/{hotkey}', minTier: 100, summary: "A miner's dashboard" },
  { method: 'GET', route: '/account-snapshots/{hotkey}', minTier: 0, summary: "A miner's account over time" },
  { method: 'POST', route: '/request-api-key', summary: 'Ask for the API key of an entity' },
  { method: 'POST', route: '/entity/register', summary: 'Register an entity' },
  { method: 'POST', route: '/entity/create-subaccount', summary: 'Make a subaccount' },
  { method: 'POST', route: '/entity/create-hl-subaccount', summary: 'Make a subaccount of an address' },
  { method: 'POST', route: '/entity/set-endpoint', summary: "Set an entity's endpoint" },
  { method: 'GET', route: '/entity/endpoint', summary: 'The endpoint of an address or subaccount' },
  { method: 'GET', route: '/entity/subaccount/{hotkey}', minTier: 200, summary: "A subaccount's dashboard" },
  { method: 'GET', route: '/v2/entity/subaccount/{hotkey}', minTier: 200, summary: 'The same, of 2026' },
  { method: 'POST', route: '/entity/subaccount/payout', minTier: 200, summary: 'Payout of a subaccount' },
  { method: 'POST', route: '/entity/subaccount/eliminate', minTier: 200, summary: 'Eliminate a subaccount' },
  { method: 'POST', route: '/entity/subaccount/leverage-tier', minTier: 200, summary: 'Set a leverage tier' },
  { method: 'GET', route: '/hl-traders/{address}', summary: 'The trader of an address' },
  { method: 'GET', route: '/hl-traders/{address}/limits', summary: 'Limits of the trader of an address' },
  { method: 'GET', route: '/hl-leaderboard', summary: 'Traders by their returns' },
  {
    method: 'POST',
    route: '/miner-account/rebuild/{hotkey}',
    minTier: 500,
    summary: "Rebuild a miner's account",
  },
  { method: 'POST', route: '/wipe/{hotkey}', minTier: 500, summary: 'Remove a miner' },
  {
    method: 'DELETE',
    route: '/admin/{hotkey}/positions/{position}',
    minTier: 500,
    summary: 'Delete a position',
  },
  {
    method: 'PATCH',
    route: '/admin/{hotkey}/positions/{position}',
    minTier: 500,
    summary: 'Change a position',
  },
  { method: 'POST', route: '/admin/{action}/{target}', minTier: 500, summary: 'Administration of a miner' },
  { method: 'POST', route: '/admin/drawdown-criteria', minTier: 500, summary: 'Set the rules of drawdown' },
];
