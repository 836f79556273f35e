import { defineEntity, p } from '@mikro-orm/core';

/** A job that will not run again unless a person wants it. */
export const DeadLetterSchema = defineEntity({
  name: 'DeadLetter',
  tableName: 'dead_letters',
  properties: {
    id: p.uuid().primary(),
    queue: p.text(),
    name: p.text(),
    jobId: p.text(),
    payload: p.json(),
    error: p.text(),
    attempts: p.integer(),
    callId: p.text(),
    createTime: p.datetime(3),
  },
  uniques: [{ name: 'dead_letters_job', properties: ['queue', 'jobId'] }],
});
