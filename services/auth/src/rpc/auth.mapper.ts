import { Role, type Account as AccountMessage, type GetJwksResponse, type TokenPair } from '#contract/auth/v1/auth';
import type { PublishedKey } from '../deps.ts';
import type { Account, AccountRole } from '../domain/account.entity.ts';
import type { ClientInfo, Tokens } from '../use-cases/prepare-session.ts';

export const roleMessages: Readonly<Record<AccountRole, Role>> = { user: Role.USER, admin: Role.ADMIN };

export function toAccountMessage({ id, email, role, createTime }: Account): AccountMessage {
  return { id, email, role: roleMessages[role], createTime };
}

export function toTokenPair(tokens: Tokens): TokenPair {
  return { ...tokens };
}

export function toJwksMessage({ keys, maxAgeMs }: { keys: PublishedKey[]; maxAgeMs: number }): GetJwksResponse {
  return {
    keys: keys.map(({ kid, publicJwk: { kty, crv, x } }) => ({ kid, kty, crv, alg: 'EdDSA', use: 'sig', x })),
    maxAge: { seconds: BigInt(Math.floor(maxAgeMs / 1000)), nanos: 0 },
  };
}

const maxUserAgentCharacters = 512;

export function toClientInfo({ userAgent, peer }: { userAgent: string; peer: string }): ClientInfo {
  return { userAgent: userAgent.slice(0, maxUserAgentCharacters), peer };
}
