import type { MethodPolicy } from '../src/policy.ts';

/** Who may call what, a line for each method: the content of proto/access.txt. */
export function toAccessText(policies: Iterable<MethodPolicy>): string {
  const rows = [...policies].map(({ access, path, callers, sensitive }) => {
    const allowed = callers.length > 0 ? ` ← ${callers.join(', ')}` : '';
    return `${access.padEnd(8)}${path}${allowed}${sensitive ? ' (sensitive)' : ''}`;
  });
  return `${rows.sort().join('\n')}\n`;
}
