import { z } from 'zod';
import { Role } from '#contract/users/v1/users';
import { fieldTypes } from '#libs/errors';

/** Any spelling of a mailbox. Whether it looks like an e-mail is not checked: one that does not is nobody's. */
export const email = fieldTypes.text({ min: 3, max: 254 });

export const role = z
  .enum([Role.USER, Role.ADMIN], 'must be a known role')
  .transform((value) => (value === Role.ADMIN ? 'admin' : 'user'));
