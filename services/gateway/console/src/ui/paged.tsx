import { useInfiniteQuery, type QueryKey } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Button } from './button.tsx';
import { ErrorNotice, Loading } from './notice.tsx';

interface PagedOptions<T> {
  queryKey: QueryKey;
  fetchPage: (pageToken: string, signal: AbortSignal) => Promise<{ items: T[]; nextPageToken: string }>;
  /** Asked for again and again, for what changes by itself. */
  refetchMs?: number;
}

/** A list that comes page by page. */
export function usePaged<T>({ queryKey, fetchPage, refetchMs }: PagedOptions<T>) {
  const query = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam, signal }) => fetchPage(pageParam, signal),
    initialPageParam: '',
    getNextPageParam: ({ nextPageToken }) => nextPageToken || undefined,
    ...(refetchMs !== undefined && { refetchInterval: refetchMs }),
  });
  return { query, items: query.data?.pages.flatMap(({ items }) => items) ?? [] };
}

interface PagedProps<T> {
  paged: ReturnType<typeof usePaged<T>>;
  /** Shown when there is nothing. */
  empty: ReactNode;
  children: (items: readonly T[]) => ReactNode;
}

/** The list in each of its states: on its way, failed, empty, there, with more to come. */
export function Paged<T>({ paged: { query, items }, empty, children }: PagedProps<T>) {
  if (query.isPending) return <Loading rows={5} />;
  if (query.isError && items.length === 0)
    return <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />;
  if (items.length === 0) return empty;
  return (
    <>
      {query.isError && <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />}
      {children(items)}
      {query.hasNextPage && (
        <Button look="quiet" busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          Show more
        </Button>
      )}
    </>
  );
}
