import { useQuery } from '@tanstack/react-query';
import { api } from '../api.ts';

/** A project as the person sees it; asked for again when it may have changed for them. No id: none. */
export const useProject = (projectId: string) =>
  useQuery({
    queryKey: ['projects', 'one', projectId],
    queryFn: async ({ signal }) => (await api.projects.getProject({ projectId }, { signal })).project,
    enabled: projectId !== '',
    refetchInterval: 20_000,
  });
