import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, extname, join, sep } from 'node:path';

/** A file of a built page, kept in memory, so that no path of a request is ever looked up in the file system. */
export interface PageFile {
  readonly type: string;
  readonly content: Buffer;
  /** Its name changes with its content, and its headers with nothing. */
  readonly isImmutable: boolean;
}

export const PAGE = 'index.html';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.md': 'text/plain; charset=utf-8',
};

/** The files of a page by their paths below its folder; none where it is not built. Files of other types are left out. */
export function readBuiltPage(folder: string): ReadonlyMap<string, PageFile> {
  if (!existsSync(join(folder, PAGE))) return new Map();
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return new Map(
    names.flatMap((name) => {
      const type = TYPES[extname(name)];
      return type === undefined ? [] : [[name.replaceAll(sep, '/'), readPageFile(join(folder, name), type)]];
    }),
  );
}

function readPageFile(path: string, type: string): PageFile {
  // With a worker's script its policy would be kept too, and with that the port of the stream.
  const isImmutable = dirname(path).endsWith(`${sep}assets`) && !basename(path).startsWith('worker');
  return { type, content: readFileSync(path), isImmutable };
}

/**
 * What every file of a page is sent with.
 *
 * @param connectTo origins that it may ask besides its own.
 */
export function pageHeaders(connectTo: readonly string[] = []): Record<string, string> {
  return {
    'Content-Security-Policy': [
      "default-src 'self'",
      ["connect-src 'self'", ...connectTo].join(' '),
      "object-src 'none'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
    'X-Frame-Options': 'DENY',
  };
}
