import type { MethodPolicy } from '#libs/contract';
import { AppError, type ErrorReason } from '#libs/errors';
import type { IncomingCall, Interceptor } from './chain.ts';

/** Whether the revocations that `Authenticator` applies are complete. */
export interface RevocationState {
  /** True while revocations may be missing here. */
  isStale(): boolean;
}

export interface AuthorizeOptions {
  revocations?: RevocationState | undefined;
  /** Internal methods are only for services that prove their names by a certificate, too. */
  requiresCertificate: boolean;
}

type Check = (caller: IncomingCall['caller'], policy: MethodPolicy) => AppError | undefined;

/** A personal token does only what its scopes say. */
const checkScope: Check = ({ user }, { scope }) => {
  if (user?.token === undefined || scope === 'any') return undefined;
  if (scope === undefined)
    return new AppError('permission_denied', 'SESSION_REQUIRED', 'no personal token may do this; sign in');
  if (user.token.scopes.includes(scope)) return undefined;
  return new AppError('permission_denied', 'MISSING_SCOPE', `the personal token lacks the scope ${scope}`, {
    details: { metadata: { scope } },
  });
};

export const credentialsMissing = (): AppError =>
  new AppError('unauthenticated', 'CREDENTIALS_MISSING', 'sign in first: the metadata "authorization" is missing');

const checkUser: Check = (caller, policy) =>
  caller.user === undefined ? credentialsMissing() : checkScope(caller, policy);

const checkAdmin: Check = (caller, policy) =>
  checkUser(caller, policy) ??
  (caller.user?.role === 'admin'
    ? undefined
    : new AppError('permission_denied', 'ADMIN_REQUIRED', 'only administrators may do this'));

const checkService: Check = ({ service }, { callers }) => {
  if (service === undefined)
    return new AppError(
      'permission_denied',
      'SERVICE_IDENTITY_REQUIRED',
      'only services of this cluster may call this',
    );
  if (!callers.includes(service))
    return new AppError('permission_denied', 'CALLER_NOT_ALLOWED', `${service} may not call this`, {
      details: { metadata: { service } },
    });
  return undefined;
};

const checks: Record<MethodPolicy['access'], Check> = {
  public: () => undefined,
  user: checkUser,
  admin: checkAdmin,
  service: checkService,
};

function revocationsStale(): AppError {
  const message = 'whether the token has been revoked cannot be told at the moment';
  return new AppError('unavailable', 'REVOCATIONS_STALE', message, { details: { retryAfterMs: 1000 } });
}

function denied(reason: ErrorReason, message: string, metadata?: Record<string, string>): AppError {
  return new AppError('permission_denied', reason, message, metadata && { details: { metadata } });
}

/** The certificate must name a caller of the method, and the service that the token is of. */
function checkCertificate({ certificate, caller, policy }: IncomingCall): AppError | undefined {
  if (certificate === undefined)
    return denied('CERTIFICATE_REQUIRED', 'only services with a client certificate may call this');
  const services = certificate.services.join(',');
  if (!certificate.services.some((name) => policy.callers.includes(name)))
    return denied('CERTIFICATE_NOT_ALLOWED', 'the client certificate names no service that may call this', {
      services,
    });
  const { service } = caller;
  if (service !== undefined && !certificate.services.includes(service))
    return denied('CERTIFICATE_MISMATCH', `the client certificate does not name ${service}`, { service, services });
  return undefined;
}

/** Refuses callers without the required access, and calls of sensitive methods while revocations are stale. */
export function authorize({ revocations, requiresCertificate }: AuthorizeOptions): Interceptor {
  return async (call, next) => {
    const asksCertificate = requiresCertificate && call.policy.access === 'service';
    const refusal =
      (asksCertificate ? checkCertificate(call) : undefined) ?? checks[call.policy.access](call.caller, call.policy);
    if (refusal !== undefined) throw refusal;
    if (call.policy.sensitive && revocations?.isStale() === true) throw revocationsStale();
    await next();
  };
}
