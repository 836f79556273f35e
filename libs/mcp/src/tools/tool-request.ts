import type { FieldViolation } from '#client/index';
import { maxViolations } from '../tool-failure.ts';
import { maskOf, type Shape } from './tool.ts';

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

function toEntries(entries: Shape, value: unknown, at: string): { value: unknown; violations: FieldViolation[] } {
  if (!Array.isArray(value)) return { value, violations: [] };
  const made = value.map((entry: unknown, index) =>
    isObject(entry) ? toRequest(entries, entry, `${at}[${index}].`) : { json: entry, violations: [] },
  );
  return { value: made.map(({ json }) => json), violations: made.flatMap(({ violations }) => violations) };
}

/** One more than are told, so that it is known that there are more. */
const mostViolations = maxViolations + 1;

const folded = (name: string): string => name.replaceAll(/[_-]/g, '').toLowerCase();

/** The argument that an agent meant which wrote its name in another way, or a part of it. */
function findMeant({ arguments: all }: Shape, name: string): string | undefined {
  const own = folded(name);
  const parts = all.filter((one) => folded(one.name).endsWith(own));
  const meant =
    all.find((one) => folded(one.name) === own) ??
    all.find(({ path }) => path.at(-1) === own) ??
    (parts.length === 1 ? parts[0] : undefined);
  return meant?.name;
}

function explainUnknown(shape: Shape, name: string): string {
  const meant = findMeant(shape, name);
  const takes = shape.arguments.map((one) => one.name).join(', ');
  const advice = meant === undefined ? `it takes ${takes === '' ? 'none' : takes}` : `did you mean ${meant}?`;
  return `is no argument of this tool; ${advice}`;
}

/** Puts each argument to its field. What is wrong with a value, the contract's reader and the service tell. */
export function toRequest(shape: Shape, given: Json, at = ''): ToolRequest {
  const json: Json = {};
  const violations: FieldViolation[] = [];
  const mask = new Set<string | undefined>();
  for (const [name, value] of Object.entries(given)) {
    const found = shape.arguments.find((one) => one.name === name);
    if (found === undefined) {
      if (violations.length < mostViolations)
        violations.push({ field: `${at}${name}`.slice(0, 200), description: explainUnknown(shape, name) });
      continue;
    }
    const made = found.entries === undefined ? { value, violations: [] } : toEntries(found.entries, value, name);
    violations.push(...made.violations);
    put(json, found.path, made.value);
    mask.add(maskOf(found, shape.masked));
  }
  mask.delete(undefined);
  for (const [path, value] of Object.entries(shape.fixed ?? {})) put(json, path.split('.'), value);
  if (mask.size > 0) json['updateMask'] = [...mask].join(',');
  return { json, violations };
}
