import { dictionary } from '@zxcvbn-ts/language-common';
import { fieldsOf } from '#libs/fields';

/** Hashing costs the same for every length; the bytes only bound what is carried around. */
export const { minLength: minPasswordCharacters, maxBytes: maxPasswordBytes = 0 } = fieldsOf(
  'taskflow.auth.v1.RegisterRequest',
).rule('password');

/**
 * The one spelling of a password that is hashed, as OpaqueString of RFC 8265 has it: spaces of all kinds are the ASCII
 * one, and the text is NFC. Keyboards and systems write "é" and "ü" in different ways, and nobody sees which.
 */
export function preparePassword(password: string): string {
  return password.replace(/\p{Zs}/gu, ' ').normalize('NFC');
}

// In lower case, as the list is. Shorter ones are refused for their length.
const common = new Set(dictionary['passwords-common'].map(preparePassword).filter(isLongEnough));

/** Counted as it is hashed, as are all rules for a new password. */
export function isLongEnough(password: string): boolean {
  return [...preparePassword(password)].length >= minPasswordCharacters;
}

export function isShortEnough(password: string): boolean {
  return Buffer.byteLength(preparePassword(password)) <= maxPasswordBytes;
}

/** One that may have been set before passwords were prepared, when its own bytes counted. */
export function wasShortEnough(password: string): boolean {
  return isShortEnough(password) || Buffer.byteLength(password) <= maxPasswordBytes;
}

/** Whether it is a common password, in any letter case. Attackers try these first. */
export function isCommon(password: string): boolean {
  return common.has(preparePassword(password).toLowerCase());
}
