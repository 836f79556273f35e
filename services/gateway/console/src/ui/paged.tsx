import { useInfiniteQuery, type QueryKey } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Button } from './button.tsx';
import { ErrorNotice, Loading } from './notice.tsx';

interface PagedOptions<T> {
  queryKey: QueryKey;
  fetchPage: (pageToken: string, signal: AbortSignal) => Promise<{ items: T[]; nextPageToken: string }>;
  /** Asked for again and again, for what changes by itself. May depend on what is there. */
  refetchMs?: number | ((items: readonly T[]) => number);
}

const itemsOf = <T,>(pages: readonly { items: T[] }[] = []): T[] => pages.flatMap(({ items }) => items);

/** A list that comes page by page. */
export function usePaged<T>({ queryKey, fetchPage, refetchMs }: PagedOptions<T>) {
  const query = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam, signal }) => fetchPage(pageParam, signal),
    initialPageParam: '',
    getNextPageParam: ({ nextPageToken }) => nextPageToken || undefined,
    refetchInterval: ({ state: { data } }) =>
      typeof refetchMs === 'function' ? refetchMs(itemsOf(data?.pages)) : (refetchMs ?? false),
  });
  return { query, items: itemsOf(query.data?.pages) };
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
