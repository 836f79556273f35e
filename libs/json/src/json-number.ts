import type { JsonPath } from './scan-json.ts';

/** A number as it stands in the JSON text, where JSON.parse would round it or hide how it was written. */
export class JsonNumber {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

const grammar = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** As many as the largest number of 64 bits has. */
const maxDigits = 20;

/** Nobody writes a whole number at such length, and looking for zeros in it would take time that grows as its square. */
const maxCharacters = 100;

/** Whether it is written as JSON writes numbers. */
export const isJsonNumber = (text: string): boolean => grammar.test(text);

/**
 * The exact value of a JSON number that is whole; undefined for others, for those that no 64 bits can hold, and for those
 * of more than a hundred characters.
 */
export function toWhole(text: string): bigint | undefined {
  if (text.length > maxCharacters) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = grammar.exec(text) ?? [];
  if (sign === undefined) return undefined;
  const all = `${whole}${fraction}`;
  const digits = all.replace(/^0+/, '').replace(/0+$/, '');
  if (digits === '') return 0n;
  const zeros = all.length - all.replace(/0+$/, '').length;
  const shift = Number(exponent) - fraction.length + zeros;
  if (shift < 0 || digits.length + shift > maxDigits) return undefined;
  return BigInt(`${sign}${digits}${'0'.repeat(shift)}`);
}

interface Source {
  source?: string;
}

/** For valid JSON. Numbers that are more than a few digits stay as they are written. */
export function parseWithNumbers(text: string): unknown {
  const keep = (_name: string, value: unknown, { source = '' }: Source): unknown =>
    typeof value === 'number' ? new JsonNumber(source) : value;
  return JSON.parse(text, keep as (name: string, value: unknown) => unknown);
}

/** Whether JSON.parse makes another number of it: one with other digits, or a whole one of one that is not. */
function isAltered(source: string): boolean {
  const value = Number(source);
  const whole = toWhole(source);
  if (whole === undefined) return Number.isInteger(value) || !Number.isFinite(value);
  return BigInt(value) !== whole;
}

const maxAltered = 101;

/** Where valid JSON has numbers that JSON.parse would alter; not all of them when they are many. */
export function findAlteredNumbers(text: string): JsonPath[] {
  const found: JsonPath[] = [];
  const look = (value: unknown, path: JsonPath): void => {
    if (found.length >= maxAltered) return;
    if (value instanceof JsonNumber) {
      if (isAltered(value.source)) found.push(path);
    } else if (Array.isArray(value)) value.forEach((one, index) => look(one, [...path, index]));
    else if (typeof value === 'object' && value !== null)
      for (const [name, one] of Object.entries(value)) look(one, [...path, name]);
  };
  look(parseWithNumbers(text), []);
  return found;
}
