import { describe, expect, it } from '@jest/globals';
import { fileRegistry } from '#libs/contract';
import type { AppError } from '#libs/errors';
import { encodeFromJson } from '../src/index.ts';

/** Code, reason, the fields with what is wrong, and whether there are more, of a request for CreateTask. */
function refusalOf(text: string, type = 'taskflow.tasks.v1.CreateTaskRequest') {
  const message = fileRegistry.getMessage(type);
  if (message === undefined) throw new Error(`the contract has no ${type}`);
  try {
    encodeFromJson(message, Buffer.from(text));
  } catch (error) {
    const { reason, details } = error as AppError;
    const { violations = [], hasMoreViolations } = details;
    return { reason, hasMore: hasMoreViolations === true, told: violations.length, first: violations[0] };
  }
  throw new Error('the request should have been refused');
}

const list = (entry: string, count: number): string => `[${Array(count).fill(entry).join()}]`;
const members = (count: number): string => Array.from({ length: count }, (_, index) => `"m${index}":1`).join();

const tooMany = 'reading stopped here: the JSON has too many values';

describe('JSON with more values than any request needs', () => {
  it.each([
    ['entries', `{"task":{"labels":${list('5', 1_500_000)}}}`, 'task.labels'],
    ['numbers that JSON.parse rounds', `{"task":{"labels":${list('1e5', 900_000)}}}`, 'task.labels'],
    ['empty objects', `{"x":${list('{}', 1_000_000)}}`, 'x'],
    ['lists in lists', `{"x":${list(list('5', 999), 900)}}`, 'x[49]'],
    ['members', `{"task":{${members(200_000)}}}`, 'task'],
    ['no end', `{"x":[${'[],'.repeat(100_000)}`, 'x'],
  ])('is read no further, with the place: %s', (_what, text, field) => {
    expect(refusalOf(text)).toEqual({
      reason: 'INVALID_FIELD',
      hasMore: false,
      told: 1,
      first: { field, description: tooMany },
    });
  });

  it('is MALFORMED_REQUEST where the request itself has them', () => {
    expect(refusalOf(`{${members(200_000)}}`)).toMatchObject({ reason: 'MALFORMED_REQUEST', told: 0 });
  });

  it('is a list that the contract does not allow, as gRPC says it of the same list', () => {
    expect(refusalOf(`{"task":{"labels":${list('5', 2001)}}}`)).toMatchObject({
      told: 1,
      first: { field: 'task.labels', description: 'must have at most 20 entries' },
    });
  });

  it('is not a batch as large as the contract allows', () => {
    const labels = JSON.stringify(Array.from({ length: 20 }, (_, index) => `label-${index}`));
    const task = `{"task":{"title":"a","description":"b","dueTime":"2030-01-01T00:00:00Z","labels":${labels}}}`;
    const message = fileRegistry.getMessage('taskflow.tasks.v1.BatchCreateTasksRequest');
    const text = `{"requests":${list(task, 500)}}`;
    expect(message && encodeFromJson(message, Buffer.from(text)).length).toBeGreaterThan(100_000);
  });
});

describe('faults', () => {
  it.each([
    ['unknown members', `{${members(1000)}}`],
    ['entries', `{"task":{"labels":${list('5', 1000)}}}`],
    ['repeated members', `{${Array(200).fill('"task":{}').join()}}`],
    ['faults of members', `{"task":{${members(60)}},"x":{},"requestId":5,${members(60)}}`],
  ])('beyond a hundred are not counted: %s', (_what, text) => {
    expect(refusalOf(text)).toMatchObject({ reason: 'INVALID_FIELD', told: 100, hasMore: true });
  });

  it('are all told when they are a hundred', () => {
    expect(refusalOf(`{${members(100)}}`)).toMatchObject({ told: 100, hasMore: false });
  });

  it.each([
    ['a text with as many quotes as fit', `{"x":"${'\\"'.repeat(1_000_000)}"}`, 'x'],
    ['a text with as many backslashes as fit', `{"x":"${'\\\\'.repeat(1_000_000)}"}`, 'x'],
    ['an escaped name that is there twice', '{"\\u0078":1,"x":1}', 'x'],
    ['a mask of as many fields as fit', `{"updateMask":"${'a,'.repeat(1_000_000)}","x":1}`, 'update_mask'],
    ['a text that looks like members', '{"x":"{\\"a\\":1,\\"a\\":2}"}', 'x'],
  ])('are found behind %s', (_what, text, field) => {
    expect(refusalOf(text, 'taskflow.tasks.v1.UpdateTaskRequest').first).toMatchObject({ field });
  });
});
