import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { api } from '../api.ts';

export function useUnreadCount(): number {
  const { data } = useQuery({
    queryKey: ['inbox', 'unread'],
    queryFn: async ({ signal }) => (await api.notifications.getUnreadCount({}, { signal })).unreadCount,
  });
  return data ?? 0;
}

export function useInbox(unreadOnly: boolean) {
  return useInfiniteQuery({
    queryKey: ['inbox', 'list', unreadOnly],
    queryFn: ({ signal, pageParam }) =>
      api.notifications.listNotifications({ unreadOnly, pageSize: 50, pageToken: pageParam }, { signal }),
    initialPageParam: '',
    getNextPageParam: ({ nextPageToken }) => nextPageToken || undefined,
  });
}

/** Marks some, or all that were delivered before a time. */
export function useMarkRead() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (which: { ids: string[] } | { beforeMs: number }) =>
      api.notifications.markNotificationsRead({
        selection:
          'ids' in which
            ? { case: 'ids', value: { notificationIds: which.ids } }
            : { case: 'all', value: { deliverEndTime: timestampFromMs(which.beforeMs) } },
      }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['inbox'] }),
  });
}
