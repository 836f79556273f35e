import { z } from 'zod';
import { fieldTypes, type FieldViolation } from '#libs/errors';
import { fieldsOf } from '#libs/fields';
import { TaskScope } from '#contract/tasks/v1/tasks';
import { taskTable } from '../domain/task.columns.ts';
import * as inputs from '../domain/task.inputs.ts';

const dueFields = { dueTime: inputs.dueTime, dueDay: inputs.dueDay };
/** The schemas of the fields that clients may write, for a change and for a creation. */
export const taskFields = { ...taskTable.schemas('change'), ...dueFields };
export const creationFields = { ...taskTable.schemas('create'), ...dueFields };

/** The values of a filter, sorted and without repetition. */
export const filterOf = <T extends string>(values: readonly T[]) => fieldTypes.setOf(values, inputs.unnamed);

export const requestId = fieldTypes.idempotencyKey();

/** In any spelling of the mailbox; '' = none. One that does not look like an e-mail is nobody's. */
export const assigneeEmail = fieldsOf('taskflow.tasks.v1.CreateTaskRequest').optionalText('assignee_email');

/** A malformed etag is treated as stale, not as invalid input. */
export const etag = z.string();
export const optionalOwnerId = z.union([z.literal(''), fieldTypes.uuid()], 'must be a UUID or empty');
export const optionalProjectId = optionalOwnerId;

export const scope = inputs
  .knownOr<TaskScope>([TaskScope.MINE, TaskScope.ALL], TaskScope.UNSPECIFIED, TaskScope.MINE)
  .transform((chosen) => (chosen === TaskScope.ALL ? ('all' as const) : ('own' as const)));

/** All that the caller may see, or a part of it? */
export function refuseTwoScopes({
  ownerId,
  projectId,
  scope: wanted,
}: {
  ownerId: string;
  projectId: string;
  scope: TaskScope;
}): FieldViolation[] {
  if (wanted !== TaskScope.ALL || (ownerId === '' && projectId === '')) return [];
  return [{ field: 'scope', description: 'must not be TASK_SCOPE_ALL together with owner_id or project_id' }];
}

/** The tasks of a project or those of an owner: which of them were meant? */
export function refuseTwoLists({ ownerId, projectId }: { ownerId: string; projectId: string }): FieldViolation[] {
  if (ownerId === '' || projectId === '') return [];
  return [{ field: 'owner_id', description: 'must not be set together with project_id' }];
}
