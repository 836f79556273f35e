import type { FieldViolation } from '#client/index';
import type { Argument, Shape } from './tool.ts';

type Json = Record<string, unknown>;

/** The request that arguments make, and which of them the tool does not have. */
export interface ToolRequest {
  json: Json;
  violations: FieldViolation[];
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function put(json: Json, [name = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    json[name] = value;
    return;
  }
  const inner = isObject(json[name]) ? json[name] : {};
  json[name] = inner;
  put(inner, rest, value);
}

/** They name the resource and its version, and are no part of what changes. */
const naming = ['id', 'etag'];

/** An assignee who is named by e-mail changes the id. */
const masksOf = ({ path: [first = '', second] }: Argument, masked: string): string[] => {
  if (first === 'assigneeEmail') return ['assigneeId'];
  return first === masked && second !== undefined && !naming.includes(second) ? [second] : [];
};

function toEntries(entries: Shape, value: unknown, at: string): { value: unknown; violations: FieldViolation[] } {
  if (!Array.isArray(value)) return { value, violations: [] };
  const made = value.map((entry: unknown, index) =>
    isObject(entry) ? toRequest(entries, entry, `${at}[${index}].`) : { json: entry, violations: [] },
  );
  return { value: made.map(({ json }) => json), violations: made.flatMap(({ violations }) => violations) };
}

/** Puts each argument to its field. What is wrong with a value, the contract's reader and the service tell. */
export function toRequest(shape: Shape, given: Json, at = ''): ToolRequest {
  const json: Json = {};
  const violations: FieldViolation[] = [];
  const mask = new Set<string>();
  for (const [name, value] of Object.entries(given)) {
    const found = shape.arguments.find((one) => one.name === name);
    if (found === undefined) {
      violations.push({ field: `${at}${name}`.slice(0, 200), description: 'is no argument of this tool' });
      continue;
    }
    const made = found.entries === undefined ? { value, violations: [] } : toEntries(found.entries, value, name);
    violations.push(...made.violations);
    put(json, found.path, made.value);
    if (shape.masked !== undefined) for (const one of masksOf(found, shape.masked)) mask.add(one);
  }
  for (const [path, value] of Object.entries(shape.fixed ?? {})) put(json, path.split('.'), value);
  if (mask.size > 0) json['updateMask'] = [...mask].join(',');
  return { json, violations };
}

const toCamel = (path: string): string => path.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** `requests[3]` is `requests` and `[3]`. */
const plain = (part: string): string => part.replace(/\[\d+\]$/, '');
const indexOf = (part: string): string => part.slice(plain(part).length);

/** The argument that a field of the request is to the agent: `task.due_day.time_zone` is `dueDay.timeZone`. */
export function toArgumentPath(shape: Shape, field: string): string {
  const parts = toCamel(field).split('.');
  const found = shape.arguments.find(({ path }) => path.every((name, index) => plain(parts[index] ?? '') === name));
  if (found === undefined) return parts.join('.');
  const rest = parts.slice(found.path.length);
  const inner =
    found.entries === undefined || rest.length === 0 ? rest : [toArgumentPath(found.entries, rest.join('.'))];
  return [`${found.name}${indexOf(parts[found.path.length - 1] ?? '')}`, ...inner].join('.');
}
