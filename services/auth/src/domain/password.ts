export const minPasswordCharacters = 8;
/** In UTF-8. Hashing costs the same for every length; this only bounds what is carried around. */
export const maxPasswordBytes = 1024;

export function isLongEnough(password: string): boolean {
  return [...password].length >= minPasswordCharacters;
}

export function isShortEnough(password: string): boolean {
  return Buffer.byteLength(password) <= maxPasswordBytes;
}
