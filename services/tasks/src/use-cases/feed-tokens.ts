import type { PageTokens } from '#libs/db';
import type { Position } from '#libs/events';
import type { SyncPlace } from '../deps.ts';
import { resumeTokenInvalid } from '../domain/feed.errors.ts';

/** The content of a resume or sync token. */
export interface FeedPlace {
  position: Position;
  /** Where the page ended, while existing tasks are listed. */
  listed: SyncPlace | undefined;
}

/** Tokens of older releases have no incarnation. */
type Sealed = { incarnation?: string; transaction: string; event: string; listed: SyncPlace | null };

const scopeOf = (userId: string) => ({ caller: userId, method: 'TaskFeed', filter: null });

/** A page token is valid only together with the sync token of its first page. */
const pagesOf = (userId: string, syncToken: string) => ({ caller: userId, method: 'SyncTasks', filter: syncToken });

function toSealed({ position, listed }: FeedPlace): Sealed {
  const { incarnation, transactionId, eventId } = position;
  return {
    incarnation: String(incarnation),
    transaction: String(transactionId),
    event: String(eventId),
    listed: listed ?? null,
  };
}

function toPlace({ incarnation = '0', transaction, event, listed }: Sealed): FeedPlace {
  return {
    position: { incarnation: BigInt(incarnation), transactionId: BigInt(transaction), eventId: BigInt(event) },
    listed: listed ?? undefined,
  };
}

export function sealPlace(tokens: PageTokens, userId: string, position: Position): string {
  return tokens.seal(toSealed({ position, listed: undefined }), scopeOf(userId));
}

export function sealPage(tokens: PageTokens, userId: string, syncToken: string, place: FeedPlace): string {
  return tokens.seal(toSealed(place), pagesOf(userId, syncToken));
}

/** undefined for ''. Throws PAGE_TOKEN_INVALID, also for the page of another sync token. */
export function openPage(
  tokens: PageTokens,
  userId: string,
  { syncToken, pageToken }: { syncToken: string; pageToken: string },
): FeedPlace | undefined {
  const sealed = tokens.open<Sealed>(pageToken, pagesOf(userId, syncToken));
  return sealed && toPlace(sealed);
}

/** undefined for ''. Throws RESUME_TOKEN_INVALID. */
export function openPlace(
  tokens: PageTokens,
  userId: string,
  token: string,
  field: 'resume_token' | 'sync_token',
): FeedPlace | undefined {
  try {
    const sealed = tokens.open<Sealed>(token, scopeOf(userId));
    return sealed && toPlace(sealed);
  } catch {
    throw resumeTokenInvalid(field);
  }
}
