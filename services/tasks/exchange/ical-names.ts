import { createHash } from 'node:crypto';

/** The zone of a day, which iCalendar has no place for: a parameter of DUE. */
export const zoneParameter = 'x-taskflow-zone';

const prefix = 'ics:';
const maxExternalId = 128;

/** As the service takes it: a UID may be longer, or hold anything. */
export function externalIdOfUid(uid: string): string {
  const plain = `${prefix}${uid}`;
  if ([...plain].length <= maxExternalId && !/[\u0000-\u001f\u007f-\u009f]/.test(plain)) return plain;
  return `${prefix}sha256-${createHash('sha256').update(uid).digest('hex').slice(0, 40)}`;
}

/** The UID that a task was imported with, or one of its own for ever. */
export function uidOf({ id, externalId }: { id: string; externalId: string }): string {
  return externalId.startsWith(prefix) ? externalId.slice(prefix.length) : id;
}
