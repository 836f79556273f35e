import { Notification, type WatchNotificationsResponse } from '#contract/scheduler/v1/notifications';
import type { PageTokens } from '#libs/db';
import type { Position } from '#libs/events';
import type { UserActor } from '#libs/runtime';
import type { SchedulerDeps } from '../../deps.ts';
import { resumeTokenInvalid } from '../../domain/notifications/inbox.errors.ts';

type Deps = Pick<SchedulerDeps, 'inboxFeed' | 'pageTokens'>;
/** Tokens of a release that did not know incarnations have none. */
type Sealed = { incarnation?: string; transaction: string; event: string };

/** Goes on until the signal fires. */
export async function* watchNotifications(
  { inboxFeed, pageTokens }: Deps,
  actor: UserActor,
  token: string,
  signal: AbortSignal,
): AsyncGenerator<WatchNotificationsResponse, void> {
  const { userId } = actor;
  for await (const { event, position } of inboxFeed.subscribe(
    userId,
    openPosition(pageTokens, userId, token),
    signal,
  )) {
    yield {
      notification: event && Notification.decode(event.payload),
      resumeToken: sealPosition(pageTokens, userId, position),
    };
  }
}

const scopeOf = (userId: string) => ({ caller: userId, method: 'WatchNotifications', filter: null });

function sealPosition(tokens: PageTokens, userId: string, { incarnation, transactionId, eventId }: Position): string {
  const sealed: Sealed = {
    incarnation: String(incarnation),
    transaction: String(transactionId),
    event: String(eventId),
  };
  return tokens.seal(sealed, scopeOf(userId));
}

/** undefined for ''. Throws RESUME_TOKEN_INVALID. */
function openPosition(tokens: PageTokens, userId: string, token: string): Position | undefined {
  try {
    const sealed = tokens.open<Sealed>(token, scopeOf(userId));
    return (
      sealed && {
        incarnation: BigInt(sealed.incarnation ?? 0),
        transactionId: BigInt(sealed.transaction),
        eventId: BigInt(sealed.event),
      }
    );
  } catch {
    throw resumeTokenInvalid();
  }
}
