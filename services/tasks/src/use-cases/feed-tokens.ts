import type { PageTokens } from '#libs/db';
import type { Position } from '#libs/events';
import type { SyncPlace } from '../deps.ts';
import { resumeTokenInvalid } from '../domain/feed.errors.ts';

/** What a resume or sync token holds. */
export interface FeedPlace {
  position: Position;
  /** While the first pages of everything are read: where the page ended. */
  listed: SyncPlace | undefined;
}

type Sealed = { transaction: string; event: string; listed: SyncPlace | null };

const scopeOf = (userId: string) => ({ caller: userId, method: 'TaskFeed', filter: null });

export function sealPlace(tokens: PageTokens, userId: string, { position, listed }: FeedPlace): string {
  const sealed: Sealed = { transaction: String(position.transactionId), event: String(position.eventId), listed: listed ?? null };
  return tokens.seal(sealed, scopeOf(userId));
}

/** undefined for ''. Throws RESUME_TOKEN_INVALID. */
export function openPlace(tokens: PageTokens, userId: string, token: string, field: 'resume_token' | 'sync_token'): FeedPlace | undefined {
  try {
    const sealed = tokens.open<Sealed>(token, scopeOf(userId));
    if (sealed === undefined) return undefined;
    return { position: { transactionId: BigInt(sealed.transaction), eventId: BigInt(sealed.event) }, listed: sealed.listed ?? undefined };
  } catch {
    throw resumeTokenInvalid(field);
  }
}
