/** The rules of users' access tokens. auth signs and every service checks by them. */
export const accessTokenRules = {
  issuer: 'taskflow-auth',
  audience: 'taskflow',
  typ: 'at+jwt',
  algorithm: 'EdDSA',
  /** `role` is "user" or "admin", `sid` the session's id, `sub` the user's. */
  requiredClaims: ['sub', 'sid', 'role', 'exp', 'iat', 'jti'],
} as const;

/** The rules of service tokens: iss = the caller, kid = one of its keys, aud = the callee. */
export const serviceTokenRules = {
  typ: 'service+jwt',
  algorithm: 'EdDSA',
  requiredClaims: ['iss', 'aud', 'exp', 'iat'],
  lifetimeSeconds: 60,
} as const;

/** Whether a key id belongs to the service: its name, or its name, a dot and a suffix. */
export function isKeyOf(service: string, kid: string): boolean {
  return kid === service || kid.startsWith(`${service}.`);
}

/** Longer tokens are refused without decoding them. */
export const maxTokenBytes = 8 * 1024;
