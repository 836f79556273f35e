import type { MethodPolicy } from '../src/policy.ts';

/**
 * Who may call what, a line for each method: the content of proto/access.txt. In brackets the scope that a personal
 * token needs, or "session" when no token may call it; none may call a sensitive one.
 */
export function toAccessText(policies: Iterable<MethodPolicy>): string {
  const rows = [...policies].map(({ access, path, callers, sensitive, scope }) => {
    const allowed = callers.length > 0 ? ` ← ${callers.join(', ')}` : '';
    const isForPeople = access === 'user' || access === 'admin';
    const token = isForPeople && !sensitive ? ` [${scope ?? 'session'}]` : '';
    return `${access.padEnd(8)}${path}${allowed}${token}${sensitive ? ' (sensitive)' : ''}`;
  });
  return `${rows.sort().join('\n')}\n`;
}
