import { useInfiniteQuery } from '@tanstack/react-query';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { Task } from '#client/tasks';
import { api } from '../api.ts';

/** What has happened to a task, from its beginning. Asked for again whenever the task has changed. */
export function useHistory({ id: taskId, updateTime, overdue }: Task) {
  const version = updateTime === undefined ? '' : String(timestampMs(updateTime));
  const query = useInfiniteQuery({
    queryKey: ['history', taskId, version, overdue],
    queryFn: ({ signal, pageParam }) =>
      api.tasks.listTaskEvents({ taskId, pageToken: pageParam, pageSize: 500 }, { signal }),
    initialPageParam: '',
    getNextPageParam: ({ nextPageToken }) => nextPageToken || undefined,
    placeholderData: (before) => before,
  });
  return { query, events: query.data?.pages.flatMap((page) => page.events) ?? [] };
}
