/** What an access token of a user must be like; auth signs by it, every service checks by it. */
export const accessTokenRules = {
  issuer: 'taskflow-auth',
  audience: 'taskflow',
  typ: 'at+jwt',
  algorithm: 'EdDSA',
  /** `role` is "user" or "admin", `sid` the session's id, `sub` the user's. */
  requiredClaims: ['sub', 'sid', 'role', 'exp', 'iat', 'jti'],
} as const;

/** What the token of a service must be like: iss = the caller = kid, aud = the callee. */
export const serviceTokenRules = {
  typ: 'service+jwt',
  algorithm: 'EdDSA',
  requiredClaims: ['iss', 'aud', 'exp', 'iat'],
  lifetimeSeconds: 60,
} as const;

/** Longer tokens are refused unread. */
export const maxTokenBytes = 8 * 1024;
