const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]/g;

/**
 * The member names of an object's JSON text as they stand, with repetitions. `JSON.parse` alone does not show them: it moves
 * names that look like array indices to the front and drops all but the last of several equal ones.
 *
 * @param text JSON that `JSON.parse` accepts and that is an object.
 */
export function memberNames(text: string): string[] {
  const names: string[] = [];
  let depth = 0;
  let expectsName = false;
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') {
      depth += 1;
      expectsName = true;
    } else if (token === '}' || token === ']') {
      depth -= 1;
    } else if (token === ',') {
      expectsName = true;
    } else if (token === ':') {
      expectsName = false;
    } else if (expectsName && depth === 1) {
      names.push(JSON.parse(token) as string);
    }
  }
  return names;
}
