import { z } from 'zod';
import { ProjectRole } from '#contract/tasks/v1/projects';
import { fieldsOf } from '#libs/fields';
import { known } from './task.inputs.ts';

/* The schemas of the fields of projects and members. */

const project = fieldsOf('taskflow.tasks.v1.Project');

const matching = (field: string, description: string) =>
  z.string().regex(new RegExp(`^(?:${project.rule(field).pattern})$`), description);

export const key = matching('key', 'must have 2 to 10 characters from A-Z 0-9, and begin with a letter');

export const name = project.text('name');

export const description = project.text('description');

const colorRule = 'must be "#" and six hexadecimal digits, or empty';
export const color = z
  .union([z.literal(''), matching('color', colorRule)], colorRule)
  .transform((text) => text.toLowerCase());

/** From the least to the most that a member may do; also in the order of their numbers in the contract. */
export const roles = [ProjectRole.VIEWER, ProjectRole.COMMENTER, ProjectRole.EDITOR, ProjectRole.MANAGER] as const;

export const role = known<ProjectRole>(roles);
