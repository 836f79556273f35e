import { expect, it } from '@jest/globals';
import { AppError, invalidFields, toAppError } from './app-error.ts';
import { errorTable, kindOfCode } from './error-table.ts';
import { reasons } from './reasons.ts';

it('hides whatever is not an AppError behind INTERNAL and keeps it as the cause', () => {
  const cause = new TypeError('select * from accounts');
  const error = toAppError(cause);
  expect({ kind: error.kind, reason: error.reason, message: error.message }).toEqual({
    kind: 'internal',
    reason: 'INTERNAL',
    message: 'internal error',
  });
  expect(error.cause).toBe(cause);
});

it('leaves an AppError as it is', () => {
  const error = new AppError('not_found', 'TASK_NOT_FOUND', 'no such task');
  expect(toAppError(error)).toBe(error);
});

it('names every violated field once in the message', () => {
  const error = invalidFields([
    { field: 'task.title', description: 'too long' },
    { field: 'task.title', description: 'control characters' },
    { field: 'task.labels', description: 'too many' },
  ]);
  expect(error.message).toBe('invalid: task.title, task.labels');
  expect(error.details.violations).toHaveLength(3);
});

it('names ten of very many fields, none of them at length', () => {
  const violations = Array.from({ length: 5000 }, (_, index) => ({
    field: `labels[${index}]`,
    description: 'too long',
  }));
  const { message } = invalidFields([{ field: 'a'.repeat(9000), description: 'is no field' }, ...violations]);
  expect(message).toMatch(/^invalid: a{200}, labels\[0\], .*, labels\[8\] and 4991 others$/);
});

it('does not count the fields that nobody has looked at', () => {
  const violations = Array.from({ length: 12 }, (_, index) => ({ field: `m${index}`, description: 'is no field' }));
  const { message, details } = invalidFields(violations, { hasMore: true });
  expect(message).toMatch(/, m9 and others$/);
  expect(details.hasMoreViolations).toBe(true);
});

it('gives every kind its own code and finds the kind again by it', () => {
  for (const [kind, rule] of Object.entries(errorTable)) expect(kindOfCode(rule.code)).toBe(kind);
});

it('knows the code of every reason', () => {
  const codes = new Set(Object.keys(errorTable).map((kind) => kind.toUpperCase()));
  for (const [reason, { code }] of Object.entries(reasons)) expect([reason, codes.has(code)]).toEqual([reason, true]);
});
