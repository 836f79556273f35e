import { z } from 'zod';
import { fieldTypes } from '#libs/errors';
import { looksLikeEmail, maxEmailCharacters, normaliseEmail } from './email.ts';
import {
  isCommon,
  isLongEnough,
  isShortEnough,
  maxPasswordBytes,
  minPasswordCharacters,
  wasShortEnough,
} from './password.ts';

/* What clients may send of an account: the limits of auth.proto, field by field. */

/** Whatever could once be registered. */
export const knownEmail = fieldTypes.text({ min: 1, max: maxEmailCharacters }).transform(normaliseEmail);

export const newEmail = knownEmail.refine(
  looksLikeEmail,
  `must be an e-mail address of at most ${maxEmailCharacters} characters`,
);

export const displayName = fieldTypes.text({ min: 1, max: 100 });

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

/** An old password may break today's rules. */
export const knownPassword = password.refine(wasShortEnough, tooLong).refine((text) => text !== '', 'must be set');

const maxTokenCharacters = 512;
const token = z
  .string()
  .refine((text) => !controlCharacters.test(text), 'must not contain control characters')
  .max(maxTokenCharacters, `must have at most ${maxTokenCharacters} characters`);

export const refreshToken = token.min(1, 'must be set');

export const oneTimeToken = token.min(1, 'must be set');

/** '' = without an invitation. */
export const invitationToken = token;
