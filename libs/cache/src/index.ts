export { openCache, type Cache } from './cache.ts';
export type { Learned, ReadThrough, ReadThroughOptions } from './read-through.ts';
