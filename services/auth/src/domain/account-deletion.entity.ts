import { defineEntity, p } from '@mikro-orm/core';

/** The parts of a removal, in their order. What arrives while it runs is found the second time. */
export const removalSteps = [
  'tasks',
  'notifications',
  'profile',
  'late_tasks',
  'late_notifications',
  'account',
  'finished',
] as const;
export type RemovalStep = (typeof removalSteps)[number];

/** A removal that has begun, which nothing undoes. The row stays for ever, so that it can be repeated. */
export const AccountDeletionSchema = defineEntity({
  name: 'AccountDeletion',
  tableName: 'account_deletions',
  indexes: [
    {
      name: 'account_deletions_unfinished_idx',
      expression:
        'create index "account_deletions_unfinished_idx" on "account_deletions" ("begin_time") where ("finish_time" is null)',
    },
  ],
  properties: {
    accountId: p.uuid().primary(),
    successorId: p.uuid().nullable(),
    step: p.text(),
    beginTime: p.datetime(3),
    finishTime: p.datetime(3).nullable(),
  },
});
