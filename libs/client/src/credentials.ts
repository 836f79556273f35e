/** Who calls. */
export interface Credentials {
  /** A token that should be valid; undefined for none. */
  token(): Promise<string | undefined>;
  /** Called when a service refused a token. Resolves to whether `token` has another one now. */
  renew(refused: string): Promise<boolean>;
}

/** A personal token (CreatePersonalToken), for programs. It does what its scopes say. */
export function personalToken(token: string): Credentials {
  return { token: async () => token, renew: async () => false };
}

export const nobody: Credentials = { token: async () => undefined, renew: async () => false };
