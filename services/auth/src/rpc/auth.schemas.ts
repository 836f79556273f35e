import { fieldTypes } from '#libs/errors';
import { z } from 'zod';
import { looksLikeEmail, maxEmailCharacters, normaliseEmail } from '../domain/email.ts';
import { isLongEnough, isShortEnough, maxPasswordBytes, minPasswordCharacters } from '../domain/password.ts';

const maxRefreshTokenCharacters = 512;

const emailText = fieldTypes.text({ min: 1, max: maxEmailCharacters }).transform(normaliseEmail);

const emailAddress = emailText.refine(looksLikeEmail, `must be an e-mail address of at most ${maxEmailCharacters} characters`);

// A password is used as it was sent: no trimming, and any character but the ones that can only be a client's mistake.
const passwordText = z
  .string()
  .refine((password) => password.isWellFormed() && !/[\u0000-\u001f\u007f]/.test(password), 'must not contain control characters')
  .refine(isShortEnough, `must have at most ${maxPasswordBytes} bytes`);

const refreshToken = z
  .string()
  .min(1, 'must be set')
  .max(maxRefreshTokenCharacters, `must have at most ${maxRefreshTokenCharacters} characters`);

export const registerSchema = z.object({
  email: emailAddress,
  password: passwordText.refine(isLongEnough, `must have at least ${minPasswordCharacters} characters`),
  displayName: fieldTypes.text({ min: 1, max: 100 }),
});

/** Looser than for a registration: whatever could once have been registered gets the same answer as a wrong password. */
export const loginSchema = z.object({
  email: emailText,
  password: passwordText.refine((password) => password !== '', 'must be set'),
});

export const refreshSessionSchema = z.object({ refreshToken });

export const logoutSchema = z.object({ refreshToken });
