import { z } from 'zod';
import type { FieldRule } from '#libs/contract';

/** More than anybody reads. */
const maxFaults = 100;

type Issue = z.core.$ZodIssue;
type Context = z.RefinementCtx<unknown[]>;

/** Reads entries until one too many has been found: a request may hold half a million, and each costs microseconds. */
class Reading<T> {
  readonly values: T[] = [];
  #faults = 0;
  readonly #type: z.ZodType<T, T>;
  readonly #context: Context;

  constructor(type: z.ZodType<T, T>, context: Context) {
    this.#type = type;
    this.#context = context;
  }

  get isFaulty(): boolean {
    return this.#faults > 0;
  }

  get isFull(): boolean {
    return this.#faults >= maxFaults;
  }

  read(entry: unknown, index: number): void {
    const result = this.#type.safeParse(entry);
    if (result.success) this.values.push(result.data);
    else for (const issue of result.error.issues) this.#report(issue, index);
  }

  #report({ message, path }: Issue, index: number): void {
    this.#faults += 1;
    this.#context.addIssue({ code: 'custom', message, path: [index, ...path] });
  }
}

/** A list of a declared length: nothing is said of the entries of one that is too long. */
function toKept<T>(type: z.ZodType<T, T>, { minItems, maxItems = Infinity }: FieldRule, error: string) {
  return (all: unknown[], context: Context): T[] => {
    const reading = new Reading(type, context);
    if (all.length > maxItems || all.length < minItems) context.addIssue(error);
    else all.forEach((entry, index) => reading.read(entry, index));
    return reading.values;
  };
}

/** A set of a declared size, sorted. Repeats count once, however they are spelt. */
function toSet<T>(type: z.ZodType<T, T>, { minItems, maxItems = Infinity }: FieldRule, error: string) {
  return (all: unknown[], context: Context): T[] => {
    const reading = new Reading(type, context);
    const seen = new Set<unknown>();
    const found = new Set<T>();
    for (const [index, entry] of all.entries()) {
      if (seen.has(entry)) continue;
      seen.add(entry);
      reading.read(entry, index);
      for (const value of reading.values.splice(0)) found.add(value);
      if (reading.isFull || found.size > maxItems) break;
    }
    if (!reading.isFaulty && (found.size > maxItems || found.size < minItems)) context.addIssue(error);
    return [...found].sort();
  };
}

/** The schema of a list, by what the contract declares of its length and its repeats. */
export function toList<T>(type: z.ZodType<T, T>, rule: FieldRule, error: string): z.ZodType<T[], T[]> {
  const read = (rule.repeats === 'once' ? toSet : toKept)(type, rule, error);
  return z.array(z.unknown()).transform(read) as unknown as z.ZodType<T[], T[]>;
}
