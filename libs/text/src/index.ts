export { looksLikeEmail, normaliseEmail } from './email.ts';
export { foldCase } from './fold-case.ts';
export { mailboxOf, toAsciiDomain, toMailbox } from './mailbox.ts';
export { isVisible } from './visible.ts';
