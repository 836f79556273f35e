import type { ListSessionsResponse } from '#contract/auth/v1/auth';
import { listPage, type PageInput } from '#libs/db';
import type { UserActor } from '#libs/runtime';
import type { AuthDeps } from '../deps.ts';
import { toSessionMessage } from '../domain/session.columns.ts';

/** The caller's sessions that can still be refreshed, the last used first. */
export async function listSessions(
  { reader, pageTokens, clock }: Pick<AuthDeps, 'reader' | 'pageTokens' | 'clock'>,
  actor: UserActor,
  input: PageInput,
): Promise<ListSessionsResponse> {
  const now = clock.now();
  const { rows, nextPageToken } = await listPage(pageTokens, input, {
    scope: { caller: actor.userId, method: 'ListSessions', filter: null },
    read: (last, limit) => {
      const after = last && { lastUsedTime: last.time, id: last.id };
      return reader.listAliveSessions(actor.userId, { now, after, limit });
    },
    timeOf: ({ lastUsedTime }) => lastUsedTime,
  });
  const sessions = rows.map((session) => toSessionMessage(session, { currentSessionId: actor.sessionId }));
  return { sessions, nextPageToken };
}
