import { describe, expect, it } from '@jest/globals';
import { parseRequest, AppError } from '#libs/errors';
import { z } from 'zod';
import { fieldsOf } from '#libs/fields';

const task = fieldsOf('taskflow.tasks.v1.Task');

/** What a refusal says; undefined when the value is taken. */
function refusal(type: z.ZodType, value: unknown): string | undefined {
  try {
    parseRequest(z.object({ value: type }), { value });
  } catch (error) {
    if (error instanceof AppError) return error.details.violations?.[0]?.description;
    throw error;
  }
  return undefined;
}

describe('a field of the contract', () => {
  it('holds text of its length in characters, trimmed where the contract says so', () => {
    expect(task.text('title').parse(` ${'😀'.repeat(200)} `)).toBe('😀'.repeat(200));
    expect(refusal(task.text('title'), '😀'.repeat(201))).toBe('must have 1 to 200 characters');
    expect(refusal(task.text('title'), ' ')).toBe('must have 1 to 200 characters');
    expect(task.text('description').parse(' a\n')).toBe(' a\n');
    expect(refusal(task.text('title'), 'a\nb')).toBe('must not contain control characters');
  });

  it('holds a set of texts, whose repeats count once', () => {
    const labels = Array.from({ length: 20 }, (_, index) => `l${index}`);
    expect(task.texts('labels').parse(['b', 'a ', 'b'])).toEqual(['a', 'b']);
    expect(refusal(task.texts('labels'), [...labels, 'l0'])).toBeUndefined();
    expect(refusal(task.texts('labels'), [...labels, 'l20'])).toBe('must have at most 20 entries');
  });

  it('says only of a list that is too long how long it may be, whatever its entries are', () => {
    const ids = fieldsOf('taskflow.scheduler.v1.NotificationIds').uuids('notification_ids');
    expect(ids.safeParse(Array(500_000).fill('x')).error?.issues).toMatchObject([
      { path: [], message: 'must have 1 to 500 entries' },
    ]);
    expect(ids.safeParse(['x', 'y']).error?.issues).toMatchObject([{ path: [0] }, { path: [1] }]);
  });

  it('holds a number of its range; an unset one becomes the default', () => {
    const hour = fieldsOf('taskflow.users.v1.User').number('overdue_hour');
    expect([undefined, 0, 23].map((value) => hour.parse(value))).toEqual([9, 0, 23]);
    expect(refusal(hour, 24)).toBe('must be 0 to 23');
    const count = fieldsOf('taskflow.scheduler.v1.PreviewScheduleRequest').number('fire_time_count');
    expect([0, 1, 100].map((value) => count.parse(value))).toEqual([10, 1, 100]);
    expect(refusal(count, -1)).toBe('must be 1 to 100, or 0 for 10');
  });

  it('holds a span and a time up to their ends', () => {
    const ttl = fieldsOf('taskflow.auth.v1.CreatePersonalTokenRequest').span('ttl');
    expect(ttl.parse({ seconds: 60n, nanos: 0 })).toBe(60_000);
    expect(refusal(ttl, { seconds: 59n, nanos: 999_999_999 })).toBe('must be 1 minute to 366 days');
    const longest = { seconds: 31_622_400n, nanos: 0 };
    expect(ttl.parse(longest)).toBe(31_622_400_000);
    expect(refusal(ttl, { ...longest, nanos: 1 })).toBe('must be 1 minute to 366 days');
    const last = new Date('9999-12-31T23:59:59.999Z');
    expect(task.time('due_time').parse(last)).toEqual(last);
    expect(refusal(task.time('due_time'), new Date(last.getTime() + 1))).toBe(
      'must be a time between 1970-01-01 and 9999-12-31',
    );
  });

  it('is an error at the start when the contract does not have it, or another rule of it', () => {
    expect(() => task.text('headline')).toThrow('the contract has no field taskflow.tasks.v1.Task.headline');
    expect(() => task.text('due_time')).toThrow('no such limit of due_time');
    expect(() => task.optionalText('title')).toThrow('calls taskflow.tasks.v1.Task.title REQUIRED');
  });
});
