/** Prints one figure as a row: what was measured, the goal, the figure. */
export function row(what, goal, figure) {
  process.stdout.write(`| ${what} | ${goal} | ${figure} |\n`);
}
