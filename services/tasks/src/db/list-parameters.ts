/** The values of a statement; each becomes $1, $2, … and never part of its text. */
export interface Parameters {
  readonly values: unknown[];
  /** Gives the parameter's name, with its type. */
  add(value: unknown, type: string): string;
}

export function createParameters(): Parameters {
  const values: unknown[] = [];
  return { values, add: (value, type) => `$${values.push(value)}::${type}` };
}
