export { foldCase } from './fold-case.ts';
export { mailboxOf, toAsciiDomain, toMailbox } from './mailbox.ts';
