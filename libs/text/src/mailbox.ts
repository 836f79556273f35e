import { domainToASCII, domainToUnicode } from 'node:url';
import { foldCase } from './fold-case.ts';

/**
 * One spelling per mailbox: the part before the last @ without letter case, the domain in U-labels. Defined for every
 * text, and the same when applied again. For comparing only: mail goes to the address as its owner wrote it.
 */
export function toMailbox(email: string): string {
  const at = email.lastIndexOf('@');
  if (at < 0) return foldCase(email);
  return `${foldCase(email.slice(0, at))}@${toUnicodeDomain(email.slice(at + 1))}`;
}

/** The mailbox as far as it differs from the e-mail in lower case: null for most, which so are not stored twice. */
export function mailboxOf(email: string): string | null {
  const mailbox = toMailbox(email);
  return mailbox === email.toLowerCase() ? null : mailbox;
}

function toUnicodeDomain(domain: string): string {
  const ascii = toAsciiDomain(domain);
  if (ascii === undefined) return domain.normalize('NFC').toLowerCase().normalize('NFC');
  return hasALabel.test(ascii) ? domainToUnicode(ascii) : ascii;
}

const hasALabel = /(^|\.)xn--/;
const plain = /^[\x21-\x7e]*$/;
/** Node parses the domain as a part of a URL, so it may hold no character that ends a domain there. */
const domainCharacters = /^[\p{L}\p{M}\p{N}\u200c\u200d.-]+$/u;

/** The domain in A-labels and lower case; undefined when it is invalid. */
export function toAsciiDomain(domain: string): string | undefined {
  if (!domainCharacters.test(domain)) return undefined;
  const lower = domain.toLowerCase();
  // Node would read numbers as an address, also hexadecimal and octal ones.
  if (plain.test(lower) && !hasALabel.test(lower)) return lower;
  const ascii = domainToASCII(lower);
  return ascii === '' ? undefined : ascii;
}
