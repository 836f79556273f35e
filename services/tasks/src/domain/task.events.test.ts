import { describe, expect, it } from '@jest/globals';
import { toTaskEvent } from './task.events.ts';

/**
 * As release 0.1 has encoded it: due version 3 of a task that is due on 2026-03-29 in Berlin, in the fields `due_time`
 * (the end of the day), `due_date` (18) and `due_zone` (19).
 */
const payloadOfFirstRelease = Buffer.from(
  'EoUBCiQwMTk4YzFhMi0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDESJDAxOThjMWEyLTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDAwMhoS' +
    'UmVuZXcgdGhlIHBhc3Nwb3J0OgYI4MGmzgaSAQoyMDI2LTAzLTI5mgENRXVyb3BlL0JlcmxpbhgD',
  'base64',
);

describe('an event that release 0.1 has stored', () => {
  it('says when the task is due; a day shows as its end', () => {
    const event = toTaskEvent({
      position: { incarnation: 0n, transactionId: 7n, eventId: 1n },
      streamId: '0198c1a2-0000-7000-8000-000000000002',
      sequence: 1n,
      type: 'TASK_EVENT_TYPE_CREATED',
      subjectId: '0198c1a2-0000-7000-8000-000000000001',
      subjectVersion: 1n,
      actor: '0198c1a2-0000-7000-8000-000000000002',
      callId: '',
      traceParent: '',
      payload: payloadOfFirstRelease,
      createTime: new Date('2026-03-01T00:00:00Z'),
    });
    const endOfDay = new Date('2026-03-29T22:00:00Z');
    expect(event.change).toMatchObject({
      before: undefined,
      after: {
        title: 'Renew the passport',
        due: { $case: 'dueTime', value: endOfDay },
        effectiveDueTime: endOfDay,
      },
      dueVersion: 3n,
    });
  });
});
