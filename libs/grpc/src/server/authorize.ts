import type { MethodPolicy } from '#libs/contract';
import { AppError } from '#libs/errors';
import { noRevocations, type Revocations } from '../identity/revocations.ts';
import type { IncomingCall, Interceptor } from './chain.ts';

type Check = (caller: IncomingCall['caller'], policy: MethodPolicy) => AppError | undefined;

const checkUser: Check = ({ user }) =>
  user === undefined ? new AppError('unauthenticated', 'CREDENTIALS_MISSING', 'sign in first: the metadata "authorization" is missing') : undefined;

const checkAdmin: Check = (caller, policy) =>
  checkUser(caller, policy) ??
  (caller.user?.role === 'admin' ? undefined : new AppError('permission_denied', 'ADMIN_REQUIRED', 'only administrators may do this'));

const checkService: Check = ({ service }, { callers }) => {
  if (service === undefined) return new AppError('permission_denied', 'SERVICE_IDENTITY_REQUIRED', 'only services of this cluster may call this');
  if (!callers.includes(service)) return new AppError('permission_denied', 'CALLER_NOT_ALLOWED', `${service} may not call this`);
  return undefined;
};

const checks: Record<MethodPolicy['access'], Check> = { public: () => undefined, user: checkUser, admin: checkAdmin, service: checkService };

function revocationsStale(): AppError {
  return new AppError('unavailable', 'REVOCATIONS_STALE', 'whether the token has been revoked cannot be told at the moment', {
    details: { retryAfterMs: 1000 },
  });
}

/** Refuses callers that the contract does not admit to the method, and everybody on sensitive ones while revocations are not known. */
export function authorize(revocations: Pick<Revocations, 'isStale'> = noRevocations): Interceptor {
  return async (call, next) => {
    const refusal = checks[call.policy.access](call.caller, call.policy);
    if (refusal !== undefined) throw refusal;
    if (call.policy.sensitive && revocations.isStale()) throw revocationsStale();
    await next();
  };
}
