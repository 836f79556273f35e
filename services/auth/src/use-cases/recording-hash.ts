import type { AuthDeps, OneTimeTokenKind } from '../deps.ts';
import type { Codec } from './repeatable.ts';

interface Needs<T> {
  kind: OneTimeTokenKind;
  /** Of the row that the token belongs to. */
  idOf(answer: T): string;
  /** What is thrown when the key that the token was derived by is gone. */
  lost: () => Error;
}

/** How an answer with a one-time token is recorded for its repeats: with the token's hash in place of the token. */
export function recordingHash<T extends { token: string }>(
  { oneTimeTokens }: Pick<AuthDeps, 'oneTimeTokens'>,
  message: Codec<T>,
  { kind, idOf, lost }: Needs<T>,
): Codec<T> {
  return {
    encode: (answer) => message.encode({ ...answer, token: oneTimeTokens.hashOf(answer.token) }),
    decode: (bytes) => {
      const recorded = message.decode(bytes);
      const token = oneTimeTokens.recover(kind, idOf(recorded), recorded.token);
      if (token === undefined) throw lost();
      return { ...recorded, token };
    },
  };
}
