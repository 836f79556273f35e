import { useSyncExternalStore } from 'react';
import { queryOptions, useQuery, type QueryClient } from '@tanstack/react-query';
import { Role, type User } from '#client/users';
import { api, session } from '../api.ts';

export const useSessionState = () => useSyncExternalStore(session.subscribe, () => session.state);

/** Right after a registration it takes a moment until the profile has arrived. */
const profile = queryOptions({
  queryKey: ['me'],
  queryFn: async ({ signal }) => (await api.users.getMe({}, { signal })).user,
  staleTime: 60_000,
  retry: 8,
  retryDelay: (failures) => Math.min(200 * 2 ** failures, 2000),
});

/** The person who is signed in. */
export const useMeQuery = () => useQuery(profile);

/** Gives somebody who is new the time zone of their device. It can be changed; so a failure is not worth a word. */
export async function takeTimeZone(queryClient: QueryClient): Promise<void> {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const me = await queryClient.fetchQuery(profile);
  const { user } = await api.users.updateUser({ user: { id: me?.id ?? '', timeZone } });
  queryClient.setQueryData(profile.queryKey, user);
}

/** Within the shell, which waits for the profile. */
export function useMe(): User {
  const { data } = useMeQuery();
  if (data === undefined) throw new Error('the profile is not there yet');
  return data;
}

export const isAdmin = ({ role }: User): boolean => role === Role.ADMIN;
