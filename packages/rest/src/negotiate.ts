/** Of what clients send, the longest has some 60. What stands behind is not read. */
const MAX_LIST_CHARACTERS = 1024;

export type Encoding = 'gzip' | 'identity';

/** The weight an Accept-Encoding list gives to a coding by name; `undefined` where it does not name it. */
function weightOf(header: string, names: readonly string[]): number | undefined {
  let weight: number | undefined;
  for (const element of header.split(',')) {
    const [name = '', ...parameters] = element.split(';').map((part) => part.trim().toLowerCase());
    if (!names.includes(name)) continue;
    const quality = parameters.find((parameter) => parameter.startsWith('q='));
    const value = quality === undefined ? 1 : Number(quality.slice(2));
    // An ill-formed weight counts as none given.
    weight = Math.max(weight ?? 0, Number.isNaN(value) ? 1 : value);
  }
  return weight;
}

/**
 * How a body that is kept as gzip is sent. gzip whenever it is allowed, also if identity is preferred: that is what
 * is kept, and clients rely on it.
 *
 * @param header The Accept-Encoding header; `undefined` where the request has none.
 * @param withoutHeader What a request without the header gets.
 */
export function negotiate(header: string | undefined, withoutHeader: Encoding): Encoding {
  if (header === undefined) return withoutHeader;
  const list = header.slice(0, MAX_LIST_CHARACTERS);
  const any = weightOf(list, ['*']);
  const gzip = weightOf(list, ['gzip', 'x-gzip']) ?? any ?? 0;
  if (gzip > 0) return 'gzip';
  // A client that refuses both gets something rather than nothing: identity, unless it refused it by name.
  return weightOf(list, ['identity']) === 0 ? 'gzip' : 'identity';
}
