import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { AppError, fieldTypes, parseRequest } from './index.ts';

const schema = z.object({
  displayName: fieldTypes.text({ min: 1, max: 5, visible: true }),
  userIds: z.array(fieldTypes.uuid()),
  task: z.object({ dueTime: z.date({ error: 'must be set' }) }).optional(),
  pageSize: fieldTypes.pageSize(),
});
const good = { displayName: ' Ada ', userIds: ['0198C0DE-0000-7000-8000-000000000001'], pageSize: 0 };

function violationsOf(request: unknown): unknown {
  try {
    parseRequest(schema, request);
  } catch (error) {
    if (error instanceof AppError) return error.details.violations;
    throw error;
  }
  return [];
}

describe('parseRequest', () => {
  it('trims text, lowers ids and fills in the page size', () => {
    expect(parseRequest(schema, good)).toEqual({
      displayName: 'Ada',
      userIds: ['0198c0de-0000-7000-8000-000000000001'],
      pageSize: 50,
    });
  });

  it('refuses a name of which nothing shows, once', () => {
    const rule = { field: 'display_name', description: 'must have a visible character' };
    expect(violationsOf({ ...good, displayName: '\u200b\u3164' })).toEqual([rule]);
    expect(violationsOf({ ...good, displayName: '' })).toHaveLength(1);
    expect(violationsOf({ ...good, displayName: '\u200bAda' })).toEqual([]);
  });

  it('names every violation at once, in the words of the contract', () => {
    expect(violationsOf({ displayName: ' ', userIds: ['x'], task: {}, pageSize: -1 })).toEqual([
      { field: 'display_name', description: 'must have 1 to 5 characters' },
      { field: 'user_ids[0]', description: 'must be a UUID' },
      { field: 'task.due_time', description: 'must be set' },
      { field: 'page_size', description: 'must not be negative' },
    ]);
  });

  it.each([
    ['NUL', 'a\u0000'],
    ['a control character', 'a\u0085'],
    ['half a surrogate pair', 'a\ud800'],
    ['a line break', 'a\nb'],
  ])('refuses text with %s', (_, displayName) => {
    expect(violationsOf({ ...good, displayName })).toEqual([
      { field: 'display_name', description: 'must not contain control characters' },
    ]);
  });

  it('counts characters, not UTF-16 units', () => {
    expect(violationsOf({ ...good, displayName: '😀😀😀😀😀' })).toEqual([]);
    expect(violationsOf({ ...good, displayName: '😀😀😀😀😀😀' })).toHaveLength(1);
  });
});
