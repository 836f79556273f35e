/**
 * One spelling for one address, as it is stored and searched: trimmed, NFC, lower case. Lower-casing can leave a string
 * that is not NFC any more ("İ" becomes "i" with a combining dot), so it is normalised again.
 */
export function normaliseEmail(email: string): string {
  return email.trim().normalize('NFC').toLowerCase().normalize('NFC');
}

// One @, no white space or control characters, at least one dot in the domain, no empty label. Letters of every script
// are allowed on both sides; whether the mailbox exists only a message to it can tell.
const shape = /^[^\s@\p{C}]{1,64}@(?:[\p{L}\p{M}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?\.)+[\p{L}\p{M}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?$/u;

export const maxEmailCharacters = 254;

export function looksLikeEmail(email: string): boolean {
  return shape.test(email) && [...email].length <= maxEmailCharacters;
}
