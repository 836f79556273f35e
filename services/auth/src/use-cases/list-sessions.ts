import type { ListSessionsResponse } from '#contract/auth/v1/auth';
import type { UserActor } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';
import { toSessionMessage } from '../domain/session.columns.ts';

export interface ListSessionsInput {
  pageSize: number;
  pageToken: string;
}

/** The caller's sessions that can still be refreshed, the last used first. */
export async function listSessions(
  { reader, pageTokens, clock }: Pick<AuthDeps, 'reader' | 'pageTokens' | 'clock'>,
  actor: UserActor,
  { pageSize, pageToken }: ListSessionsInput,
): Promise<ListSessionsResponse> {
  const scope = { caller: actor.userId, method: 'ListSessions', filter: null };
  const position = pageTokens.open<[number, string]>(pageToken, scope);
  const after = position && { lastUsedTime: new Date(position[0]), id: position[1] };
  // One row more than the page shows whether another page follows.
  const found = await reader.listAliveSessions(actor.userId, { now: clock.now(), after, limit: pageSize + 1 });
  const sessions = found.slice(0, pageSize);
  const last = sessions.at(-1);
  const hasMore = found.length > pageSize && last !== undefined;
  return {
    sessions: sessions.map((session) => toSessionMessage(session, { currentSessionId: actor.sessionId })),
    nextPageToken: hasMore ? pageTokens.seal([last.lastUsedTime.getTime(), last.id], scope) : '',
  };
}
