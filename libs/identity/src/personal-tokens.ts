import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { Role, type CheckPersonalTokenResponse, type PersonalTokenGrant } from '#contract/auth/v1/auth';
import { findScope } from '#libs/contract';
import { AppError } from '#libs/errors';
import { currentContext, runInBackground, toPeerNetwork, type Clock, type Logger, type UserActor } from '#libs/runtime';
import { isPersonalToken } from './personal-token-format.ts';
import type { Revocations } from './revocations.ts';

/** Asks auth, or auth's database, about the token with this SHA-256. */
export type CheckPersonalToken = (tokenHash: Uint8Array) => Promise<CheckPersonalTokenResponse>;

export interface PersonalTokensOptions {
  check: CheckPersonalToken;
  revocations: Pick<Revocations, 'isRevoked'>;
  clock: Clock;
  logger: Logger;
}

interface Grant {
  actor: UserActor;
  issuedAt: number;
  expiresAt: number;
}

/** auth's answer about a token. */
interface Known {
  /** Absent: there is no such token (any more). */
  grant?: Grant;
  /** Until then nobody has to ask again; by `performance.now`. */
  freshUntil: number;
}

const maxKnown = 10_000;
/** How long an answer is good, unless a revocation makes it void. Without auth, tokens in use go on as long. */
const freshMs = 10_000;
/** How long an older one is kept: for open streams, and to tell a token that was valid from an invented one. */
const keptMs = 3_600_000;
/** Short, since the account of the token may be enabled again. */
const unknownMs = 4000;
const askTimeoutMs = 2000;
/** How many tokens that do not exist a peer may have looked up in a minute. Those that were valid lately always are. */
const unknownPerPeer = { most: 60, ms: 60_000, peers: 10_000 };

const unknownToken = (): Error => new Error('no such personal token');

function tokensUnavailable(cause: unknown): AppError {
  return new AppError('unavailable', 'TOKENS_UNAVAILABLE', 'personal tokens cannot be checked now', {
    cause,
    details: { retryAfterMs: 1000 },
  });
}

function tooManyUnknown(): AppError {
  const { most, ms } = unknownPerPeer;
  const limit = `${most} unknown personal tokens per ${ms / 1000} s`;
  return new AppError('resource_exhausted', 'RATE_LIMITED', `too many requests: the limit is ${limit}`, {
    details: { retryAfterMs: ms, metadata: { limit } },
  });
}

/** An administrator's token without the scope admin acts as a user's. */
function roleOf(role: Role, scopes: readonly string[]): UserActor['role'] {
  return role === Role.ADMIN && scopes.includes('admin') ? 'admin' : 'user';
}

function toGrant(grant: PersonalTokenGrant): Grant {
  const { personalTokenId: id, accountId: userId, role, expireTime, issueTime } = grant;
  // A newer auth may know scopes that this release does not.
  const scopes = grant.scopes.map(findScope).filter((scope) => scope !== undefined);
  const actor: UserActor = { kind: 'user', userId, role: roleOf(role, scopes), sessionId: id, token: { id, scopes } };
  return { actor, issuedAt: issueTime?.getTime() ?? 0, expiresAt: expireTime?.getTime() ?? 0 };
}

/** Counts tokens that do not exist, by peer. */
function createUnknownCounts() {
  const { most, ms, peers } = unknownPerPeer;
  const counts = new LRUCache<string, { count: number }>({ max: peers, ttl: ms });
  const peer = (): string => toPeerNetwork(currentContext()?.peer ?? '');
  return {
    check: (): void => {
      if ((counts.get(peer())?.count ?? 0) >= most) throw tooManyUnknown();
    },
    add: (): void => {
      const known = counts.get(peer());
      if (known === undefined) counts.set(peer(), { count: 1 });
      else known.count += 1;
    },
  };
}

/** Has auth's answers for some seconds; asks once for all calls that arrive with a token meanwhile. */
function createKnowledge({ check, logger }: PersonalTokensOptions) {
  const known = new LRUCache<string, Known>({ max: maxKnown, ttl: keptMs });
  const asking = new Map<string, Promise<Known>>();
  const unknown = createUnknownCounts();

  function remember(key: string, grant: Grant | undefined): Known {
    const lifetimeMs = grant === undefined ? unknownMs : freshMs;
    const answer = { ...(grant && { grant }), freshUntil: performance.now() + lifetimeMs };
    known.set(key, answer, { ttl: grant === undefined ? unknownMs : keptMs });
    if (grant === undefined) unknown.add();
    return answer;
  }

  async function ask(key: string): Promise<Known> {
    const { requestId, traceParent } = currentContext() ?? {};
    const call = { ...(requestId !== undefined && { requestId }), ...(traceParent !== undefined && { traceParent }) };
    // In a context of its own: the answer serves all calls with the token, so no single one may cancel it.
    const options = { name: 'check-personal-token', logger, timeoutMs: askTimeoutMs, ...call };
    try {
      const { grant } = await runInBackground(options, () => check(Buffer.from(key, 'base64')));
      if (grant === undefined) return remember(key, undefined);
      return remember(key, toGrant(grant));
    } catch (error) {
      throw tokensUnavailable(error);
    } finally {
      asking.delete(key);
    }
  }
  return {
    recall: (key: string): Known | undefined => known.get(key),
    fetch: (key: string): Promise<Known> => {
      if (known.get(key)?.grant === undefined) unknown.check();
      const answer = asking.get(key) ?? ask(key);
      asking.set(key, answer);
      return answer;
    },
  };
}

/**
 * Checks personal tokens. Throws TOKENS_UNAVAILABLE, RATE_LIMITED, or any other error when the token is not valid.
 *
 * An answer of auth carries the time at which it was true, as an access token carries its time of issue, so the same
 * revocations make both void.
 *
 * `isOpen`: the token was valid when its stream began. While auth cannot be asked, that stays so unless the token has
 * ended or its account has changed.
 */
export function createPersonalTokens(
  options: PersonalTokensOptions,
): (token: string, isOpen: boolean) => Promise<UserActor> {
  const { revocations, clock } = options;
  const knowledge = createKnowledge(options);

  const isRevoked = ({ actor, issuedAt }: Grant): boolean =>
    revocations.isRevoked({ sessionId: actor.sessionId, userId: actor.userId, issuedAt });
  const isVoid = ({ grant }: Known): boolean => grant !== undefined && isRevoked(grant);
  /** Whether the token itself was revoked, whatever happened to its account. */
  const isEnded = (grant: Grant): boolean =>
    grant.expiresAt <= clock.now().getTime() || isRevoked({ ...grant, issuedAt: Infinity });

  async function fetch(key: string): Promise<Known> {
    const fetched = await knowledge.fetch(key);
    // The question may have been asked before the revocation.
    return isVoid(fetched) ? knowledge.fetch(key) : fetched;
  }

  async function find(token: string, isOpen: boolean): Promise<Grant | undefined> {
    const key = hash('sha256', token, 'base64');
    const recalled = knowledge.recall(key);
    if (recalled === undefined) return isPersonalToken(token) ? (await fetch(key)).grant : undefined;
    const isGood = !isVoid(recalled);
    if (isGood && recalled.freshUntil > performance.now()) return recalled.grant;
    if (recalled.grant !== undefined && isEnded(recalled.grant)) return undefined;
    const fetched = fetch(key);
    return isOpen && isGood
      ? fetched.then(
          ({ grant }) => grant,
          () => recalled.grant,
        )
      : (await fetched).grant;
  }

  return async (token, isOpen) => {
    const grant = await find(token, isOpen);
    if (grant === undefined || isEnded(grant)) throw unknownToken();
    return grant.actor;
  };
}
