import { z } from 'zod';
import { Role } from '#contract/users/v1/users';
import { fieldTypes } from '#libs/errors';
import { fieldsOf } from '#libs/fields';

/** Any spelling of a mailbox. Whether it looks like an e-mail is not checked: one that does not is nobody's. */
export const email = fieldsOf('taskflow.users.v1.FindUserRequest').text('email');

const rule = 'must be a known role';
const named = [Role.USER, Role.ADMIN] as const;
const toRole = (value: (typeof named)[number]) => (value === Role.ADMIN ? 'admin' : 'user');

export const role = z.enum(named, rule).transform(toRole);

export const rolesOf = fieldTypes.setOf(named, rule).transform((values) => values.map(toRole));
