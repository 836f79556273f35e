import { toAsciiDomain } from './mailbox.ts';

/**
 * An address as it is stored and shown: trimmed, NFC, lower case. Lower-casing can leave a string that is not NFC any
 * more ("İ" becomes "i" with a combining dot), so it is normalised again. The full stops of other scripts separate
 * labels, too.
 */
export function normaliseEmail(email: string): string {
  const text = email.trim().normalize('NFC').toLowerCase().normalize('NFC');
  const at = text.lastIndexOf('@');
  return text.slice(0, at + 1) + text.slice(at + 1).replace(/[\u3002\uff0e\uff61]/g, '.');
}

// One @, no white space or control characters, at least one dot in the domain, no empty label. Letters of every script
// are allowed on both sides. An angle bracket would end the address in a mail's header. Only a message to the mailbox can show whether it exists.
const letter = '\\p{L}\\p{M}\\p{N}';
const label = `[${letter}](?:[${letter}\\u200c\\u200d-]*[${letter}])?`;
const shape = new RegExp(`^[^\\s@<>\\p{C}]+@(?:${label}\\.)+${label}$`, 'u');

const maxOctets = { address: 254, localPart: 64, label: 63 };

/** Counted in octets, as mail and DNS do: the domain in A-labels, the rest in UTF-8. */
export function looksLikeEmail(email: string): boolean {
  if (!shape.test(email)) return false;
  const at = email.lastIndexOf('@');
  const domain = toAsciiDomain(email.slice(at + 1));
  if (domain === undefined) return false;
  const localOctets = Buffer.byteLength(email.slice(0, at));
  const addressOctets = Math.max(Buffer.byteLength(email), localOctets + 1 + domain.length);
  const areLabelsShort = domain.split('.').every((part) => part.length <= maxOctets.label);
  return localOctets <= maxOctets.localPart && addressOctets <= maxOctets.address && areLabelsShort;
}
