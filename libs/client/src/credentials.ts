/** Who calls. */
export interface Credentials {
  /** A token that should be valid; undefined for none. */
  token(): Promise<string | undefined>;
  /** Called when a service refused a token. Resolves to whether `token` has another one now. */
  renew(refused: string): Promise<boolean>;
}

/**
 * A personal token (CreatePersonalToken), for programs. It does what its scopes say. Throws TypeError, which does not tell
 * the token, when it could not be in a header.
 */
export function personalToken(token: string): Credentials {
  if (!/^[\x21-\x7e]+$/.test(token)) throw new TypeError('a personal token is one word of ASCII characters');
  return { token: async () => token, renew: async () => false };
}

export const nobody: Credentials = { token: async () => undefined, renew: async () => false };
