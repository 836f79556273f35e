import { dictionary } from '@zxcvbn-ts/language-common';

export const minPasswordCharacters = 8;
/** In UTF-8. Hashing costs the same for every length; this only bounds what is carried around. */
export const maxPasswordBytes = 1024;

// In lower case, as the list is. Shorter ones are refused for their length.
const common = new Set(dictionary['passwords-common'].filter(isLongEnough));

export function isLongEnough(password: string): boolean {
  return [...password].length >= minPasswordCharacters;
}

export function isShortEnough(password: string): boolean {
  return Buffer.byteLength(password) <= maxPasswordBytes;
}

/** One of the some ten thousand that everybody tries first, in any letter case. */
export function isCommon(password: string): boolean {
  return common.has(password.toLowerCase());
}
