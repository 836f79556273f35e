import { Role, type GetCallerResponse } from '#contract/auth/v1/auth';
import type { Scope } from '#contract/policy/v1/policy';
import type { UserActor } from '#libs/runtime';

/** As whom a call is made. `scopes` are those of a personal token. */
export function getCaller({ userId, role, token }: UserActor, scopes: Scope[]): GetCallerResponse {
  return {
    caller: {
      accountId: userId,
      role: role === 'admin' ? Role.ADMIN : Role.USER,
      personalTokenId: token?.id ?? '',
      scopes,
    },
  };
}
