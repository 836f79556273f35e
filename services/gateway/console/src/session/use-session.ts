import { useSyncExternalStore } from 'react';
import { useQuery } from '@tanstack/react-query';
import { Role, type User } from '#client/users';
import { api, session } from '../api.ts';

export const useSessionState = () => useSyncExternalStore(session.subscribe, () => session.state);

/** The person who is signed in. Right after a registration it takes a moment until the profile has arrived. */
export function useMeQuery() {
  return useQuery({
    queryKey: ['me'],
    queryFn: async ({ signal }) => (await api.users.getMe({}, { signal })).user,
    staleTime: 60_000,
    retry: 8,
    retryDelay: (failures) => Math.min(200 * 2 ** failures, 2000),
  });
}

/** Within the shell, which waits for the profile. */
export function useMe(): User {
  const { data } = useMeQuery();
  if (data === undefined) throw new Error('the profile is not there yet');
  return data;
}

export const isAdmin = ({ role }: User): boolean => role === Role.ADMIN;
