import type { PageTokens } from '#libs/db';
import type { FeedScope, Position } from '#libs/events';
import type { ProjectPlace, SyncPlace } from '../deps.ts';
import { resumeTokenInvalid } from '../domain/feed.errors.ts';

/** The content of a resume or sync token. */
export interface FeedPlace {
  position: Position;
  /** Where the page ended, while existing tasks are listed. */
  listed: SyncPlace | ProjectPlace | undefined;
}

/** Tokens of older releases have no incarnation. */
type Sealed = { incarnation?: string; transaction: string; event: string; listed: SyncPlace | ProjectPlace | null };

/** Who follows which tasks. */
export interface Reader {
  userId: string;
  scope: FeedScope;
}

/** A token of one scope says nothing about the tasks of the other. */
const scopeOf = ({ userId, scope }: Reader) => ({
  caller: userId,
  method: 'TaskFeed',
  filter: scope === 'all' ? { scope } : null,
});

/** A page token is valid only together with the sync token of its first page. */
const pagesOf = ({ userId, scope }: Reader, syncToken: string) => ({
  caller: userId,
  method: 'SyncTasks',
  filter: scope === 'all' ? { scope, syncToken } : syncToken,
});

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

export function sealPlace(tokens: PageTokens, reader: Reader, position: Position): string {
  return tokens.seal(toSealed({ position, listed: undefined }), scopeOf(reader));
}

export function sealPage(tokens: PageTokens, reader: Reader, syncToken: string, place: FeedPlace): string {
  return tokens.seal(toSealed(place), pagesOf(reader, syncToken));
}

/** undefined for ''. Throws PAGE_TOKEN_INVALID, also for the page of another sync token. */
export function openPage(
  tokens: PageTokens,
  reader: Reader,
  { syncToken, pageToken }: { syncToken: string; pageToken: string },
): FeedPlace | undefined {
  const sealed = tokens.open<Sealed>(pageToken, pagesOf(reader, syncToken));
  return sealed && toPlace(sealed);
}

/** undefined for ''. Throws RESUME_TOKEN_INVALID. */
export function openPlace(
  tokens: PageTokens,
  reader: Reader,
  token: string,
  field: 'resume_token' | 'sync_token',
): FeedPlace | undefined {
  try {
    const sealed = tokens.open<Sealed>(token, scopeOf(reader));
    return sealed && toPlace(sealed);
  } catch {
    throw resumeTokenInvalid(field);
  }
}
