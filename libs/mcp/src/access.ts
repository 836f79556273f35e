import type { DescMethod } from '@bufbuild/protobuf';
import { AuthService, Scope, type Caller as CallerMessage, type GetCallerResponse } from '#client/auth';
import { policyOf } from '#client/policy';
import { create } from '#client/index';
import { callMethod, type Caller } from './call-method.ts';

/** Whether a token may call a method. */
export type Access = (method: DescMethod) => boolean;

export function accessOf({ personalTokenId, scopes }: CallerMessage): Access {
  // A session may do all that its person may.
  if (personalTokenId === '') return () => true;
  return (method) => {
    const { scope } = policyOf(method);
    return scope === Scope.ANY || scopes.includes(scope);
  };
}

/** What the token of a caller may call. Throws TaskFlowError: UNAUTHENTICATED for one that has ended. */
export async function askAccess(caller: Caller, signal?: AbortSignal): Promise<Access> {
  const { getCaller } = AuthService.method;
  const { caller: found } = (await callMethod(caller, getCaller, create(getCaller.input), signal)) as GetCallerResponse;
  if (found === undefined) throw new Error('GetCaller answered without a caller');
  return accessOf(found);
}
