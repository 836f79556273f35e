export { openStore, StoreUnavailable, type Store, type StoreOptions } from './store.ts';
