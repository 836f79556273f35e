import { Role } from '#contract/auth/v1/auth';
import { fieldTypes } from '#libs/errors';
import { z } from 'zod';
import { looksLikeEmail, maxEmailCharacters, normaliseEmail } from '../domain/email.ts';
import { isCommon, isLongEnough, isShortEnough, maxPasswordBytes, minPasswordCharacters } from '../domain/password.ts';

const maxRefreshTokenCharacters = 512;

const emailText = fieldTypes.text({ min: 1, max: maxEmailCharacters }).transform(normaliseEmail);

const emailAddress = emailText.refine(looksLikeEmail, `must be an e-mail address of at most ${maxEmailCharacters} characters`);

// A password is used as it was sent: no trimming, and any character but the ones that can only be a client's mistake.
const passwordText = z
  .string()
  .refine((password) => password.isWellFormed() && !/[\u0000-\u001f\u007f]/.test(password), 'must not contain control characters')
  .refine(isShortEnough, `must have at most ${maxPasswordBytes} bytes`);

// For a password that is being set; an old one may break today's rules.
const newPassword = passwordText
  .refine(isLongEnough, `must have at least ${minPasswordCharacters} characters`)
  .refine((password) => !isCommon(password), 'must not be one of the commonly used passwords');

const knownPassword = passwordText.refine((password) => password !== '', 'must be set');

const refreshToken = z
  .string()
  .min(1, 'must be set')
  .refine((token) => !/[\u0000-\u001f\u007f]/.test(token), 'must not contain control characters')
  .max(maxRefreshTokenCharacters, `must have at most ${maxRefreshTokenCharacters} characters`);

export const registerSchema = z.object({
  email: emailAddress,
  password: newPassword,
  displayName: fieldTypes.text({ min: 1, max: 100 }),
});

/** Looser than for a registration: whatever could once have been registered gets the same answer as a wrong password. */
export const loginSchema = z.object({
  email: emailText,
  password: knownPassword,
});

export const refreshSessionSchema = z.object({ refreshToken });

export const logoutSchema = z.object({ refreshToken });

export const revokeSessionSchema = z.object({ sessionId: fieldTypes.uuid() });

export const changePasswordSchema = z.object({ currentPassword: knownPassword, newPassword });

export const changeEmailSchema = z.object({ currentPassword: knownPassword, newEmail: emailAddress });

export const accountSchema = z.object({ accountId: fieldTypes.uuid() });

export const setRoleSchema = z.object({
  accountId: fieldTypes.uuid(),
  role: z.literal([Role.USER, Role.ADMIN], 'must be USER or ADMIN').transform((role) => (role === Role.ADMIN ? 'admin' : 'user')),
});

export const rotateSigningKeySchema = z.object({
  requestId: z.string().regex(/^[A-Za-z0-9._-]{0,128}$/, 'must have at most 128 characters from A-Z a-z 0-9 . _ -'),
});
