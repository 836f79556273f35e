export { openCache, type Cache, type CacheBase, type CacheConfig } from './cache.ts';
export type { Learned, ReadThrough, ReadThroughOptions } from './read-through.ts';
