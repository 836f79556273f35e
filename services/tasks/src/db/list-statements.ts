import { createHash } from 'node:crypto';
import type { Statement } from '#libs/db';

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

export interface Call {
  text: string;
  values: unknown[];
}

/** Prepared statements of a connection. Each takes up to 800 kB of the server's memory while the connection lasts. */
const maxPrepared = 50;
/** A statement that was asked this often gets a name. */
const askedBefore = 2;

/**
 * Names statements so that PostgreSQL prepares them, because planning takes longer than reading a page. Clients can cause
 * thousands of different statements, so only the first that are repeated get a name. The others are planned each time.
 */
export function createStatementNames(): (text: string) => Statement {
  const asked = new Map<string, number>();
  const named = new Map<string, Statement>();
  return (text) => {
    const known = named.get(text);
    if (known !== undefined) return known;
    const times = (asked.get(text) ?? 0) + 1;
    if (times <= askedBefore || named.size >= maxPrepared) {
      if (asked.size >= 20 * maxPrepared) asked.clear();
      asked.set(text, times);
      return { name: '', text };
    }
    const statement = { name: `list_${createHash('sha1').update(text).digest('base64url')}`, text };
    named.set(text, statement);
    asked.delete(text);
    return statement;
  };
}
