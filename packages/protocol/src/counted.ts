/** `1 key`, `2 keys`: a count with what is counted, whose plural has an s. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
