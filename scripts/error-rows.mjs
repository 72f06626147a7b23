/** The status or code that a column of docs/errors.md holds, by the column's heading. */
const CODES = {
  status: ({ httpStatus }) => String(httpStatus),
  'close code': ({ closeCode, httpStatus }) =>
    String(closeCode ?? (httpStatus === undefined ? 'none' : `none (HTTP ${httpStatus})`)),
  'exit code': ({ exitCode }) => String(exitCode),
};

/** Whether a text is that of an error, where `…` stands for what is filled in or left out. */
function isTextOf(shown, text) {
  // What is filled in is all of it: the page says in brackets what that is.
  if (/^\{\w+\}$/.test(text)) return /^\(.+\)$/.test(shown);
  const parts = shown.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return /\w{3}/.test(shown) && new RegExp(`^${parts.join('.+')}$`).test(text);
}

/** What differs between the tables of docs/errors.md and the table of errors: a line for each. */
export function errorRowProblems(page, errors) {
  const problems = [];
  const shown = new Set();
  let heading = '';
  for (const line of page.split('\n')) {
    const [first = '', code = '', text = ''] = line
      .split('|')
      .slice(1)
      .map((cell) => cell.trim());
    if (first === 'code') heading = code;
    const name = /^`(PTN_ERR_\w+)`/.exec(first)?.[1];
    if (name === undefined) continue;
    if (shown.has(name)) problems.push(`${name} has two rows`);
    shown.add(name);
    const error = errors[name];
    if (error === undefined) {
      problems.push(`${name} is no error of the table`);
      continue;
    }
    const expected = CODES[heading]?.(error);
    if (code !== expected) problems.push(`${name}: the ${heading} is ${expected}, not ${code}`);
    if (!isTextOf(text, error.text)) problems.push(`${name}: the text is "${error.text}", not "${text}"`);
  }
  for (const name of Object.keys(errors)) if (!shown.has(name)) problems.push(`${name} has no row`);
  return problems;
}
