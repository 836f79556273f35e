import type { DescMethod } from '@bufbuild/protobuf';
import { AuthService, Scope, type Caller as CallerMessage, type GetCallerResponse } from '#client/auth';
import { policyOf } from '#client/policy';
import { create, TaskFlowError } from '#client/index';
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

/** "tasks:read" for TASKS_READ, as services name it. */
const nameOf = (scope: Scope): string => (Scope[scope] ?? '').toLowerCase().replace('_', ':');

/** The words of the services. */
function missingScope(method: DescMethod): TaskFlowError {
  const { scope } = policyOf(method);
  if (scope === Scope.SESSION_ONLY || scope === Scope.UNSPECIFIED)
    return new TaskFlowError('PERMISSION_DENIED', 'no personal token may do this; sign in', {
      reason: 'SESSION_REQUIRED',
    });
  const name = nameOf(scope);
  return new TaskFlowError('PERMISSION_DENIED', `the personal token lacks the scope ${name}`, {
    reason: 'MISSING_SCOPE',
    metadata: { scope: name },
  });
}

/** Throws TaskFlowError when the token has ended or its scopes do not suffice; while nobody can say so, it passes. */
export async function assertAccess(caller: Caller, method: DescMethod, signal?: AbortSignal): Promise<void> {
  const isAllowed = await askAccess(caller, signal).catch((error: unknown) => {
    if (error instanceof TaskFlowError && error.code === 'UNAUTHENTICATED') throw error;
  });
  if (isAllowed !== undefined && !isAllowed(method)) throw missingScope(method);
}
