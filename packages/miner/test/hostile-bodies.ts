import { deflateSync, gzipSync } from 'node:zlib';
import {
  BAD_REQUEST,
  FAULT,
  KEY,
  NO_JSON,
  NO_KEY,
  OK,
  TOO_LARGE,
  UNKNOWN_PAIR,
  error,
  misformed,
  request,
  signal,
  unstored,
} from './hostile-row.ts';
import type { HostileRow } from './hostile-row.ts';

const nested = (depth: number, open: string, close: string): string =>
  open.repeat(depth) + close.repeat(depth);

const BODIES: readonly HostileRow[] = [
  ['nothing', request(''), BAD_REQUEST],
  ['an open brace', request('{'), BAD_REQUEST],
  ['half a signal', request(signal({}).slice(0, 40)), BAD_REQUEST],
  ['a signal and more', request(`${signal({})}x`), BAD_REQUEST],
  ['two signals', request(signal({}) + signal({})), BAD_REQUEST],
  ['a trailing comma', request(`${signal({}).slice(0, -1)},}`), BAD_REQUEST],
  ['a comment', request(`/* */${signal({})}`), BAD_REQUEST],
  ['Python quotes', request(signal({}).replaceAll('"', "'")), BAD_REQUEST],
  ['a line end in a text', request(signal({ x: 'y' }).replace('"y"', '"\n"')), BAD_REQUEST],
  ['bytes that are no UTF-8', request(Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])), BAD_REQUEST],
  ['UTF-16', request(Buffer.from(signal({}), 'utf16le')), BAD_REQUEST],
  ['zeros', request(Buffer.alloc(1000)), BAD_REQUEST],
  ['null', request('null'), FAULT],
  ['NaN', request('NaN'), FAULT],
  ['a number', request('1'), FAULT],
  ['an empty list', request('[]'), NO_KEY],
  ['an empty object', request('{}'), NO_KEY],
  ['lists in lists', request(nested(30_000, '[', ']')), BAD_REQUEST],
  ['open lists', request('['.repeat(60_000)), BAD_REQUEST],
  ['objects in objects', request(nested(10_000, '{"a":', '}')), BAD_REQUEST],
  [
    '501 lists below a member',
    request(signal({}).replace('{', `{"x":${nested(501, '[', ']')},`)),
    BAD_REQUEST,
  ],
  ['200 lists below a member', request(signal({}).replace('{', `{"x":${nested(200, '[', ']')},`)), OK],
  ['255 KB of lists', request(nested(127_500, '[', ']')), TOO_LARGE],
  ['255 KB of objects', request(nested(40_000, '{"a":', '}').padEnd(261_120)), TOO_LARGE],
  ['one byte too many', request(signal({}).padEnd(65_537)), TOO_LARGE],
  ['as many bytes as may be', request(signal({}).padEnd(65_536)), OK],
  ['a signal behind a mark of UTF-8', request(`\ufeff${signal({})}`), OK],
  ['gzip', request(gzipSync(signal({})), { headers: ['content-encoding: gzip'] }), BAD_REQUEST],
  ['gzip that is not said', request(gzipSync(signal({}))), BAD_REQUEST],
  [
    'gzip of 20 MB',
    request(gzipSync(Buffer.alloc(20_000_000)), { headers: ['content-encoding: gzip'] }),
    BAD_REQUEST,
  ],
  ['deflate', request(deflateSync(signal({})), { headers: ['content-encoding: deflate'] }), BAD_REQUEST],
];

const CONTENT_TYPES: readonly HostileRow[] = [
  ['', NO_JSON],
  ['text/plain', NO_JSON],
  ['text/json', NO_JSON],
  ['application/jsonp', NO_JSON],
  ['application/javascript', NO_JSON],
  ['application/x-json', NO_JSON],
  ['application/json/x', NO_JSON],
  ['application/json, text/plain', NO_JSON],
  ['application', NO_JSON],
  ['/', NO_JSON],
  [';', NO_JSON],
  ['*/*', NO_JSON],
  ['json', NO_JSON],
  ['application/+json', OK],
  ['APPLICATION/JSON', OK],
  ['application/json; charset=utf-16', OK],
  ['application/vnd.miner+json;x="', OK],
].map(([type, answer]) => [
  `content type ${JSON.stringify(type)}`,
  request(signal({}), { type: type === '' ? '' : `content-type: ${type as string}` }),
  answer as typeof OK,
]);

const VALUES: readonly HostileRow[] = [
  ['a path as pair', request(signal({ trade_pair: '../../etc/passwd' })), UNKNOWN_PAIR],
  ['__proto__ as pair', request(signal({ trade_pair: '__proto__' })), UNKNOWN_PAIR],
  ['constructor as pair', request(signal({ trade_pair: 'constructor' })), UNKNOWN_PAIR],
  ['markup as pair', request(signal({ trade_pair: '<script>alert(1)</script>' })), UNKNOWN_PAIR],
  ['a pair of later validators', request(signal({ trade_pair: 'TAOUSD' })), UNKNOWN_PAIR],
  [
    'a list as pair',
    request(signal({ trade_pair: ['BTCUSD'] })),
    unstored('trade_pair must be a string or a dict'),
  ],
  ['null as pair', request(signal({ trade_pair: null })), unstored('trade_pair must be a string or a dict')],
  [
    'a list as id of the pair',
    request(signal({ trade_pair: { trade_pair_id: [] } })),
    unstored("unhashable type: 'list'"),
  ],
  [
    '__proto__ as type',
    request(signal({ order_type: '__proto__' })),
    misformed("No matching order type found for value '__PROTO__'. Please check the input and try again."),
  ],
  [
    'markup as type',
    request(signal({ order_type: '<b>' })),
    misformed("No matching order type found for value '<B>'. Please check the input and try again."),
  ],
  [
    'a list as type',
    request(signal({ order_type: ['LONG'] })),
    unstored("'list' object has no attribute 'upper'"),
  ],
  [
    'a type and a blank',
    request(signal({ order_type: 'LONG ' })),
    misformed("No matching order type found for value 'LONG '. Please check the input and try again."),
  ],
  [
    'null as leverage',
    request(signal({ leverage: null })),
    unstored("float() argument must be a string or a real number, not 'NoneType'"),
  ],
  [
    'an object as leverage',
    request(signal({ leverage: { $gt: 0 } })),
    unstored("float() argument must be a string or a real number, not 'dict'"),
  ],
  [
    'hexadecimal leverage',
    request(signal({ leverage: '0x10' })),
    misformed("could not convert string to float: '0x10'"),
  ],
  [
    'leverage with a comma',
    request(signal({ leverage: '0,1' })),
    misformed("could not convert string to float: '0,1'"),
  ],
  [
    'the key as leverage',
    request(signal({ leverage: 'nothing of it' })),
    misformed("could not convert string to float: 'nothing of it'"),
  ],
  [
    'leverage of 400 digits',
    request(signal({}).replace('0.1', '9'.repeat(400))),
    unstored('int too large to convert to float'),
  ],
  ...['1e999', 'nan', '-inf', '500.1', '0.0009', '0', '-0.0'].map((leverage): HostileRow => [
    `leverage ${leverage}`,
    request(signal({ leverage })),
    [
      400,
      /^{"error":"improperly formatted signal received\. 1 validation error for Signal\\n {2}Value error, Order leverage must be between 0\.001 and 500, provided - lev \[/,
    ],
  ]),
  ['negative LONG', request(signal({ leverage: -1 })), [400, /Leverage must be positive for LONG orders\./]],
];

const vanta = (changes: object): string => signal({ execution_type: 'MARKET', ...changes });
const NO_NAME = misformed('order_uuid may hold letters, digits and dashes, at most 64.');

/** To a server of Vanta's generation: what names a file. */
export const VANTA_ROWS: readonly HostileRow[] = [
  ...[
    '../x',
    '/etc/passwd',
    '..',
    '.',
    'a/b',
    'a\\b',
    'a\0b',
    'a b',
    'é',
    '.hidden',
    'x'.repeat(65),
    '%2e%2e',
  ].map((uuid): HostileRow => [
    `order_uuid ${JSON.stringify(uuid).slice(0, 40)}`,
    request(vanta({ order_uuid: uuid })),
    NO_NAME,
  ]),
  [
    'order_uuid 1',
    request(vanta({ order_uuid: 1 })),
    unstored("join() argument must be str, bytes, or os.PathLike object, not 'int'"),
  ],
  ['null', request('null'), error(400, 'Invalid message')],
  ['pair __proto__', request(vanta({ trade_pair: '__proto__' })), error(401, 'Invalid trade pair')],
  ['a key in order_uuid', request(vanta({ order_uuid: KEY.repeat(3) })), NO_NAME],
];

export const BODY_ROWS = [...BODIES, ...CONTENT_TYPES, ...VALUES];
