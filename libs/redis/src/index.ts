export { reportState } from './report-state.ts';
export { openStore, StoreUnavailable, type Store, type StoreOptions } from './store.ts';
