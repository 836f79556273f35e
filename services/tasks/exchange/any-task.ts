import fc from 'fast-check';
import { TaskPriority, TaskStatus } from '#client/tasks';

/* For tests: tasks of any kind. */

const { PENDING, IN_PROGRESS, COMPLETED, CANCELLED } = TaskStatus;

/** Also the links: a task keeps the name that it was given. */
const zones = [
  ...Intl.supportedValuesOf('timeZone'),
  'Europe/Kyiv',
  'Asia/Calcutta',
  'US/Eastern',
  'EST5EDT',
  'Etc/GMT+12',
  'GMT',
  'Antarctica/Troll',
];

/** What formats have a use for, what separates lines somewhere, and what needs four bytes. */
const special = [
  ...'+ @ @home +x due:2026-01-01 due: tz:UTC pri:A status:cancelled \\ \\@a \\\\due:x \\n " "" \' \'= =1+1 - ＝ , ; : %20 _'.split(
    ' ',
  ),
  ...'taskflow:00000000-0000-7000-8000-000000000001 BEGIN:VTODO \u2028 \u2029 \ufeff \ufffd 🙂 👩‍👩‍👧 𝔘 é e\u0301 ا \u202e'.split(
    ' ',
  ),
  ...['x ', '(A) ', '2026-01-01 ', ' ', '  ', '\u00a0', '\u3000', '\u0000', '\u0085', '\u000b', '\u000c'],
];
const breaks = ['\n', '\r\n', '\r', '\t', '\n\n', '\n '];
const piece = fc.oneof(
  fc.constantFrom(...special),
  fc.string({ unit: 'binary', maxLength: 5 }),
  fc.string({ unit: 'grapheme', maxLength: 5 }),
);
const text = (maxLength: number) => fc.array(piece, { maxLength }).map((pieces) => pieces.join(''));
const description = fc.oneof(
  fc.constant(''),
  fc.array(fc.oneof(piece, fc.constantFrom(...breaks)), { maxLength: 40 }).map((pieces) => pieces.join('')),
);

const day = fc
  .integer({ min: 0, max: 2_932_895 })
  .map((days) => new Date(days * 86_400_000).toISOString().slice(0, 10));
const due = fc.oneof(
  fc.constant(undefined),
  fc.integer({ min: 0, max: 253_402_300_799_999 }).map((time) => ({ time: new Date(time) })),
  fc.record({ date: day, zone: fc.constantFrom(...zones) }),
);

/** What CreateTask may be asked for; it refuses some. */
export const draft = fc.record({
  title: text(12),
  description,
  status: fc.constantFrom(PENDING, IN_PROGRESS, COMPLETED, CANCELLED),
  priority: fc.constantFrom(TaskPriority.LOW, TaskPriority.MEDIUM, TaskPriority.HIGH, TaskPriority.URGENT),
  labels: fc.array(text(3), { maxLength: 5 }),
  externalId: fc.oneof(
    fc.constant(''),
    text(4).map((id) => `ics:${id}`),
    fc.constant('taskflow:'),
  ),
  due,
});

export type TaskDraft = typeof draft extends fc.Arbitrary<infer T> ? T : never;
