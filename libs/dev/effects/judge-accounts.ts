import type { AccountCall } from './calls.ts';
import type { AccountFact, Facts } from './facts.ts';
import { compare, each, lost, surplus, type Fault } from './fault.ts';

/** How many things may be there, when one stems from each call: those of unknown outcome may or may not count. */
function boundsOf(calls: readonly AccountCall[]): { least: number; most: number } {
  const least = calls.filter(({ outcome }) => outcome === 'acknowledged').length;
  return { least, most: least + calls.filter(({ outcome }) => outcome === 'unknown').length };
}

function judgeAddress(email: string, calls: readonly AccountCall[], accounts: readonly AccountFact[]): Fault[] {
  const { least, most } = boundsOf(calls.filter(({ what }) => what === 'register'));
  // A login proves that one of the registrations came through.
  const isProven = calls.some(({ what, outcome }) => what === 'login' && outcome === 'acknowledged');
  const sessions = accounts.reduce((sum, account) => sum + account.sessions, 0);
  return [
    ...compare(`accounts of ${email}`, accounts.length, {
      least: Math.min(1, Math.max(least, isProven ? 1 : 0)),
      most: Math.min(1, most),
    }),
    ...compare(`sessions of ${email}`, sessions, boundsOf(calls)),
  ];
}

/** An account that is handed over again had failed before, or a process that took part was lost. */
function judgeHandOvers({ handOvers }: Facts, losses: number): Fault[] {
  const byCall = Map.groupBy(handOvers, ({ requestId }) => requestId);
  return each(byCall, ([requestId, attempts]) => {
    const received = attempts.filter(({ what }) => what === 'received').length;
    return compare(`times that the account of call ${requestId} was handed over to users`, received, {
      least: 0,
      most: 1 + attempts.length - received + losses,
    });
  });
}

/** Accounts, sessions and profiles, in both directions. To be asked once auth's outbox is empty. */
export function judgeAccounts(calls: readonly AccountCall[], facts: Facts, losses: number): Fault[] {
  const byEmail = Map.groupBy(calls, ({ email }) => email);
  const accounts = Map.groupBy(facts.accounts, ({ email }) => email);
  const [ids, profiles] = [new Set(facts.accounts.map(({ id }) => id)), new Set(facts.profileIds)];
  // The administrator is made at the first start, and signs in where nobody counts.
  const strangers = facts.accounts.filter(({ email, role }) => role !== 'admin' && !byEmail.has(email));
  return [
    ...each(byEmail, ([email, own]) => judgeAddress(email, own, accounts.get(email) ?? [])),
    ...strangers.map(({ email }) => surplus(`the account ${email} stems from no call`)),
    ...[...ids].filter((id) => !profiles.has(id)).map((id) => lost(`account ${id} has no profile`)),
    ...facts.profileIds.filter((id) => !ids.has(id)).map((id) => surplus(`profile ${id} has no account`)),
    ...compare('profiles', facts.profileIds.length, { least: 0, most: profiles.size }),
    ...(facts.outbox === 0 ? [] : [lost(`${facts.outbox} entries of auth's outbox are not done`)]),
    ...judgeHandOvers(facts, losses),
  ];
}
