import { z } from 'zod';
import { fieldsOf } from '#libs/fields';
import { looksLikeEmail, normaliseEmail } from '#libs/text';
import {
  isCommon,
  isLongEnough,
  isShortEnough,
  maxPasswordBytes,
  minPasswordCharacters,
  wasShortEnough,
} from './password.ts';

/* What clients may send of an account. */

const [register, login] = [fieldsOf('taskflow.auth.v1.RegisterRequest'), fieldsOf('taskflow.auth.v1.LoginRequest')];
const { maxLength: maxEmailCharacters } = register.rule('email');

/** Whatever could once be registered. */
export const knownEmail = login.text('email').transform(normaliseEmail);

export const newEmail = knownEmail.refine(
  looksLikeEmail,
  `must be an e-mail address of at most ${maxEmailCharacters} characters`,
);

export const displayName = register.text('display_name');

const controlCharacters = /[\u0000-\u001f\u007f]/;

// Passwords are not trimmed. Control characters are refused: they can only be a client's mistake.
const password = z
  .string()
  .refine((text) => text.isWellFormed() && !controlCharacters.test(text), 'must not contain control characters');

const tooLong = `must have at most ${maxPasswordBytes} bytes`;

export const newPassword = password
  .refine(isShortEnough, tooLong)
  .refine(isLongEnough, `must have at least ${minPasswordCharacters} characters`)
  .refine((text) => !isCommon(text), 'must not be one of the commonly used passwords');

/** '' = no password, undefined in code. */
export const optionalNewPassword = z.string().transform((text, context) => {
  if (text === '') return undefined;
  const { success, data, error } = newPassword.safeParse(text);
  if (success) return data;
  for (const { message } of error.issues) context.addIssue(message);
  return z.NEVER;
});

const isSet = (text: string): boolean => text !== '';

/** An old password may break today's rules. */
export const knownPassword = password.refine(wasShortEnough, tooLong).refine(isSet, 'must be set');

/** '' = no password. */
export const optionalKnownPassword = password.refine(wasShortEnough, tooLong);

export const refreshToken = fieldsOf('taskflow.auth.v1.RefreshSessionRequest')
  .text('refresh_token')
  .refine(isSet, 'must be set');

export const oneTimeToken = fieldsOf('taskflow.auth.v1.ResetPasswordRequest')
  .text('token')
  .refine(isSet, 'must be set');

/** '' = without an invitation. */
export const invitationToken = register.text('invitation_token');
