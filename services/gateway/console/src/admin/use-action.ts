import { useMutation, useQueryClient, type QueryKey } from '@tanstack/react-query';
import { reportFailure } from '../tasks/report-failure.ts';
import { showToast } from '../ui/toast.tsx';

interface Action {
  work: () => Promise<unknown>;
  done: string;
}

/** Something an administrator does to an entry of a list, which is then asked for again. */
export function useAction(queryKey: QueryKey) {
  const queryClient = useQueryClient();
  const { mutate, isPending } = useMutation({
    mutationFn: ({ work }: Action) => work(),
    onSuccess: (_answer, { done }) => showToast(done),
    onError: reportFailure,
    onSettled: () => queryClient.invalidateQueries({ queryKey }),
  });
  return { run: (done: string, work: () => Promise<unknown>) => mutate({ work, done }), isPending };
}
