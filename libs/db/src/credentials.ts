import type { ClientConfig } from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';

/**
 * Connects to a database whose role's password may change. For each new connection pg asks for the password that the
 * server accepted last. When the server refuses it, the others are tried.
 */
export interface Credentials {
  /** Options for pg. They leave out the URL, because pg would prefer the URL's password to the function. */
  readonly options: ClientConfig & { password: () => string };
  /** Runs `attempt`, which connects, and repeats it with the other passwords while the server refuses the password. */
  connect<T>(attempt: () => Promise<T>): Promise<T>;
}

/** `previousUrls` are the same except for their passwords. */
export function createCredentials(url: string, previousUrls: readonly string[] = []): Credentials {
  const passwords = [url, ...previousUrls].map((each) => decodeURIComponent(new URL(each).password));
  const place = parseIntoClientConfig(url);
  let accepted = 0;

  // Of several that fail at the same time, only the attempts that used this password move on to the next one.
  async function tryOnce<T>(attempt: () => Promise<T>): Promise<{ value: T } | { refusal: unknown }> {
    const used = accepted;
    try {
      return { value: await attempt() };
    } catch (error) {
      if (!isWrongPassword(error)) throw error;
      if (accepted === used) accepted = (used + 1) % passwords.length;
      return { refusal: error };
    }
  }

  return {
    options: { ...place, password: () => passwords[accepted] ?? '' },
    connect: async (attempt) => {
      // An attempt that had to wait may have used a later password than it began with, hence the second round.
      for (let left = passwords.length === 1 ? 1 : 2 * passwords.length; ; left -= 1) {
        const outcome = await tryOnce(attempt);
        if ('value' in outcome) return outcome.value;
        if (left === 1) throw outcome.refusal;
      }
    },
  };
}

function isWrongPassword(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === '28P01';
}
