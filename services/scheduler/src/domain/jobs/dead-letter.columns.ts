import { DeadJobState } from '#contract/scheduler/v1/jobs';
import { column, defineColumns, defineEntityOf, type Stored } from '#libs/db';

/** A failed run of a job. The time is a text when it was read. */
export interface StoredFailure {
  time: Date | string;
  attempt: number;
  error: string;
}

/** A job that will not run again unless an administrator retries it. */
export const deadLetterTable = defineColumns('dead_letters', {
  id: column.uuid().primary(),
  queue: column.text(),
  name: column.text(),
  jobId: column.text(),
  payload: column.json<unknown>().internal(),
  error: column.text(),
  attemptCount: column.integer().named('attempts'),
  requestId: column.text().named('call_id'),
  createTime: column.time(),
  /** The latest of its failed runs, oldest first. */
  failures: column.json<StoredFailure[]>().defaultsTo(`'[]'`).internal(),
  /** open: undecided. retried: another job was made for the same rows. discarded: the rows stay dead. */
  state: column
    .codedText<DeadJobState>(
      { open: DeadJobState.OPEN, retried: DeadJobState.RETRIED, discarded: DeadJobState.DISCARDED },
      DeadJobState.UNSPECIFIED,
    )
    .defaultsTo(`'open'`),
  resolveTime: column.time().nullable().named('settle_time'),
  resolverId: column.uuid().nullable().named('settled_by'),
});
export type DeadLetterValues = Stored<typeof deadLetterTable.columns>;

export const DeadLetterSchema = defineEntityOf(deadLetterTable, {
  name: 'DeadLetter',
  uniques: [{ name: 'dead_letters_job', properties: ['queue', 'jobId'] }],
  indexes: [
    { name: 'dead_letters_open', properties: ['id'], where: "state = 'open'" },
    { name: 'dead_letters_settled', properties: ['resolveTime'], where: "state <> 'open'" },
  ],
});
