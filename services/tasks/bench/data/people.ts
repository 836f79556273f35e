import { AuthServiceService, type LoginResponse, type RegisterResponse } from '#contract/auth/v1/auth';
import type { Cluster } from '#dev/cluster';
import { queryOnce } from '#dev/testing';
import { openStub } from '#dev/stubs';

/** Somebody who makes calls. */
export interface Caller {
  readonly id: string;
  /** The metadata of this person's calls; the second is for ceilings, which check no tokens. */
  readonly headers: { readonly authorization: string; readonly 'x-bench-user': string };
}

/** Everybody who owns tasks or is assigned to them. */
export interface People {
  /** Those who sign in; the first `heavyCount` own 4 % of all tasks each. */
  readonly callers: Caller[];
  /** Ids of all, callers first. */
  readonly ids: string[];
  /** Where in `ids` somebody stands. */
  readonly placeOf: ReadonlyMap<string, number>;
  /** Renews the tokens that would expire within a few minutes. */
  keepSignedIn(): Promise<void>;
  close(): void;
}

export const heavyCount = 8;

interface Session {
  email: string;
  caller: Caller;
  expireTime: number;
}

const password = 'a long sentence that nobody guesses';
const displayNames = 'Ada Lovelace, Grace Hopper, Edsger Dijkstra, Barbara Liskov, Tony Hoare, Frances Allen'.split(
  ', ',
);

function toSession({ account, tokens }: LoginResponse | RegisterResponse, email: string): Session {
  const id = account?.id ?? '';
  const headers = { authorization: `Bearer ${tokens?.accessToken}`, 'x-bench-user': id };
  return { email, caller: { id, headers }, expireTime: tokens?.accessTokenExpireTime?.getTime() ?? 0 };
}

/** Callers register through the API; for the others there is only a profile. */
export async function createPeople(cluster: Cluster, counts: { callers: number; all: number }): Promise<People> {
  const auth = openStub(AuthServiceService, cluster.address('auth'));
  const register = async (index: number): Promise<Session> => {
    const email = `caller-${index}@example.com`;
    return toSession(
      await auth.register({ email, password, displayName: displayNames[index % displayNames.length] ?? '' }),
      email,
    );
  };
  const sessions: Session[] = [];
  for (let index = 0; index < counts.callers; index += 4) {
    sessions.push(
      ...(await Promise.all(
        [0, 1, 2, 3].filter((step) => index + step < counts.callers).map(async (step) => register(index + step)),
      )),
    );
  }
  const others = await addProfiles(cluster.databaseUrl('users'), counts.all - counts.callers);
  const callers = sessions.map(({ caller }) => caller);
  const ids = [...callers.map(({ id }) => id), ...others];
  return {
    callers,
    ids,
    placeOf: new Map(ids.map((id, place) => [id, place])),
    keepSignedIn: async () => {
      for (const [index, session] of sessions.entries()) {
        if (session.expireTime - Date.now() > 240_000) continue;
        sessions[index] = toSession(await auth.login({ email: session.email, password }), session.email);
        callers[index] = sessions[index].caller;
      }
    },
    close: () => auth.close(),
  };
}

async function addProfiles(databaseUrl: string, count: number): Promise<string[]> {
  const text = `
    insert into profiles (id, email, role, enabled, account_version, display_name, time_zone, locale, version, create_time, update_time)
    select uuidv7(), 'other-' || index || '@example.com', 'user', true, 1,
      ($2::text[])[1 + index % cardinality($2::text[])], 'UTC', 'en', 1, now(), now()
    from generate_series(0, $1::int - 1) as index
    returning id`;
  return (await queryOnce<{ id: string }>(databaseUrl, text, [count, displayNames])).map(({ id }) => id);
}
