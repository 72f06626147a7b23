import { readFileSync } from 'node:fs';
import t from 'tap';
import { ERRORS, errorText } from '../dist/index.js';

type Problems = (page: string, errors: Readonly<Record<string, object>>) => string[];

const root = new URL('../../../', import.meta.url);
const page = readFileSync(new URL('docs/errors.md', root), 'utf8');
const { errorRowProblems } = (await import(new URL('scripts/error-rows.mjs', root).href)) as {
  errorRowProblems: Problems;
};

void t.test('docs/errors.md is the table of errors', (t) => {
  t.same(errorRowProblems(page, ERRORS), []);
  t.end();
});

const DIFFERENCES: readonly (readonly [what: string, from: string | RegExp, to: string, problem: RegExp])[] =
  [
    ['another status', /401 ( *\| Unauthorized)/, '403 $1', /UNAUTHORIZED: the status is 401, not 403/],
    ['another close code', '| 4008 ', '| 4009 ', /TOO_SLOW: the close code is 4008, not 4009/],
    ['no close code', '| 1009 ', '| none ', /TOO_LARGE: the close code is 1009, not none/],
    [
      'another status of a stream',
      '(HTTP 426)',
      '(HTTP 400)',
      /WS_UPGRADE: the close code is none \(HTTP 426\)/,
    ],
    ['another exit code', '| 9 ', '| 8 ', /LOG_FILE: the exit code is 9, not 8/],
    ['another text', 'Data not found', 'Data not here', /POSITIONS_NOT_FOUND: the text is "Data not found"/],
    ['a text that is cut', 'Bad request ', 'Bad ', /BAD_REQUEST: the text is/],
    ['a text that is all left out', /Bad request +/, '… ', /BAD_REQUEST: the text is/],
    ['an error without a row', /^.*`PTN_ERR_FAULT`.*\n/m, '', /^PTN_ERR_FAULT has no row$/],
    [
      'a row without an error',
      '`PTN_ERR_FAULT`',
      '`PTN_ERR_FALSE`',
      /^PTN_ERR_FALSE is no error of the table$/,
    ],
    ['a row that is there twice', /^(.*`PTN_ERR_FAULT`.*\n)/m, '$1$1', /^PTN_ERR_FAULT has two rows$/],
  ];
for (const [what, from, to, problem] of DIFFERENCES) {
  void t.test(`${what} in docs/errors.md is noticed`, (t) => {
    const problems = errorRowProblems(page.replace(from, to), ERRORS);
    t.match(problems[0], problem);
    t.end();
  });
}

void t.test('an error says what happened, and how it is answered', (t) => {
  for (const [code, error] of Object.entries(ERRORS)) {
    t.match(code, /^PTN_ERR_[A-Z]+(_[A-Z]+)*$/);
    t.match(error.text, /^(\{\w+\}|[A-Z])/, code);
  }
  t.end();
});

void t.test('a text is filled in as far as there are values', (t) => {
  const { text } = ERRORS.PTN_ERR_POSITIONS_GENERATION_GONE;
  t.equal(
    errorText('PTN_ERR_POSITIONS_GENERATION_GONE', { since: 7, tier: '30' }),
    text.replace('{since}', '7').replace('{tier}', '30'),
  );
  t.equal(errorText('PTN_ERR_POSITIONS_GENERATION_GONE'), text, 'a missing value is seen');
  t.equal(errorText('PTN_ERR_MINER_NOT_FOUND', { hotkey: '{hotkey} $&' }), 'Miner ID {hotkey} $& not found');
  t.equal(errorText('PTN_ERR_MINER_NOT_FOUND', {}), 'Miner ID {hotkey} not found');
  const inherited = Object.create({ hotkey: 'x' }) as Record<string, string>;
  t.equal(errorText('PTN_ERR_MINER_NOT_FOUND', inherited), 'Miner ID {hotkey} not found');
  t.end();
});
