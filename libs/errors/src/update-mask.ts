import { z } from 'zod';

/** The mask that names every field that may be changed (AIP-134). */
export const isWholeMask = (mask: readonly string[]): boolean => mask.length === 1 && mask[0] === '*';

/** Whether a mask is absent, `*` alone, or names only `changeable` fields, each once. */
export function isMaskOf(changeable: readonly string[], mask: readonly string[] = []): boolean {
  return isWholeMask(mask) || (mask.every((path) => changeable.includes(path)) && new Set(mask).size === mask.length);
}

/** What `isMaskOf` asks for. */
export const maskRule = (changeable: readonly string[]): string =>
  `must be absent, "*" alone, or name one or more of ${changeable.join(', ')}, each once, and nothing else`;

/** `maskRule`, and that a request without a mask must set something: it would be an update that changes nothing. */
export function updateMaskType(
  changeable: readonly string[],
  named: readonly string[],
): z.ZodType<string[], string[] | undefined> {
  const rule = maskRule(changeable);
  return z
    .array(z.string())
    .default([])
    .refine((mask) => isMaskOf(changeable, mask), rule)
    .refine((mask) => mask.length > 0 || named.length > 0, `${rule}, unless one of them is set`);
}

/**
 * The fields that an update changes (AIP-134): those that its mask names, with `*` all of them, without a mask those that are
 * set. Each stands there once; names that are not `changeable` are left out.
 */
export function changedFields<F extends string>(
  changeable: readonly F[],
  mask: readonly string[] = [],
  isSet: (field: F) => boolean,
): F[] {
  if (isWholeMask(mask)) return [...changeable];
  if (mask.length === 0) return changeable.filter(isSet);
  return [...new Set(mask)].filter((path): path is F => (changeable as readonly string[]).includes(path));
}

/**
 * The schema of an update that changes certain fields. Each is built once, since building one takes longer than using it.
 * Violations come in the order of `all`.
 */
export function schemaPerFields<F extends string, S>(all: readonly F[], build: (fields: F[]) => S) {
  const built = new Map<string, S>();
  return (fields: readonly F[]): S => {
    const ordered = all.filter((field) => fields.includes(field));
    const key = ordered.join();
    const schema = built.get(key) ?? build(ordered);
    built.set(key, schema);
    return schema;
  };
}
