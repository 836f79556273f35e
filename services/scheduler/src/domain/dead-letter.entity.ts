import { defineEntity, p } from '@mikro-orm/core';

/** open: nobody has decided about it. retried: another job was made for what it was to do. discarded: that stays undone. */
export type DeadLetterState = 'open' | 'retried' | 'discarded';

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
    /** The youngest of its failed runs, oldest first. */
    failures: p.json().defaultRaw(`'[]'`),
    state: p.text().default('open'),
    settleTime: p.datetime(3).nullable(),
    settledBy: p.uuid().nullable(),
  },
  uniques: [{ name: 'dead_letters_job', properties: ['queue', 'jobId'] }],
  indexes: [{ name: 'dead_letters_open', properties: ['id'], where: "state = 'open'" }, { name: 'dead_letters_settled', properties: ['settleTime'], where: "state <> 'open'" }],
});
