import {
  Role,
  type Account as AccountMessage,
  type GetJwksResponse,
  type Revocation as RevocationMessage,
  type Session as SessionMessage,
  type TokenPair,
  type WatchRevocationsResponse,
} from '#contract/auth/v1/auth';
import type { PublishedKey, RevocationNews, SpreadRevocation } from '../deps.ts';
import type { Account, AccountRole } from '../domain/account.entity.ts';
import type { ClientInfo, Session } from '../domain/session.entity.ts';
import type { Tokens } from '../use-cases/prepare-session.ts';

export const roleMessages: Readonly<Record<AccountRole, Role>> = { user: Role.USER, admin: Role.ADMIN };

export function toAccountMessage({ id, email, role, enabled, createTime }: Account): AccountMessage {
  return { id, email, role: roleMessages[role], enabled, createTime };
}

export function toTokenPair(tokens: Tokens): TokenPair {
  return { ...tokens };
}

export function toJwksMessage({ keys, maxAgeMs }: { keys: PublishedKey[]; maxAgeMs: number }): GetJwksResponse {
  return {
    keys: keys.map(({ kid, publicJwk: { kty, crv, x } }) => ({ kid, kty, crv, alg: 'EdDSA', use: 'sig', x })),
    maxAge: { seconds: BigInt(Math.floor(maxAgeMs / 1000)), nanos: (maxAgeMs % 1000) * 1_000_000 },
  };
}

export function toSessionMessage(session: Session, currentSessionId: string): SessionMessage {
  const { id, createTime, lastUsedTime, expireTime, userAgent, peer } = session;
  return { id, createTime, lastUseTime: lastUsedTime, expireTime, userAgent, ipAddress: peer, current: id === currentSessionId };
}

function toRevocationMessage({ sessionId, accountId, notBefore, expireTime }: SpreadRevocation): RevocationMessage {
  const subject = { accountId: accountId ?? '', notBefore: notBefore ?? undefined };
  return { target: sessionId == null ? { $case: 'subject', value: subject } : { $case: 'sessionId', value: sessionId }, expireTime };
}

export async function* toRevocationsMessages(stream: AsyncIterable<RevocationNews>): AsyncGenerator<WatchRevocationsResponse, void> {
  for await (const { revocations, snapshotComplete } of stream) yield { revocations: revocations.map(toRevocationMessage), snapshotComplete };
}

const maxUserAgentCharacters = 200;

export function toClientInfo({ userAgent, peer }: { userAgent: string; peer: string }): ClientInfo {
  return { userAgent: [...userAgent].slice(0, maxUserAgentCharacters).join(''), peer };
}
