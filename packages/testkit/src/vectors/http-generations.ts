/** What is answered to the requests that were recorded of the Python servers, where it is not what they answered. */

/** An answer as far as it is a contract. */
export interface HttpAnswer {
  readonly status: number;
  readonly error?: string | undefined;
}

export interface HttpRow {
  readonly scenario: string;
  readonly group: string;
  readonly auth?: string;
  readonly method?: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly contract?: HttpAnswer;
  readonly seen: Readonly<Record<string, HttpAnswer>>;
}

export interface HttpDifference {
  /** How many rows it is about. */
  readonly rows: number;
  readonly reason: string;
  readonly is: (row: HttpRow) => boolean;
  /** What is answered here; a row with the same answer needs no difference. */
  readonly answer: (row: HttpRow, all: readonly HttpRow[]) => HttpAnswer;
}

const UNAUTHORIZED: HttpAnswer = { status: 401, error: 'Unauthorized access' };
const OK: HttpAnswer = { status: 200 };

// --- May and November 2025 ------------------------------------------------------------------------------------------

const GOOD_AUTH = /^(good-|lowercase-bearer|double-space|body-.*good-header)/;

/** Deliberate; docs/decisions/0003-rest-differences.md says more. */
export const DIFFERENCES_2025: readonly HttpDifference[] = [
  {
    rows: 14,
    reason: '/miner-copying is a route here; a good key gets the file',
    is: ({ path, auth = '', contract }) =>
      path.startsWith('/miner-copying') && contract?.status === 404 && GOOD_AUTH.test(auth),
    answer: () => OK,
  },
  {
    rows: 10,
    reason: '/miner-copying is a route here and needs a key',
    is: ({ path, auth = '', contract }) =>
      path.startsWith('/miner-copying') && contract?.status === 404 && !GOOD_AUTH.test(auth),
    answer: () => UNAUTHORIZED,
  },
  {
    rows: 10,
    reason: 'RFC 9110 allows several blanks between scheme and key: the same answer as with one',
    is: ({ auth }) => auth === 'double-space',
    answer: (row, all) => {
      const single = all.find((one) => one.auth === 'good-tier100' && one.path === row.path);
      return single?.contract ?? OK;
    },
  },
  {
    rows: 2,
    reason: 'a tier between two gives the access of the lower one, also for one miner',
    is: ({ path, auth }) => auth === 'good-tier75' && path.startsWith('/miner-positions/'),
    answer: ({ path }) =>
      path.includes('Unknown')
        ? { status: 404, error: `Miner ID ${path.split('/')[2] ?? ''} not found` }
        : OK,
  },
];

// --- December 2025 --------------------------------------------------------------------------------------------------

const KEY = /^bearer +key-(?:tier-\d+|legacy) ?$/i;

/** Whether the row has a key that counts here. */
function hasKey({ headers, body = '' }: HttpRow): boolean {
  return KEY.test(headers['Authorization'] ?? '') || body.includes('"api_key"');
}

/** Deliberate; docs/decisions/0024-todays-validators.md says more. */
export const DIFFERENCES_VANTA: readonly HttpDifference[] = [
  {
    rows: 6,
    reason: 'orders that wait are shown to keys of tier 100 alone',
    is: ({ path, headers }) =>
      path.startsWith('/limit-orders/') && /key-tier-(?:0|30|50)$/.test(headers['Authorization'] ?? ''),
    answer: () => ({ status: 403, error: 'Your API key does not have access to tier 100 data' }),
  },
  {
    rows: 8,
    reason: 'a missing slash at the end is no reason to send a client on',
    is: (row) => row.seen['vanta']?.status === 308,
    answer: (row) => (hasKey(row) ? OK : UNAUTHORIZED),
  },
  {
    rows: 4,
    reason: '/miner-copying is a route here, and needs a key',
    is: ({ path }) => path === '/miner-copying',
    answer: (row) => (hasKey(row) ? { status: 404, error: 'Miner copying data not found' } : UNAUTHORIZED),
  },
  {
    rows: 2,
    reason: 'several blanks before the key, and a key in a JSON body, count as they did in 2025',
    is: (row) => row.group === 'auth' && hasKey(row) && row.seen['vanta']?.status === 401,
    answer: () => OK,
  },
  {
    rows: 23,
    reason: 'a wrong method is answered as HTTP says',
    is: ({ group, method }) => group === 'methods' && method !== 'HEAD',
    answer: () => ({ status: 405, error: 'Method not allowed' }),
  },
  {
    rows: 1,
    reason: 'a body above 256 KB is refused before it is passed on',
    is: ({ body = '' }) => body.startsWith('xxx'),
    answer: () => ({ status: 413, error: 'Request body is larger than 256 KB' }),
  },
];

/** Rows whose status and error are a contract, and whose text is answered otherwise or by another clock. */
export const OTHER_TEXTS_VANTA: readonly {
  readonly reason: string;
  readonly is: (row: HttpRow) => boolean;
}[] = [
  {
    reason: 'what is delayed depends on the clock: the vectors of tiers compare positions',
    is: ({ path }) => path.startsWith('/miner-positions'),
  },
  {
    reason: 'an unknown hotkey has no collateral; the Python server shows that of all miners',
    is: ({ path }) => path.startsWith('/collateral/?hotkey=5ZZZ'),
  },
  {
    reason: 'checkpoints are left out for false alone',
    is: ({ path }) => path === '/statistics?checkpoints=nonsense',
  },
];
