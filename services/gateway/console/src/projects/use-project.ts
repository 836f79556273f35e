import { useQuery } from '@tanstack/react-query';
import { api } from '../api.ts';

/** A project as the person sees it; asked for again when it may have changed for them. No id: none. */
export const useProject = (projectId: string) =>
  useQuery({
    queryKey: ['projects', 'one', projectId],
    queryFn: async ({ signal }) => (await api.projects.getProject({ projectId }, { signal })).project,
    enabled: projectId !== '',
    // What concerns it comes by the stream of tasks; this is for what got lost on the way.
    refetchInterval: 60_000,
  });
