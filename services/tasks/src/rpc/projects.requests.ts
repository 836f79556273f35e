import { z } from 'zod';
import { changedFields, fieldTypes, flattenOneofs, parseRequest, schemaPerFields, updateMaskType } from '#libs/errors';
import { fieldsOf } from '#libs/fields';
import {
  Project,
  type AddMemberRequest,
  type CreateProjectRequest,
  type UpdateProjectRequest,
} from '#contract/tasks/v1/projects';
import { projectTable, type ProjectEdit } from '../domain/project.columns.ts';
import { role } from '../domain/project.inputs.ts';
import type { AddMemberInput } from '../use-cases/projects/add-member.ts';
import type { CreateProjectInput } from '../use-cases/projects/create-project.ts';
import type { UpdateProjectInput } from '../use-cases/projects/update-project.ts';
import { etag, requestId } from './task.schemas.ts';

/** The fields of every request that changes something. */
export const mutation = { requestId, validateOnly: z.boolean() };

const createSchema = z.object({ project: z.object(projectTable.schemas('create'), 'must be set'), ...mutation });

export function readCreateProject(request: CreateProjectRequest): CreateProjectInput {
  const { project: fields, ...rest } = parseRequest(createSchema, request);
  return { fields, request: { ...rest, project: Project.fromPartial(fields) } };
}

const changeable = ['name', 'description', 'color'] as const;
type Field = (typeof changeable)[number];
const changes = projectTable.schemas('change');
const ignored = z.unknown().transform(() => undefined);

const updateSchemaOf = schemaPerFields(changeable, (named) => {
  const fields = Object.fromEntries(
    changeable.map((field) => [field, named.includes(field) ? changes[field] : ignored]),
  ) as Record<Field, z.ZodType<string | undefined>>;
  return z.object({
    project: z.object({ id: fieldTypes.uuid(), etag, ...fields }, 'must be set'),
    updateMask: updateMaskType(changeable, named),
    ...mutation,
  });
});

export function readUpdateProject(request: UpdateProjectRequest): UpdateProjectInput {
  const named = changedFields(changeable, request.updateMask, (field) => (request.project?.[field] ?? '') !== '');
  const { project, updateMask, ...rest } = parseRequest(updateSchemaOf(named), request);
  const { id: projectId, etag: expected, ...all } = project;
  const fields: ProjectEdit = Object.fromEntries(named.map((field) => [field, all[field]]));
  const body = Project.fromPartial({ id: projectId, etag: expected, ...fields });
  const mask = updateMask.length === 0 ? undefined : updateMask;
  return { projectId, etag: expected, fields, request: { ...rest, project: body, updateMask: mask } };
}

const add = fieldsOf('taskflow.tasks.v1.AddMemberRequest');
const addSchema = z.object({
  projectId: fieldTypes.uuid(),
  person: z.enum(['userId', 'email'], 'user_id or email must be set'),
  userId: fieldTypes.uuid().default(''),
  email: add.text('email').default(''),
  role,
  ...mutation,
});

export function readAddMember(request: AddMemberRequest): AddMemberInput {
  const flat = flattenOneofs(request) as object;
  const { person: $case, userId, email, ...rest } = parseRequest(addSchema, { ...flat, person: request.person?.$case });
  const person = { $case, value: $case === 'userId' ? userId : email };
  return { projectId: rest.projectId, userId, email, role: rest.role, request: { ...rest, person } };
}
