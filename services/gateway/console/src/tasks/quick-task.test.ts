import { describe, expect, it } from '@jest/globals';
import { TaskPriority } from '#client/tasks';
import { parseDue, parseQuickTask } from './quick-task.ts';

/** A Monday. */
const today = '2026-11-30';

describe('quick add', () => {
  it('takes priority, labels, person and due day out of the title', () => {
    expect(parseQuickTask('Write the notes !high #docs #release @ada@example.com due:fri', today)).toEqual({
      title: 'Write the notes',
      priority: TaskPriority.HIGH,
      labels: ['docs', 'release'],
      person: 'ada@example.com',
      dueDay: '2026-12-04',
    });
  });

  it('leaves in the title what means nothing', () => {
    expect(parseQuickTask('Ask #  why !important due:whenever 50% @ 9', today)).toEqual({
      title: 'Ask # why !important due:whenever 50% @ 9',
      labels: [],
    });
  });

  it('names a label once', () => {
    expect(parseQuickTask('a #x #x', today).labels).toEqual(['x']);
  });
});

describe('a due date', () => {
  it.each([
    ['today', '2026-11-30', undefined],
    ['tomorrow', '2026-12-01', undefined],
    ['mon', '2026-12-07', undefined],
    ['sunday', '2026-12-06', undefined],
    ['+3d', '2026-12-03', undefined],
    ['week', '2026-12-07', undefined],
    ['2027-02-28', '2027-02-28', undefined],
    ['fri@17:00', '2026-12-04', '17:00'],
    ['tom@9', '2026-12-01', '09:00'],
  ])('%s', (text, dueDay, dueTime) => {
    expect(parseDue(text, today)).toEqual({ dueDay, ...(dueTime !== undefined && { dueTime }) });
  });

  it.each(['2027-02-30', 'fri@25:00', 'fri@', 'x', ''])('is not %j', (text) => {
    expect(parseDue(text, today)).toBeUndefined();
  });
});
