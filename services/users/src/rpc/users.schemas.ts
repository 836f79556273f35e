import { z } from 'zod';
import { Role } from '#contract/users/v1/users';
import { fieldsOf } from '#libs/fields';

/** Any spelling of a mailbox. Whether it looks like an e-mail is not checked: one that does not is nobody's. */
export const email = fieldsOf('taskflow.users.v1.FindUserRequest').text('email');

export const role = z
  .enum([Role.USER, Role.ADMIN], 'must be a known role')
  .transform((value) => (value === Role.ADMIN ? 'admin' : 'user'));
