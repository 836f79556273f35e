import { createHash } from 'node:crypto';
import type { Statement } from '#libs/db';

/** How many statements may be prepared, in every connection: each takes up to 800 kB of the server's memory as long as the connection lasts. */
const maxPrepared = 50;
/** What is asked once is not asked often. */
const askedBefore = 2;

/**
 * Names statements so that they are prepared: planning takes longer than reading a page. A client can ask for thousands of
 * different ones, so only the first that are asked repeatedly get a name, and the others are planned each time.
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
