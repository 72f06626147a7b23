/** The answer for each year, worked out once. */
export function byYear<T>(of: (year: number) => T): (year: number) => T {
  const years = new Map<number, T>();
  return (year) => {
    let value = years.get(year);
    if (value === undefined) years.set(year, (value = of(year)));
    return value;
  };
}
