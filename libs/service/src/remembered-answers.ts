import { LRUCache } from 'lru-cache';
import { requestIdReused } from '#libs/errors';

interface RememberedRequest {
  /** Two users may choose the same key. */
  userId: string;
  method: string;
  /** The field request_id; '' means that the request is not idempotent. */
  idempotencyKey: string;
  /** The whole request: the same key with another content is refused. */
  content: string;
}

/** Repeats the first answer for a day, also while it is being made, for the last 10 000 requests. Throws REQUEST_ID_REUSED. */
export function rememberAnswers<T>(): (request: RememberedRequest, work: () => Promise<T>) => Promise<T> {
  const kept = new LRUCache<string, { content: string; answer: Promise<T> }>({ max: 10_000, ttl: 86_400_000 });
  return async ({ userId, method, idempotencyKey, content }, work) => {
    if (idempotencyKey === '') return work();
    const key = JSON.stringify([userId, method, idempotencyKey]);
    const earlier = kept.get(key);
    if (earlier !== undefined && earlier.content !== content) throw requestIdReused();
    if (earlier !== undefined) return earlier.answer;
    const answer = work();
    kept.set(key, { content, answer });
    // A failure is no answer: the next call tries again.
    answer.catch(() => kept.delete(key));
    return answer;
  };
}
