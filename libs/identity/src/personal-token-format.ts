import { crc32 } from 'node:zlib';

/** What personal tokens begin with, so that people and secret scanners recognise a leaked one. */
export const personalTokenPrefix = 'tfp_';

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
// 62^43 is just above 2^256, and 62^6 above 2^32.
const [secretLength, checksumLength] = [43, 6];
const shape = new RegExp(`^${personalTokenPrefix}[0-9A-Za-z]{${secretLength + checksumLength}}$`);

function toBase62(value: bigint, length: number): string {
  let text = '';
  for (let rest = value; rest > 0n; rest /= 62n) text = (digits[Number(rest % 62n)] as string) + text;
  return text.padStart(length, '0');
}

const checksumOf = (secret: string): string => toBase62(BigInt(crc32(secret)), checksumLength);

/** The token of 256 secret bits: the prefix, the bits in base 62 and a checksum of that text. */
export function formatPersonalToken(bits: Uint8Array): string {
  const secret = toBase62(BigInt(`0x${Buffer.from(bits).toString('hex')}`), secretLength);
  return personalTokenPrefix + secret + checksumOf(secret);
}

/** Whether a text can be a personal token: a typing error or an invented one is recognised without asking anybody. */
export function isPersonalToken(text: string): boolean {
  if (!shape.test(text)) return false;
  const secret = text.slice(personalTokenPrefix.length, -checksumLength);
  return checksumOf(secret) === text.slice(-checksumLength);
}
